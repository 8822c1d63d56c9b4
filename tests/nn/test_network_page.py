"""docs/network.md: its example runs, and its lists are complete."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import ffn.nn
from ffn.nn.optimizers import OPTIMIZERS

PAGE = (Path(__file__).parents[2] / "docs" / "network.md").read_text(encoding="utf-8")
FOLDER = Path(ffn.nn.__file__).parent


def test_the_example_runs_and_the_networks_learn() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    printed = io.StringIO()
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/network.md", "exec"), names)
    assert [line.split()[0] for line in printed.getvalue().splitlines()] == ["1", "10", "100"]
    history = names["history"]
    assert isinstance(history, ffn.nn.History)
    assert (history.train_accuracy[-1] > 0.9).all()
    assert (history.train_accuracy[0] < 0.9).all()


def test_every_optimizer_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \| `", PAGE, flags=re.MULTILINE) == list(OPTIMIZERS)


def test_every_file_is_on_the_map() -> None:
    on_the_map = set(re.findall(r"`(\w+\.py)`", PAGE))
    assert on_the_map == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}


def test_the_paths_it_names_exist() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", PAGE):
        assert (Path(__file__).parents[2] / path).exists(), path
