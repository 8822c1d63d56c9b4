"""Pictures are drawn in one style, whatever matplotlib is told in the current folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def drawn(folder: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


IMPORTANCE = """
import hashlib
from ffn.evaluation.importance import FeatureImportance, Importance
from ffn.evaluation.inference.statistics import Interval
from ffn.reports.pictures.feature_importance import feature_importance
figure = Interval(0.2, 0.1, 0.3)
feature = FeatureImportance(name="width", log_loss=figure, accuracy=figure)
found = Importance(features=(feature,), left_out=0, rows=30, repeats=5)
print(hashlib.sha256(feature_importance(found)).hexdigest())
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is drawn where matplotlib is told nothing."""
    return drawn(tmp_path_factory.mktemp("plain"), IMPORTANCE)


@pytest.mark.parametrize("setting", ["font.size: 30", "text.usetex: True", "lines.linewidth: 9"])
def test_a_matplotlibrc_in_the_current_folder_changes_no_picture(
    tmp_path: Path, setting: str, plain: str
) -> None:
    (tmp_path / "matplotlibrc").write_text(setting + "\n")
    assert drawn(tmp_path, IMPORTANCE) == plain
