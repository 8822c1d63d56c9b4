"""Who may import whom, and what no module may do. Each rule is first shown to catch an offender."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SHARED = {"ffn.storage.descriptors", "ffn.errors", "ffn.storage.atomic", "ffn.quantities"}
# Each may import those before it.
MODELS = [
    "ffn.settings",
    "ffn.bundles",
    "ffn.estimator",
    "ffn.evaluation",
    "ffn.training",
    "ffn.registry",
    "ffn.promotion",
    "ffn.models",
]
BELOW_MODELS = SHARED | {"ffn.tabular", "ffn.nn", "ffn.__version__"}
BELOW_SCORING = BELOW_MODELS | {*MODELS}
# What a package may import of ours besides itself; whatever is not listed here has no place yet.
MAY_IMPORT: dict[str, set[str]] = {
    "ffn.storage.descriptors": set(),
    "ffn.errors": set(),
    "ffn.quantities": set(),
    "ffn.storage.atomic": SHARED,
    "ffn.nn": set(),
    "ffn.tabular": SHARED,
    **{name: BELOW_MODELS | {*MODELS[:i]} for i, name in enumerate(MODELS)},
    "ffn.scoring": BELOW_SCORING,
    "ffn.reports": BELOW_SCORING | {"ffn.scoring"},
}
MAY_IMPORT["ffn"] = {"ffn.estimator", "ffn.scoring"}
MAY_IMPORT["flows"] = {"ffn", "flows"}  # whatever ffn has

UNPICKLERS = {"pickle", "_pickle", "cloudpickle", "dill", "joblib"}
UNPICKLING = {"load", "loads", "Unpickler"}


def imported(module: str, tree: ast.AST, *, package: bool = False) -> Iterator[str]:
    """Yield the dotted names a module imports anywhere, relative and dynamic ones included."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(names=names, level=level):
                above = module.split(".")[: len(module.split(".")) - level + package]
                start = [*(above if level else []), *(node.module or "").split(".")]
                source = ".".join(part for part in start if part)
                yield from (f"{source}.{alias.name}" for alias in names)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
                if name in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                    yield str(first.value)


def home(name: str) -> str:
    """Return the package of ours that a dotted name belongs to: ``ffn.nn``, ``flows``, ``ffn``."""
    parts = name.split(".")
    if (inner := ".".join(parts[:3])) in MAY_IMPORT and len(parts) > 2:
        return inner
    return name if name == "ffn" else ".".join(name.split(".")[: 1 + name.startswith("ffn.")])


def import_problems(module: str, source: str, *, package: bool = False) -> list[str]:
    """Return the imports of a module that the layers forbid."""
    here = home(module)
    if here not in MAY_IMPORT:
        return [f"{module}: has no layer; give it one in this test"]
    problems = []
    for name in imported(module, ast.parse(source), package=package):
        top = name.partition(".")[0]
        if here == "flows":
            allowed = top != "numpy"
        elif top in {"ffn", "flows"}:
            allowed = home(name) in MAY_IMPORT[here] | {here}
        elif here == "ffn.nn":
            allowed = top == "numpy" or top in sys.stdlib_module_names
        else:
            allowed = not top.startswith("prefect")
        if not allowed:
            problems.append(f"{module}: imports {name}")
    return problems


