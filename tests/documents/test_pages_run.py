"""Pages whose commands and code are run: what they show is what happens."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from docs.extensions.executed_page import Block, blocks, prepare, run_block, written

ROOT = Path(__file__).parents[2]
START = (ROOT / "docs/start/first-pipeline.md").read_text("utf-8")
PYTHON = [
    code
    for page in (
        "README.md",
        "docs/how-to/score-from-another-program.md",
        "docs/how-to/score-inside-an-engine.md",
    )
    for code in re.findall(
        r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
]
BLOCKS = blocks(START)


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout, in which the start page is worked through."""
    folder = tmp_path_factory.mktemp("checkout")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def printed(root: Path) -> list[str]:
    """What the commands of the start page print, block by block."""
    return [run_block(block.commands, root) for block in BLOCKS]


def shape(text: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each line without its figures and ruling, and its figures."""
    for line in text.splitlines():
        figures = re.findall(r"\d+\.\d+", line)
        words = re.sub(r"(< )?\d+\.\d+|[^\w\s.,:;()/%]", " ", line).split()
        yield " ".join(words), [float(figure) for figure in figures]


def test_the_start_page_leads_from_nothing_to_a_second_version() -> None:
    commands = [line for block in BLOCKS for line in block.commands.splitlines()]
    assert commands[0] == "make run"
    verbs = [line.split()[1] for line in commands if line.startswith("ffn ")]
    assert verbs == [
        "init",
        "retrain",
        "score",
        "retrain",
        "retrain",
        "promote",
        "rollback",
        "models",
    ]
    assert sum(block.shown is not None for block in BLOCKS) >= 8


@pytest.mark.parametrize("number", [n for n, block in enumerate(BLOCKS) if block.shown])
def test_the_output_shown_is_what_is_printed(number: int, printed: list[str]) -> None:
    shown = sorted(shape(BLOCKS[number].shown or ""))
    found = sorted(shape(printed[number]))
    assert [words for words, _ in found] == [words for words, _ in shown]
    # Another processor rounds otherwise, and 150 epochs make more of it.
    for (words, ours), (_, theirs) in zip(shown, found, strict=True):
        assert ours == pytest.approx(theirs, abs=0.05), words


def test_the_new_wines_are_labelled_rightly(printed: list[str], root: Path) -> None:
    from sklearn.datasets import load_wine

    assert printed
    labelled = pd.read_csv(root / "labelled.csv")
    truth = load_wine(as_frame=True).frame["target"].sample(frac=1, random_state=1)[150:]
    # The published accuracy of linear discriminants on these wines is 0.98 and more.
    assert (labelled["predicted_cultivar"].to_numpy() == truth.to_numpy()).mean() > 0.9


def tree(text: str) -> set[str]:
    """Return the files that an indented tree names, without what stands beside them."""
    folders: list[tuple[int, str]] = []
    files = set()
    for line in text.splitlines():
        name, depth = line.split()[0], len(line) - len(line.lstrip())
        folders = [(d, folder) for d, folder in folders if d < depth]
        if name.endswith("/"):
            folders.append((depth, name))
        else:
            files.add("".join(folder for _, folder in folders) + name)
    return files


def test_the_files_named_are_the_files_left(printed: list[str], root: Path) -> None:
    assert printed
    (named,) = fenced((ROOT / "docs/reference/files.md").read_text("utf-8"), "text")
    left = {
        path.relative_to(root).as_posix()
        for path in (root / "artifacts" / "iris").rglob("[!.]*")
        # What the cache holds is in no list: it is made again at need.
        if path.is_file() and "cache" not in path.relative_to(root).parts
    }
    assert (root / "artifacts" / "iris" / "cache").is_dir()
    assert "\n  cache/ " in named
    assert tree(named) == left


def test_the_files_of_the_architecture_are_among_them(printed: list[str], root: Path) -> None:
    assert printed
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    section = re.split(r"^## Files of a pipeline\n", page, flags=re.MULTILINE)[1].split("\n#")[0]
    named = tree("\n".join(re.findall(r"^    (.*)", section, re.MULTILINE)))
    assert len(named) > 7
    assert all((root / name).is_file() for name in named)


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_the_python_shown_runs(
    number: int, printed: list[str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed
    monkeypatch.chdir(root)
    exec(compile(PYTHON[number], f"page, {number}", "exec"), {})


def test_the_python_of_the_scoring_page_runs(
    printed: list[str], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed
    monkeypatch.chdir(root)
    shutil.copy("data/iris/inbox/new_flowers.csv", root)
    (code,) = fenced((ROOT / "docs/scoring.md").read_text("utf-8"), "python")
    names = {"frame": pd.read_csv("new_flowers.csv")}
    exec(compile(code, "docs/scoring.md", "exec"), names)
    assert (root / "labelled.csv").is_file()


def test_the_rejects_shown_are_those_of_such_a_file(printed: list[str], root: Path) -> None:
    assert printed
    page = (ROOT / "docs/how-to/debug-a-rejected-file.md").read_text("utf-8")
    (shown,) = fenced(page, "text")
    lines = (root / "data/iris/inbox/new_flowers.csv").read_text().splitlines()
    names = lines[0].split(",")
    for line, name, value in ((4, "petal_width", "broad"), (7, "petal_length", "")):
        cells = lines[line].split(",")
        cells[names.index(name)] = value
        lines[line] = ",".join(cells)
    (root / "march.csv").write_text("\n".join(lines) + "\n")
    run_block("ffn score iris march.csv --direct --output rejected.csv", root)
    assert (root / "rejected.csv.rejects.csv").read_text("utf-8") == shown
    with pytest.raises(RuntimeError, match=r"2 of 12 rows"):
        run_block("ffn score iris march.csv --direct --max-reject-rate 0.01", root)


def test_the_container_is_built_of_files_that_are_there_by_the_commands_of_make() -> None:
    recipe = (ROOT / "container/Dockerfile").read_text("utf-8")
    page = (ROOT / "docs/how-to/run-in-a-container.md").read_text("utf-8")
    assert "docker build --file container/Dockerfile --tag ffn ." in page
    copied = [line.split()[1:-1] for line in recipe.splitlines() if line.startswith("COPY ")]
    names = {name for names in copied for name in names}
    assert {"pyproject.toml", "requirements.txt", "ffn", "flows"} <= names
    assert all((ROOT / name).exists() for name in names - {"--from=built", "/opt/ffn"})
    # What pyproject.toml names, the build reads.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {project["readme"], *project["license-files"]} <= names
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert (
        'install --no-cache-dir --require-hashes --no-deps --requirement "$REQUIREMENTS"' in recipe
    )
    assert "install --require-hashes --no-deps --requirement requirements.txt" in makefile


def test_outputs_are_written_below_their_commands() -> None:
    text = (
        "a\n```sh\necho 1\n```\n\n```text\n0\n```\nb\n\n```sh\ntrue\n```\n\nc\n\n```text\nx\n```\n"
    )
    assert blocks(text) == [Block("echo 1\n", "0\n"), Block("true\n", None)]
    assert written(text, ["1\n", ""]) == text.replace("\n0\n", "\n1\n")


def test_a_command_that_fails_ends_its_block(tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(RuntimeError, match=r'no pipeline "nobody"|nobody'):
        run_block("ffn models nobody\necho never", tmp_path)
    assert run_block(". .venv/bin/activate\npwd; date +'%F %R'", tmp_path) == (
        "/path/to\n2026-03-01 04:00\n"
    )
