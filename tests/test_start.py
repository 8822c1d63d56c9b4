"""What a process loads when it starts, and what it leaves at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ffn.bundles.bundle import write_bundle
from ffn.interpreter import fresh
from tests.helpers.bundles import make


def loaded_by(statement: str, repository: Path) -> set[str]:
    """Return the top-level modules that a statement brings into a fresh interpreter."""
    code = (
        "import sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_network_loads_numpy_alone(repository: Path) -> None:
    loaded = loaded_by("import ffn.nn", repository)
    assert {"ffn", "numpy"} <= loaded
    assert loaded - set(sys.stdlib_module_names) - {"ffn", "numpy"} == set()


def test_the_command_line_starts_without_prefect(repository: Path) -> None:
    loaded = loaded_by("import flows.cli.app", repository)
    assert "flows" in loaded
    assert not {name for name in loaded if name.startswith("prefect")}


def test_an_installation_from_the_sources_is_a_plain_path(repository: Path) -> None:
    code = "import sys; print(*(name for name in sys.modules if 'editable' in name))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_a_few_rows_are_scored_without_the_libraries_of_training(repository: Path) -> None:
    loaded = loaded_by(
        "import flows.cli.app, ffn.pipelines.batch_scoring, flows.cli.display.summary, "
        "ffn.scoring.canary",
        repository,
    )
    assert {"ffn", "numpy", "pydantic"} <= loaded
    assert loaded & {"matplotlib", "pandas", "prefect", "pyarrow", "scipy", "sklearn"} == set()


def test_a_folder_with_a_model_is_loaded_without_what_reads_settings(
    repository: Path, tmp_path: Path
) -> None:
    write_bundle(make(), tmp_path)
    loaded = loaded_by(f"import ffn; ffn.load({str(tmp_path)!r})", repository)
    assert {"ffn", "numpy"} <= loaded
    assert loaded & {"pandas", "pydantic", "scipy", "sklearn"} == set()


def test_a_worker_of_a_cluster_scores_without_the_libraries_of_training(repository: Path) -> None:
    loaded = loaded_by("import ffn.cluster_scoring.part_answers", repository)
    assert {"ffn", "numpy"} <= loaded
    assert loaded & {"matplotlib", "pandas", "prefect", "pyarrow", "scipy", "sklearn"} == set()


def test_a_run_that_finds_nothing_to_do_does_not_load_scikit_learn(repository: Path) -> None:
    loaded = loaded_by(
        "import flows.cli.app, ffn.pipelines.retraining, ffn.monitoring.evaluate_outcome",
        repository,
    )
    assert {"ffn", "numpy"} <= loaded
    assert loaded & {"joblib", "matplotlib", "pandas", "prefect", "sklearn"} == set()


def test_versions_are_shown_without_the_libraries_of_training(repository: Path) -> None:
    loaded = loaded_by(
        "import flows.cli.app, ffn.promotion.overview, ffn.reports.status_page\n"
        "import flows.cli.display.version_tables",
        repository,
    )
    assert {"ffn", "numpy", "pydantic"} <= loaded
    assert loaded & {"joblib", "matplotlib", "pandas", "prefect", "scipy", "sklearn"} == set()


def test_a_run_that_scores_loads_neither_the_libraries_of_training_nor_a_server(
    repository: Path,
) -> None:
    loaded = loaded_by("import flows.inbox_flow, flows.score_flow", repository)
    assert {"ffn", "numpy", "prefect"} <= loaded
    assert loaded & {"matplotlib", "pandas", "scipy", "sklearn", "sqlalchemy"} == set()


def test_a_command_does_not_search_what_it_loaded_for_garbage(repository: Path) -> None:
    # Registered first, so it runs after everything else.
    code = (
        "import atexit, gc, sys\n"
        "seen = lambda: (gc.get_freeze_count(), gc.get_threshold()[0])\n"
        "atexit.register(lambda: print(*(count > 10_000 for count in seen())))\n"
        "from flows.__main__ import run\n"
        "sys.argv = ['ffn', '--help']\n"
        "sys.exit(run())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True True"


def test_a_process_that_is_started_does_not_either(tmp_path: Path) -> None:
    code = "import atexit, gc\natexit.register(lambda: print(gc.get_threshold()[0] > 10_000))\n"
    (tmp_path / "told.py").write_text(code)
    done = subprocess.run(
        fresh("told"),
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_a_command_has_no_threads_for_products_which_take_one(repository: Path) -> None:
    code = (
        "import atexit, os, sys\n"
        "def tell():\n"
        "    import numpy\n"
        "    print(len(os.listdir('/proc/self/task')))\n"
        "atexit.register(tell)\n"
        "from flows.__main__ import run\n"
        "sys.argv = ['ffn', '--help']\n"
        "sys.exit(run())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1"
