"""What is printed of versions, as a function of their records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ffn.auditing.unseen_figures import UnseenFigures, unseen_figures
from ffn.evaluation.inference.statistics import Interval
from ffn.promotion.overview import NOTHING_RECORDED, Detail, Summary
from flows.cli.display.version_tables import print_detail, print_versions

WARNING = "A simpler model is better."


def summary(version: int, warning: str = "") -> Summary:
    return Summary(
        version=version,
        created_at="2026-01-02T03:04:05Z",
        winner="adam",
        accuracy=None,
        log_loss=None,
        rows=30,
        held_out=NOTHING_RECORDED,
        missed="",
        promote=True,
        reason="",
        warning=warning,
        unseen=(),
        production=False,
        next_back=False,
        bundle_sha256="",
        bytes=1,
    )


@pytest.mark.parametrize(
    ("warned", "others"),
    [
        (range(0), None),
        (range(3, 8), None),
        (range(2, 8), "1 older version"),
        (range(1, 8), "2 older versions"),
    ],
)
def test_the_newest_warnings_are_shown_and_the_others_counted(
    warned: range, others: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [summary(version, WARNING if version in warned else "") for version in range(1, 9)]
    print_versions("p", found)
    text = " ".join(capsys.readouterr().out.split())
    shown = [version for version in range(1, 9) if f"Version {version}: {WARNING}" in text]
    assert shown == list(warned)[-5:]
    told = f"There are warnings about {others}, too; ffn models p VERSION shows them."
    assert ("There are warnings" in text) == (others is not None)
    if others:
        assert told in text


def test_what_is_expected_of_unseen_rows_is_shown_where_a_version_says_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = UnseenFigures(
        rows="a later period", accuracy=Interval(0.8, 0.7, 0.9), log_loss=Interval(0.5, 0.4, 0.6)
    )
    new = UnseenFigures(
        rows='new values of "home"', accuracy=Interval(0.6, 0.5, 1), log_loss=Interval(1, 0, 2)
    )
    versions = [summary(1), replace(summary(2), unseen=(later, new), production=True)]
    print_versions("p", versions)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    at = lines.index("version expected of accuracy log-loss")
    assert lines[at + 2 : at + 5] == [
        "* 2 a later period 0.800 [0.700, 0.900] 0.500 [0.400, 0.600]",
        'new values of "home" 0.600 [0.500, 1.000] 1.000 [0.000, 2.000]',
        "",
    ]
    print_versions("p", versions[:1])
    assert "expected" not in capsys.readouterr().out
    detail = Detail(summary=versions[1], provenance={}, metrics={}, verdict={}, history=(), files=1)
    print_detail("p", detail)
    assert (
        "expected of a later period accuracy 0.800 [0.700, 0.900], log-loss 0.500 [0.400, 0.600]; "
        'of new values of "home" accuracy 0.600 [0.500, 1.000], log-loss 1.000 [0.000, 2.000]'
    ) in " ".join(capsys.readouterr().out.split())


def test_a_damaged_record_says_nothing_of_a_later_period() -> None:
    figures = {"value": 0.8, "low": 0.7, "high": 0.9}
    (one,) = unseen_figures({"later": {"accuracy": figures, "log_loss": figures}}, None)
    assert (one.rows, one.accuracy) == ("a later period", Interval(0.8, 0.7, 0.9))
    assert unseen_figures({"later": {"accuracy": figures, "log_loss": 3}}, None) == ()
    assert unseen_figures({}, None) == ()
