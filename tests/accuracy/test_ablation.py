"""The table of what each part of the recipe is worth."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.accuracy.ablation import (
    CHANGES,
    RECIPE,
    Measured,
    ablation_table,
    learn_and_test,
)
from ffn.errors import SettingsError

QUICK = RECIPE | {"training.epochs": 12, "training.networks": 3}


@pytest.fixture(scope="module")
def split(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("ablation")
    rows = pd.read_csv(repository / "data/iris/train.csv").rename(columns={"species": "label"})
    rows = rows.sample(frac=1, random_state=0)
    paths = folder / "train.csv", folder / "test.csv"
    for path, part in zip(paths, (rows[:110], rows[110:]), strict=True):
        part.to_csv(path, index=False)
    return paths


def test_a_change_is_what_is_trained(split: tuple[Path, Path]) -> None:
    whole = learn_and_test(*split, QUICK)
    # Guessing three classes of equal size costs log 3 = 1.0986 nats.
    assert whole.log_loss < 1.0986
    assert whole.cpu > 0
    assert learn_and_test(*split, QUICK).log_loss == whole.log_loss
    for title in ("standardised numbers", "one of the networks", "layers 64-64"):
        assert learn_and_test(*split, QUICK | CHANGES[title]).log_loss != whole.log_loss


def test_a_setting_that_does_not_exist_is_refused(split: tuple[Path, Path]) -> None:
    with pytest.raises(SettingsError, match=r'unknown key "training\.drop"'):
        learn_and_test(*split, QUICK | {"training.drop": 0.1})


def test_the_mean_is_that_of_ratios_to_the_first_line() -> None:
    """By hand: half and twice the loss make a geometric mean of 1; 3 of 4 seconds."""
    found = {
        "whole": {"a": Measured(0.5, 1.0), "b": Measured(0.2, 3.0)},
        "less": {"a": Measured(0.25, 1.0), "b": Measured(0.4, 2.0)},
    }
    assert ablation_table(found).splitlines() == [
        "| change | a | b | mean | CPU |",
        "|---|--:|--:|--:|--:|",
        "| whole | 0.500 | 0.200 | 1.000 | 1.00 |",
        "| less | 0.250 | 0.400 | 1.000 | 0.75 |",
    ]


def test_the_page_has_every_change_in_order(repository: Path) -> None:
    page = (repository / "docs/recipe.md").read_text("utf-8")
    table = page[page.index("| change |") :]
    shown = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    assert shown[1 : 1 + len(CHANGES)] == list(CHANGES)
