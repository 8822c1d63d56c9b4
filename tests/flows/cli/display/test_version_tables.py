"""What is printed of versions, as a function of their records."""

from __future__ import annotations

import pytest

from ffn.promotion.overview import NOTHING_RECORDED, Summary
from flows.cli.display.version_tables import print_versions

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
