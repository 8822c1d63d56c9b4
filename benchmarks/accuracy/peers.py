"""The sides: what each is called, which package it is of, and which code runs it."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

__all__ = ["OURS", "SIDES", "Side", "sides_named"]

OURS = "ours"
_ROOT = Path(__file__).parents[2]
_SIDES = Path(__file__).parent / "sides"


@dataclass(frozen=True)
class Side:
    """A library, or one of its models.

    Attributes
    ----------
    name
        As on the command line.
    title
        As on the page.
    package
        As pip knows it.
    module
        As Python imports it.
    program
        File in ``sides`` with the function of this name.
    slow
        It takes minutes a table: its turn comes after all others.
    """

    name: str
    title: str
    package: str
    module: str
    program: str
    slow: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can run here."""
        return find_spec(self.module) is not None

    @cached_property
    def version(self) -> str:
        """Package and version."""
        return f"{self.package} {importlib.metadata.version(self.package)}"

    @cached_property
    def code(self) -> str:
        """Digest of what runs it; of ours also of all that `ffn` does."""
        files = [_SIDES / "rows.py", _SIDES / self.program]
        if self.name == OURS:
            files = [_SIDES / self.program, *_python("ffn"), *_python("flows")]
        digest = hashlib.sha256()
        for path in files:
            digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:16]


def _python(folder: str) -> Iterable[Path]:
    return sorted((_ROOT / folder).rglob("*.py"))


SIDES = (
    Side(OURS, "ours", "ffn-pipeline", "ffn", "ours.py"),
    Side("lightgbm", "LightGBM", "lightgbm", "lightgbm", "trees.py"),
    Side("hist_gradient_boosting", "HistGradientBoosting", "scikit-learn", "sklearn", "trees.py"),
    Side(
        "logistic_regression",
        "logistic regression",
        "scikit-learn",
        "sklearn",
        "scikit_learn_pipelines.py",
    ),
    Side("mlp", "scikit-learn MLP", "scikit-learn", "sklearn", "scikit_learn_pipelines.py"),
    Side("catboost", "CatBoost", "catboost", "catboost", "trees.py"),
    Side(
        *("realmlp_for_log_loss", "RealMLP-TD for log-loss", "pytabkit", "pytabkit"),
        program="pytabkit_networks.py",
        slow=True,
    ),
    Side(
        *("tabm_for_log_loss", "TabM-D for log-loss", "pytabkit", "pytabkit"),
        program="pytabkit_networks.py",
        slow=True,
    ),
    Side("realmlp", "RealMLP-TD", "pytabkit", "pytabkit", "pytabkit_networks.py", slow=True),
    Side("tabm", "TabM-D", "pytabkit", "pytabkit", "pytabkit_networks.py", slow=True),
)
"""All sides, the quicker first."""


def sides_named(names: list[str] | None) -> tuple[Side, ...]:
    """Return the sides of these names, by default all.

    Raises
    ------
    ValueError
        There is no side of that name.
    """
    known = {side.name: side for side in SIDES}
    for name in names or []:
        if name not in known:
            raise ValueError(f'there is no peer "{name}"; there are {", ".join(known)}')
    return tuple(side for side in SIDES if names is None or side.name in names)
