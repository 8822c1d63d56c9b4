"""Nothing of the current folder is run or believed, whatever its files are called."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.command_line import environment
from tests.helpers.prefect_home import started_before
from tests.helpers.service import free_port, processes, quicken
from tests.helpers.waiting import LAST_RESORT, wait_for

COMMAND = Path(sys.executable).parent / "ffn"
EVIL = "http://127.0.0.1:9/api"
MODULE = """import os
with open(os.environ["MARKER"], "a") as marker:
    marker.write(__file__ + "\\n")
raise ImportError("hostile")
"""


def names():
    """What Python and everything installed here calls its modules."""
    installed = importlib.metadata.packages_distributions()
    found = {*sys.stdlib_module_names, *installed, "sitecustomize", "usercustomize", "ffn", "flows"}
    return sorted(name for name in found if name.isidentifier())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder full of modules that leave a mark when they are run, and of settings."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in names():
        (folder / f"{name}.py").write_text(MODULE)
    (folder / ".env").write_text(f"PREFECT_API_URL={EVIL}\nPREFECT_PROFILES_PATH=evil.toml\n")
    (folder / "prefect.toml").write_text(f'[api]\nurl = "{EVIL}"\n')
    (folder / "pyproject.toml").write_text(f'[tool.prefect.api]\nurl = "{EVIL}"\n')
    (folder / "evil.toml").write_text(
        f'active = "evil"\n[profiles.evil]\nPREFECT_API_URL = "{EVIL}"\n'
    )
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory, repository):
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(repository / "data", home / "root/data")
    # The first start of a server is that of a retraining below, the service's is its second.
    started_before(home / "root/artifacts/.serve")
    quicken(home / "root", '[inbox]\nlook_every = "1s"\nsettle = "1s"\n')
    return home


@pytest.fixture
def variables(home, hostile, tmp_path):
    own = environment(home, MARKER=str(tmp_path / "marker"), FFN_ROOT=str(home / "root"))
    # What the path names is the user's own choice; here it names nothing.
    del own["PYTHONPATH"]
    return own


@pytest.fixture
def ran(tmp_path):
    """Return which of the hostile files were run."""
    marker = tmp_path / "marker"
    return lambda: marker.read_text().splitlines() if marker.exists() else []


def test_the_marks_are_left_where_a_folder_is_trusted(hostile, variables, ran):
    """``python -m`` is what must not be used: it runs what lies in the folder."""
    subprocess.run(
        [sys.executable, "-m", "json.tool"], cwd=hostile, env=variables, capture_output=True
    )
    assert ran()


FLOWERS = "root/data/iris/inbox/new_flowers.csv"


# In this order: each leaves what the next one needs.
@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "flowers", "--from", "root/data/iris/train.csv", "--target", "species"],
        ["retrain", "iris", "--direct"],
        ["retrain", "iris", "--force", "--runner", "process", "--workers", "1"],
        ["score", "iris", "--new", "--direct"],
        ["score", "iris", "root/data/iris/inbox", "--direct", "--workers", "2", "--force"],
        ["models", "iris"],
        ["compare", "iris", "1", "2"],
        ["promote", "iris", "2", "--reason", "a test"],
        ["rollback", "iris"],
        ["verify", "iris"],
        ["status"],
        ["serve", "--check"],
        ["prune", "iris", "--keep", "2"],
    ],
    ids=lambda arguments: " ".join(arguments[:2] + arguments[-1:]),
)
def test_no_verb_runs_what_lies_in_the_folder(arguments, home, hostile, variables, ran):
    done = called(arguments, home, hostile, variables)
    assert (done.returncode, ran()) == (0, []), done.stderr


def called(arguments, home, folder, variables):
    """Run a verb in a folder, with its paths below ``home``."""
    return subprocess.run(
        [COMMAND, *(str(home / text) if text.startswith("root/") else text for text in arguments)],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
        check=False,
    )


def test_a_service_and_its_runs_run_nothing_of_it(home, hostile, variables, ran, tmp_path):
    said = tmp_path / "said"
    with said.open("wb") as log:
        service = subprocess.Popen(
            [COMMAND, "serve", "iris", "--port", str(free_port())],
            cwd=hostile,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "The dashboard: " in said.read_text())
        shutil.copy(home / FLOWERS, (home / FLOWERS).with_name("more.csv"))
        scored = home / "root/artifacts/iris/predictions/more.csv.manifest.json"
        wait_for(scored.exists)
        done = called(["score", "iris", FLOWERS, "--workers", "2"], home, hostile, variables)
        service.send_signal(signal.SIGTERM)
        assert (done.returncode, service.wait(LAST_RESORT)) == (0, 0), (
            done.stderr + said.read_text()
        )
    finally:
        for pid in processes(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        service.wait()
    assert ran() == []
    assert (
        "ffn: settings of Prefect in .env, prefect.toml, pyproject.toml of this folder are not"
        in (said.read_text())
    )
