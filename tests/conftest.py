"""What every test relies on: no display, no settings of the user, the same examples each time."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# What is imported and collected here lives until the end: to look through it for cycles again and
# again took a sixth of the collection.
gc.set_threshold(100_000, 20, 100)

# Two shared cores make single examples slow without a fault; a test must not fail by luck.
settings.register_profile("repeatable", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repeatable")

for name in [name for name in os.environ if name.startswith(("FFN_", "PREFECT_"))]:
    del os.environ[name]
os.environ["MPLBACKEND"] = "Agg"
# As the command has it. Set before anything imports NumPy: threads that share a few small products
# mostly wait, and wait computing, which took most of the time of some tests.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Set before anything imports Prefect: the tests neither read nor write the user's own Prefect.
_PREFECT_HOME = tempfile.TemporaryDirectory(prefix="ffn-tests-", ignore_cleanup_errors=True)
os.environ["PREFECT_HOME"] = _PREFECT_HOME.name
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"


# Files that take many seconds, in this order. Begun last, one of them would run alone at the end.
# One that mostly waits for servers comes before one that computes, and they share the processors.
LONGEST = (
    "flows/service/test_serving.py",
    "documents/test_pages_run.py",
    "flows/test_current_folder.py",
    "flows/cli/test_cli_init.py",
    "flows/test_prefect_flows.py",
    "flows/cli/test_cli_retrain.py",
    "flows/test_interruption.py",
    "test_wheel.py",
    "flows/cli/test_cli_watch.py",
    "estimator/test_classifier_checks.py",
    "flows/test_hostile_server.py",
    "flows/cli/test_cli_gate.py",
    "flows/server/test_guard.py",
    "scoring/test_parquet_bombs.py",
    "flows/cli/test_cli_score.py",
    "auditing/test_split_audit.py",
    "pipelines/test_api.py",
    "test_fuzz.py",
    "scoring/parallel/test_score_workers.py",
)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; all others keep their order."""
    here = Path(__file__).parent
    place = {name: number for number, name in enumerate(LONGEST)}
    names = {item.path: item.path.relative_to(here).as_posix() for item in items}
    items.sort(key=lambda item: place.get(names[item.path], len(LONGEST)))


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of the sight of the garbage collector.

    It stays until the end, and to look through it took 0.7 s in each full collection.
    """
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Remove Prefect's folder."""
    _PREFECT_HOME.cleanup()
