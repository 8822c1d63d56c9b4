"""docs/network.md: its examples run, its excerpts are the code, and its lists are complete."""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ffn.nn
from ffn.nn.optimizers import OPTIMIZERS

PAGE = (Path(__file__).parents[2] / "docs" / "network.md").read_text(encoding="utf-8")
FOLDER = Path(ffn.nn.__file__).parent


def run(names: dict[str, object], code: str) -> list[str]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/network.md", "exec"), names)
    return printed.getvalue().splitlines()


def blocks() -> list[str]:
    """Return the page's Python, block by block."""
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_examples_run_and_the_networks_learn() -> None:
    alone, _, _, stacked, rates, tuning, regularised, distilled = blocks()
    names: dict[str, object] = {}
    first, last = map(float, run(names, alone)[0].split())
    assert last < 0.1 * first

    assert [line.split()[0] for line in run(names, stacked)] == ["1", "10", "100"]
    history, network = names["history"], names["network"]
    assert isinstance(history, ffn.nn.History)
    assert (history.train_accuracy[-1] > 0.9).all()
    assert (history.train_accuracy[0] < 0.9).all()
    learnt = network

    printed = [tuple(map(float, line.split())) for line in run(names, rates)]
    assert [rate for rate, _ in printed] == [0.1, 0.01, 0.001, 0.0001]
    # The lowest rate has hardly begun to learn when the others are done.
    assert printed[-1][1] > 2 * max(loss for _, loss in printed[:2])
    names["network"] = network = learnt

    frozen_part = tuning.replace("((0.01, [0]), (0.001, []))", "((0.01, [0]),)")
    assert frozen_part != tuning
    run(names, frozen_part)
    tuned = names["tuned"]
    assert isinstance(tuned, ffn.nn.Network)
    assert isinstance(network, ffn.nn.Network)
    assert_array_equal(tuned.layers[0], network.layers[0])

    run(names, tuning)
    history, tuned = names["history"], names["tuned"]
    assert isinstance(history, ffn.nn.History)
    assert isinstance(tuned, ffn.nn.Network)
    assert (history.train_accuracy[-1] > 0.8).all()
    assert not np.array_equal(tuned.layers[0], network.layers[0])

    printed = run(names, regularised)[0]
    plain, smooth = map(float, printed.strip("[]").split())
    assert smooth < plain
    assert (names["history"].train_accuracy[-1] > 0.9).all()  # type: ignore[attr-defined]

    # Answers that know nothing of the teacher's would be some 0.37 away.
    assert float(run(names, distilled)[0]) < 0.05


@pytest.mark.parametrize("number", [1, 2])
def test_excerpts_are_lines_of_the_reference(number: int) -> None:
    excerpt = textwrap.indent(blocks()[number], "    ")
    assert excerpt in (FOLDER / "reference.py").read_text(encoding="utf-8")


def test_the_reference_comes_first_and_is_as_short_as_the_page_says() -> None:
    assert re.findall(r"`([\w/]+\.py)`", PAGE)[0] == "ffn/nn/reference.py"
    assert len((FOLDER / "reference.py").read_text(encoding="utf-8").splitlines()) <= 130


def test_every_optimizer_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \| `", PAGE, flags=re.MULTILINE) == list(OPTIMIZERS)


def test_every_file_is_in_the_list() -> None:
    listed = re.findall(r"^\| `([\w/]+\.py)` \|", PAGE, flags=re.MULTILINE)
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py")}
    assert sorted(listed) == sorted(file for file in files if not file.endswith("__init__.py"))


def test_the_paths_it_names_exist() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (Path(__file__).parents[2] / path).exists(), path
