"""docs/network.md: its example runs, and its lists are complete."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
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


def test_the_examples_run_and_the_networks_learn() -> None:
    first, tuning = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {}
    assert [line.split()[0] for line in run(names, first)] == ["1", "10", "100"]
    history, network = names["history"], names["network"]
    assert isinstance(history, ffn.nn.History)
    assert (history.train_accuracy[-1] > 0.9).all()
    assert (history.train_accuracy[0] < 0.9).all()

    frozen_part = tuning.replace("((0.01, [0]), (0.001, []))", "((0.01, [0]),)")
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


def test_every_optimizer_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \| `", PAGE, flags=re.MULTILINE) == list(OPTIMIZERS)


def test_every_file_is_on_the_map() -> None:
    on_the_map = set(re.findall(r"`(\w+\.py)`", PAGE))
    assert on_the_map == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}


def test_the_paths_it_names_exist() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (Path(__file__).parents[2] / path).exists(), path
