"""Arguments that are no options, among options and behind ``--``."""

from __future__ import annotations

import pytest

from flows.cli.arguments import build_parser


@pytest.mark.parametrize(
    ("line", "files", "direct"),
    [
        ("iris a.csv --direct b.csv", ["a.csv", "b.csv"], True),
        ("iris -- -a.csv", ["-a.csv"], False),
        ("-- iris -a.csv", ["-a.csv"], False),
        ("--direct -- iris -a.csv", ["-a.csv"], True),
        ("iris --direct a.csv -- --direct", ["a.csv", "--direct"], True),
        ("-- iris", [], False),
    ],
)
def test_what_follows_two_dashes_is_a_name(line: str, files: list[str], direct: bool) -> None:
    found = build_parser().parse_args(["score", *line.split()])
    assert (found.pipeline, found.files, found.direct) == ("iris", files, direct)


def test_a_name_like_an_option_is_one_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["score", "iris", "-a.csv"])
    assert "unrecognized arguments: -a.csv" in capsys.readouterr().err