def pickle_problems(module: str, source: str, **_context: bool) -> list[str]:
    """Return the places where a module would run what a file holds."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    problems = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=attribute):
                owner = ast.unparse(value)
                called = f"{names.get(owner, owner)}.{attribute}"
            case ast.Name(id=name):
                called = names.get(name, name)
            case ast.keyword(arg="allow_pickle", value=value):
                trusts = not (isinstance(value, ast.Constant) and value.value is False)
                called = "numpy.allow_pickle" if trusts else ""
            case _:
                continue
        origin, _, what = called.rpartition(".")
        if (origin in UNPICKLERS and what in UNPICKLING) or what in {"read_pickle", "allow_pickle"}:
            problems.append(f"{module}:{node.lineno}: {called}")
    return problems


def docstring_problems(module: str, source: str, **_context: bool) -> list[str]:
    """Return what is public in a module and has no docstring: module, class, function, method."""

    def public(node: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
        if ast.get_docstring(node) is None:
            yield name
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                marks = [ast.unparse(mark) for mark in child.decorator_list]
                if child.name.startswith("_") or "overload" in marks:
                    continue
                if isinstance(child, ast.ClassDef):
                    yield from public(child, f"{name}.{child.name}")
                elif ast.get_docstring(child) is None:
                    yield f"{name}.{child.name}"

    return [f"{name}: no docstring" for name in public(ast.parse(source), module)]


def modules(repository: Path) -> Iterator[tuple[str, str, bool]]:
    """Yield name, source and "is a package" of each module of the product."""
    for folder in ("ffn", "flows"):
        for path in sorted((repository / folder).rglob("*.py")):
            parts = path.relative_to(repository).with_suffix("").parts
            package = parts[-1] == "__init__"
            yield ".".join(parts[:-1] if package else parts), path.read_text("utf-8"), package


@pytest.mark.parametrize("rule", [import_problems, pickle_problems, docstring_problems])
def test_every_module_keeps_the_rule(rule: Callable[..., list[str]], repository: Path) -> None:
    found = list(modules(repository))
    assert {"ffn", "ffn.nn.network", "ffn.tabular.schema", "flows"} <= {name for name, *_ in found}
    problems = [p for name, source, package in found for p in rule(name, source, package=package)]
    assert problems == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ffn.nn.losses", "import ffn.tabular.schema"),
        ("ffn.nn.losses", "from ffn.errors import DataError"),
        ("ffn.nn.losses", "from ..tabular import schema"),
        ("ffn.nn.losses", "def f():\n    import scipy.special"),
        ("ffn.nn.losses", "from sklearn.base import BaseEstimator"),
        ("ffn.tabular.training_table.splits", "from ffn.nn import network"),
        ("ffn.tabular.training_table.splits", "from ffn import nn"),
        (
            "ffn.tabular.training_table.splits",
            "import importlib\nimportlib.import_module('ffn.bundles.bundle')",
        ),
        ("ffn.bundles.bundle", "from ffn.scoring.model import load"),
        ("ffn.bundles.bundle", "from ffn import FFNClassifier"),
        ("ffn.scoring.model", "from ffn.reports import markdown"),
        ("ffn.reports.retraining_page", "import flows.cli.app"),
        ("ffn.errors", "from ffn.storage.atomic import write"),
        ("ffn.storage.atomic", "from ffn.models import bundle"),
        ("ffn.settings.document", "from ffn.training.fit import train_stack"),
        ("ffn.training.fit", "from ffn.promotion import gate"),
        ("ffn.registry.pointer", "from ffn.promotion.overview import Overview"),
        ("ffn.bundles.bundle", "import prefect"),
        ("ffn.reports.retraining_page", "def f():\n    from prefect_dask import DaskTaskRunner"),
        ("flows.tasks", "import numpy as np"),
        ("flows.tasks", "from numpy.typing import NDArray"),
        ("ffn.helpers", "import os"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(import_problems(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ffn.nn.losses", "import math\nimport numpy as np\nfrom .network import Network"),
        ("ffn.tabular.training_table.splits", "import numpy\nfrom ffn.errors import DataError"),
        (
            "ffn.bundles.bundle",
            "from ffn import __version__\nfrom ffn.nn.network import Network",
        ),
        ("ffn.scoring.model", "from ffn.tabular.schema import Schema"),
        ("ffn.reports.retraining_page", "from ffn.scoring import model\nimport matplotlib.pyplot"),
        ("flows.tasks", "import prefect\nfrom ffn.reports import markdown\nfrom . import settings"),
    ],
)
def test_an_allowed_import_is_not(module: str, source: str) -> None:
    assert import_problems(module, source) == []


def test_relative_imports_of_a_package_start_at_the_package() -> None:
    assert list(imported("ffn.nn", ast.parse("from .losses import f"), package=True)) == [
        "ffn.nn.losses.f"
    ]
    assert import_problems("ffn.nn", "from ..tabular import schema", package=True) == [
        "ffn.nn: imports ffn.tabular.schema"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(file)",
        "import pickle as p\np.loads(data)",
        "from pickle import Unpickler\nUnpickler(file)",
        "import joblib\njoblib.load(path)",
        "from joblib import load as read\nread(path)",
        "import pandas as pd\npd.read_pickle(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=trusted)",
    ],
)
def test_unpickling_is_found(source: str) -> None:
    assert len(pickle_problems("ffn.bundles.bundle", source)) == 1


def test_writing_for_notebooks_and_json_are_not_unpickling() -> None:
    source = (
        "import json, joblib, tomllib\nfrom ffn.scoring.model import load\n"
        "joblib.dump(model, path)\njson.load(file)\ntomllib.loads(text)\nload(path)\n"
        "np.load(path, allow_pickle=False)"
    )
    assert pickle_problems("ffn.models.export", source) == []


@pytest.mark.parametrize(
    ("source", "offender"),
    [
        ("x = 1", "m"),
        ('"""M."""\ndef f(): ...', "m.f"),
        ('"""M."""\nasync def f(): ...', "m.f"),
        ('"""M."""\nclass C: ...', "m.C"),
        ('"""M."""\nclass C:\n    """C."""\n    def f(self): ...', "m.C.f"),
    ],
)
def test_a_missing_docstring_is_found(source: str, offender: str) -> None:
    assert docstring_problems("m", source) == [f"{offender}: no docstring"]


def test_private_names_and_overloads_need_no_docstring() -> None:
    source = '"""M."""\ndef _f(): ...\nclass _C:\n    def g(self): ...\n@overload\ndef h(): ...'
    assert docstring_problems("m", source) == []
