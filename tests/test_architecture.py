"""Who may import whom, and what no module may do. Each rule is first shown to catch an offender."""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

# From below: a module may import from its own package and from those before it.
LAYERS = [
    "ffn.storage",
    "ffn.object_stores",
    "ffn.tabular",
    "ffn.tabular.dates",
    "ffn.tabular.csv.parsing",
    "ffn.tabular.csv",
    "ffn.tabular.parquet",
    "ffn.tabular.columns",
    "ffn.tabular.encodings",
    "ffn.tabular.text_encoding",
    "ffn.tabular.splitting",
    "ffn.tabular.weighting",
    "ffn.tabular.seasonal",
    "ffn.tabular.training_table",
    "ffn.tabular.memory",
    "ffn.tabular.ingestion",
    "ffn.databases",
    "ffn.nn",
    "ffn.distillation",
    "ffn.settings",
    "ffn.search",
    "ffn.extraction",
    "ffn.decision_rules",
    "ffn.bundles",
    "ffn.attribution",
    "ffn.estimator",
    "ffn.evaluation.inference",
    "ffn.evaluation",
    "ffn.slices",
    "ffn.criteria",
    "ffn.leakage",
    "ffn.training",
    "ffn.racing",
    "ffn.conformal",
    "ffn.auditing",
    "ffn.lineage",
    "ffn.registry",
    "ffn.mirroring",
    "ffn.checkpoints",
    "ffn.watching",
    "ffn.promotion",
    "ffn.durations",
    "ffn.profiling",
    "ffn.scoring.rows",
    "ffn.scoring.drift",
    "ffn.scoring.output",
    "ffn.scoring.columnar",
    "ffn.scoring.parallel",
    "ffn.scoring",
    "ffn.scoring.inbox",
    "ffn.scoring.partitioned",
    "ffn.monitoring.record",
    "ffn.shadow",
    "ffn.training_history",
    "ffn.monitoring",
    "ffn.reports.markup",
    "ffn.reports.pictures",
    "ffn.reports",
    "ffn.pipelines",
    "ffn.clusters",
    "ffn.cluster_scoring",
    "ffn.backtesting",
    "ffn.reproduction",
    "ffn.capacity",
    "flows",
    "flows.server",
    "flows.service",
    "flows.cli.display",
    "flows.cli.commands",
    "flows.cli",
]
# Modules outside a package: the first import nothing of ours and serve all but the network,
# the others are entrances, which nothing imports.
FOUNDATION = {
    "ffn.blas_threads",
    "ffn.errors",
    "ffn.extras",
    "ffn.interpreter",
    "ffn.machine_memory",
    "ffn.quantities",
    "ffn.version",
}
ENTRANCES = {"ffn", "flows.__main__"}
MOST_MODULES = 14
# Every command is a module that is called like its verb, with an `add` and a `run`.
VERBS = "flows.cli.commands"
# Public functions that share a name, each with why they do.
SAME_NAME = {
    "evaluate": "the held-out rows of a retraining, and `ffn.evaluate`: labels that came later",
    "evaluate_outcomes": "as a flow, and as a process that runs the flow",
    "main": "the entrance of a process",
    "load": "a pipeline's training data, and a model: `ffn.load` is the public name of the second",
    "retrain": "the whole of it in this process, as a flow, and as a process that runs the flow",
    "score": "likewise",
    "score_inbox": "likewise",
    "train": "the networks of a stack, as a step of a pipeline, and as a Prefect task",
}

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
    """Return the package that a dotted name belongs to: the longest one that is known."""
    if name in FOUNDATION | ENTRANCES:
        return name
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in {*LAYERS, *FOUNDATION}), parts[0])


def may_import(here: str, name: str) -> bool:
    """Say whether a module of the package ``here`` may import ``name``."""
    top = name.partition(".")[0]
    if here == "ffn.nn" and top not in {"ffn", "flows"}:
        return top == "numpy" or top in sys.stdlib_module_names
    if top == "prefect" or top.startswith("prefect_"):
        return here.startswith("flows")
    if top == "numpy":
        return not here.startswith("flows")
    if top not in {"ffn", "flows"} or here in ENTRANCES:
        return True
    there = home(name)
    if there in FOUNDATION:
        return here != "ffn.nn"
    if there not in LAYERS or here in FOUNDATION:
        return False
    if here == "ffn.nn":
        return there == here
    return LAYERS.index(there) <= LAYERS.index(here)


def import_problems(module: str, source: str, *, package: bool = False) -> list[str]:
    """Return the imports of a module that the layers forbid."""
    here = module if package and module in LAYERS else home(module)
    if here not in {*LAYERS, *FOUNDATION, *ENTRANCES} or (here == "ffn" and module != "ffn"):
        return [f"{module}: has no layer; give it one in this test"]
    found = imported(module, ast.parse(source), package=package)
    return [f"{module}: imports {name}" for name in found if not may_import(here, name)]


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


