"""What the pages say is so: commands parse, links lead somewhere, figures are those measured."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from flows.cli.app import build_parser

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("data", "artifacts", "benchmarks")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
README = (ROOT / "README.md").read_text("utf-8")
# Options of other programs that a page speaks of.
FOREIGN_OPTIONS = {
    *("--no-deps", "--require-hashes", "--pairs", "--quick", "--peers", "--seeds"),
    *("--cases", "--first", "--seed"),
    *("--rm", "--tag", "--init", "--user", "--time", "--create-home", "--requirement"),
    *("--no-cache-dir", "--no-build-isolation", "--build-arg", "--file", "--input"),
    # Of PostgreSQL's programs, Docker and Prefect.
    *("--pwprompt", "--owner", "--template", "--file", "--yes", "--no-services"),
    *("--pool", "--base-job-template", "--limit", "--type"),
}


def each_page(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    return re.split(rf"^#+ {re.escape(heading)}\n", text, flags=re.MULTILINE)[1].split("\n#")[0]


def table(text: str) -> list[list[str]]:
    """Return the body of the first table in ``text``, its cells stripped."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def verbs() -> dict[str, argparse.ArgumentParser]:
    (found,) = build_parser()._subparsers._group_actions  # type: ignore[union-attr]
    return dict(found.choices)  # type: ignore[arg-type]


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings} - {"-h", "--help"}


def commands(text: str) -> list[str]:
    """Return the ``ffn`` command lines shown in a page, those with placeholders left out."""
    shown = re.findall(r"^ +(ffn .*)", text, re.MULTILINE) + re.findall(
        r"`(ffn [^`\s]+ [^`]*)`", text
    )
    return [line for line in shown if not re.search(r"\b[A-Z]{2,}\b", line)]


@pytest.mark.parametrize("page", PAGES, ids=each_page)
def test_commands_shown_are_commands(page: Path) -> None:
    for line in commands(page.read_text("utf-8")):
        try:
            build_parser().parse_args(shlex.split(line, comments=True)[1:])
        except SystemExit as end:
            assert end.code == 0, f"{line} is refused"  # noqa: PT017


def test_commands_are_looked_at() -> None:
    assert "ffn init wine --from wine.csv --target cultivar" in commands(README)
    shown = [line for page in PAGES for line in commands(page.read_text("utf-8"))]
    assert {line.split()[1] for line in shown} >= set(verbs())


def test_the_command_line_is_documented_verb_by_verb() -> None:
    rows = table(section(README, "Command line"))
    documented = {
        re.match(r"`ffn (\w+)[ `]", row[0])[1]: set(re.findall(r"`(--[\w-]+)`", row[1]))  # type: ignore[index]
        for row in rows
    }
    assert documented == {verb: options(parser) for verb, parser in verbs().items()}
    assert options(build_parser()) == {"--version"}
    assert "`ffn --version`" in README


@pytest.mark.parametrize("page", PAGES, ids=each_page)
def test_options_spoken_of_exist(page: Path) -> None:
    known = {"--version", "--help", *FOREIGN_OPTIONS}.union(*map(options, verbs().values()))
    spoken_of = set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", page.read_text("utf-8")))
    assert spoken_of <= known


def test_make_commands_shown_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for page in PAGES:
        text = page.read_text("utf-8")
        shown = re.findall(r"`make ([\w-]+)|^    make ([\w-]+)", text, re.MULTILINE)
        for target in map("".join, shown):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page}: make {target}"


@pytest.mark.parametrize("page", PAGES, ids=each_page)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{each_page(page)}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{each_page(page)}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=each_page)
def test_modules_named_exist(page: Path) -> None:
    folders = ("ffn", "flows", "tests", "data", "docs", "fuzz", "simulations", "benchmarks")
    ours = {p.name for f in (*folders, "examples") for p in (ROOT / f).rglob("*.py")}
    ours |= {p.name for p in ROOT.glob("*.py")}
    assert set(re.findall(r"\b(\w+\.py)\b", page.read_text("utf-8"))) <= ours


def test_the_commands_for_a_users_csv_are_those_of_the_start_page() -> None:
    page = (ROOT / "docs/start/first-pipeline.md").read_text("utf-8")
    shown = [line for line in commands(section(README, "Your own CSV")) if " wine" in line]
    assert [line.split()[1] for line in shown] == ["init", "retrain", "score"]
    assert all(f"\n{line}\n" in page for line in shown)


def test_the_speed_shown_is_that_of_the_benchmark() -> None:
    page = (ROOT / "benchmarks/README.md").read_text("utf-8")
    numbers = (ROOT / "docs/numbers.md").read_text("utf-8")
    training_shown, scoring_shown = numbers.split("Scoring a CSV")
    shown = table(training_shown[training_shown.index("| work |") :])
    training = page[page.index("| work |") : page.index("<!-- end of training -->")]
    # Only the table of what was to be reached has six columns.
    targets = [row for row in table(training) if len(row) == 6]
    measured = [[row[0], row[1], row[3]] for row in targets]
    assert len(shown) >= 8
    assert [row for row in shown if row not in measured] == []
    # Whom we do not beat is not left out.
    assert {row[1] for row in measured} - {"matrix products alone"} == {row[1] for row in shown}
    medians = re.findall(r"`ffn retrain iris[^|]*\| \*\*([\d.]+)\*\*", page)
    assert re.findall(r"([\d.]+) seconds", numbers) == medians
    scoring = page[page.index("<!-- scoring:") :]
    found = [row[-2] for row in table(scoring) if len(row) == 5 and "our CPU time" in row[2]]
    ratios = [row[2] for row in table(scoring_shown[scoring_shown.index("| rows |") :])]
    # The last is of many files, which that page leaves out.
    assert len(ratios) == 5
    assert ratios == found[:5]


def test_decisions_are_numbered_and_say_why() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert re.findall(r"^## (.*)", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
