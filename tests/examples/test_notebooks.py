"""Notebooks hold what chapters and examples hold, and run."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.course.page import CHAPTERS, chapters
from examples.notebooks.cells import Cell, notebook_bytes, read_code, with_links
from examples.notebooks.sources import EXAMPLES, all_notebooks, chapter_cells, percent_cells

ROOT = EXAMPLES.parent
FOLDER = ROOT / "build/notebooks"
each_chapter = pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name[:2])


@each_chapter
def test_a_chapters_cells_of_code_are_its_blocks(chapter) -> None:
    # Those blocks are run, and what they print is compared with the page, in tests/course.
    _, *code = read_code(notebook_bytes(chapter_cells(chapter), FOLDER))
    assert code == [block.rstrip("\n") for block in chapter.code]


@each_chapter
def test_a_chapters_prose_is_all_that_is_neither_code_nor_printed(chapter) -> None:
    left = chapter.text
    for block in reversed(chapter.blocks):
        if block.kind != "excerpt":
            fence = left.rindex("```", 0, block.start)
            left = left[:fence] + left[block.end :]
    prose = "".join(cell.source for cell in chapter_cells(chapter) if cell.kind == "markdown")
    assert "".join(prose.split()).replace(".ipynb)", ".md)") == "".join(left.split())


@each_chapter
def test_a_chapters_picture_is_in_its_notebook_and_its_links_lead_somewhere(chapter) -> None:
    cells = json.loads(notebook_bytes(chapter_cells(chapter), FOLDER))["cells"]
    pictures = [one for cell in cells for one in cell.get("attachments", {}).items()]
    ((name, picture),) = pictures
    assert base64.b64decode(picture["image/png"]) == (CHAPTERS / "images" / name).read_bytes()
    prose = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert f"](attachment:{name})" in prose
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", prose, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s#]+)", prose)
    assert len(links) >= 3
    for link in links:
        # Another chapter is a notebook beside this one.
        other = CHAPTERS / link.replace(".ipynb", ".md")
        outside = link.startswith(("attachment:", "https://"))
        assert outside or other.exists() or (FOLDER / link).exists(), link


def test_a_notebook_finds_the_repository_from_its_own_folder(tmp_path: Path) -> None:
    (chapter,) = (one for one in chapters() if one.name.startswith("04"))
    below = ROOT / "build/notebooks"
    below.mkdir(parents=True, exist_ok=True)
    code = read_code(notebook_bytes(chapter_cells(chapter), below))
    script = tmp_path / "cells.py"
    script.write_text("\n".join(code))
    done = subprocess.run(
        [sys.executable, "-I", script],
        cwd=below,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(chapter.shown())


def test_the_command_writes_every_notebook(repository: Path) -> None:
    command = [sys.executable, "-m", "examples.notebooks"]
    folder = repository / "build/notebooks of a test"
    done = subprocess.run(
        [*command, "--to", folder], cwd=repository, capture_output=True, text=True, check=False
    )
    try:
        assert (done.returncode, done.stderr) == (0, "")
        written = {path.stem: path for path in folder.iterdir()}
        assert done.stdout.split("\n")[:-1] == [str(written[name]) for name in all_notebooks()]
        assert len(written) >= 10
        for name, cells in all_notebooks().items():
            assert written[name].read_bytes() == notebook_bytes(cells, folder)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    elsewhere = subprocess.run(
        [*command, "--to", "/"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert elsewhere.returncode == 1
    assert elsewhere.stderr == (
        f"/ is not in {repository}, where the notebooks find their modules and data. Choose a "
        "folder in it.\n"
    )


def test_a_script_becomes_cells_as_editors_read_it() -> None:
    script = '"""A docstring."""\n\n# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\na = 1\n\n\n'
    script += "def f():\n    return a  # %% no cell\n\n\n# %%\nprint(f())\n"
    assert percent_cells(script) == [
        Cell("markdown", "# Title\n\nText.", EXAMPLES),
        Cell("code", "a = 1\n\n\ndef f():\n    return a  # %% no cell"),
        Cell("code", "print(f())"),
    ]
    with pytest.raises(ValueError, match="not a comment in a Markdown cell: 'a = 1'"):
        percent_cells("# %% [markdown]\n# Text\na = 1\n")


def test_links_are_moved_and_addresses_stay() -> None:
    text = "[a](../README.md#x), [b](https://x.org/a.md), `d[0](x)`, [c](#here), [d](nowhere.md)"
    moved, attached = with_links(Cell("markdown", text, ROOT / "docs"), ROOT / "build/one")
    assert moved == text.replace("../README.md", "../../README.md")
    assert attached == {}


def test_a_notebook_is_what_jupyters_format_asks_for() -> None:
    # https://nbformat.readthedocs.io, 4.5: these keys are required, cells have unique ids.
    document = json.loads(notebook_bytes([Cell("markdown", "a\nb"), Cell("code", "1")], FOLDER))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert set(document) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    _, prose, code = document["cells"]
    assert prose == {
        "cell_type": "markdown",
        "id": "cell-1",
        "metadata": {},
        "source": ["a\n", "b"],
    }
    assert set(code) == {
        "cell_type",
        "execution_count",
        "id",
        "metadata",
        "outputs",
        "source",
    }
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids)