def test_no_folder_holds_more_modules_than_a_reader_can_keep(repository: Path) -> None:
    folders = Counter(
        path.parent.relative_to(repository).as_posix()
        for top in ("ffn", "flows")
        for path in (repository / top).rglob("*.py")
        if path.name != "__init__.py"
    )
    assert folders["ffn/tabular/csv"] > 5
    assert {folder: count for folder, count in folders.items() if count > MOST_MODULES} == {}


def homonyms(found: Iterable[tuple[str, str, bool]]) -> dict[str, list[str]]:
    """Return names that two modules, public classes or public functions have, with their places."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, source, package in found:
        name = module.rpartition(".")[2]
        if not package and not module.startswith(VERBS) and module not in ENTRANCES:
            places[f"module {name}"].append(module)
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[f"class {node.name}"].append(module)
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and not node.name.startswith("_") and not module.startswith(VERBS):
                places[f"function {node.name}"].append(module)
    return {name: where for name, where in places.items() if len(where) > 1}


def test_no_two_modules_classes_or_functions_share_a_name(repository: Path) -> None:
    shared = homonyms(modules(repository))
    # A name that is not shared any more goes from the list.
    assert set(shared) == {f"function {name}" for name in SAME_NAME}


def test_homonyms_are_found() -> None:
    found = [
        ("ffn.a.journal", "class Entry: ...\nclass _Row: ...\ndef note(): ...", False),
        ("ffn.b.journal", "class Entry: ...\nclass _Row: ...\nasync def note(): ...", False),
        ("ffn.b", "class Journal: ...\ndef _note(): ...", True),
        ("flows.cli.commands.note", "def add(): ...", False),
        ("flows.cli.commands.entry", "def add(): ...", False),
    ]
    both = ["ffn.a.journal", "ffn.b.journal"]
    assert homonyms(found) == {
        "module journal": both,
        "class Entry": both,
        "function note": both,
    }


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ffn.nn.losses", "import ffn.tabular.schema"),
        ("ffn.nn.losses", "from ffn.errors import DataError"),
        ("ffn.nn.losses", "from ..tabular import schema"),
        ("ffn.nn.losses", "def f():\n    import scipy.special"),
        ("ffn.nn.losses", "from sklearn.base import BaseEstimator"),
        ("ffn.tabular.splitting.by_content", "from ffn.nn import network"),
        ("ffn.tabular.cells", "from ffn import nn"),
        ("ffn.tabular.cells", "from ffn.tabular.csv.reader import Records"),
        ("ffn.tabular.cells", "import importlib\nimportlib.import_module('ffn.bundles.bundle')"),
        ("ffn.bundles.bundle", "from ffn.scoring.model import load"),
        ("ffn.bundles.bundle", "from ffn import FFNClassifier"),
        ("ffn.scoring.model", "from ffn.reports import model_card"),
        ("ffn.scoring.rows.tally", "from ffn.scoring.model import load"),
        ("ffn.reports.model_card", "import flows.cli"),
        ("ffn.errors", "from ffn.storage.atomic import write_bytes"),
        ("ffn.storage.atomic", "from ffn.bundles import bundle"),
        ("ffn.settings.document", "from ffn.training.fit import train_stack"),
        ("ffn.training.fit", "from ffn.promotion import gate"),
        ("ffn.registry.pointer", "from ffn.promotion.overview import Overview"),
        ("ffn.pipelines.retraining", "from flows import tasks"),
        ("ffn.bundles.bundle", "import prefect"),
        ("ffn.reports.model_card", "def f():\n    from prefect_dask import DaskTaskRunner"),
        ("flows.tasks", "import numpy as np"),
        ("flows.tasks", "from numpy.typing import NDArray"),
        ("flows.tasks", "from flows.cli import app"),
        ("ffn.helpers", "import os"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    assert len(import_problems(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("ffn.nn.losses", "import math\nimport numpy as np\nfrom .network import Network"),
        ("ffn.tabular.splitting.by_content", "import numpy\nfrom ffn.errors import DataError"),
        ("ffn.registry.provenance", "from ffn.version import __version__"),
        ("ffn.bundles.bundle", "from ffn.nn.network import Network"),
        ("ffn.scoring.model", "from ffn.tabular.schema import Schema"),
        ("ffn.reports.model_card", "from ffn.scoring import model\nimport matplotlib.pyplot"),
        ("flows.tasks", "import prefect\nfrom ffn.pipelines import retraining"),
        ("flows.tasks", "from . import artifacts"),
        ("flows.__main__", "from flows.cli import app"),
        ("ffn", "from ffn.pipelines import retraining"),
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
