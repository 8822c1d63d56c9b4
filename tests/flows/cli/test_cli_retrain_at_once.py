"""Many ``ffn retrain`` at once: what was not done is told, and what was done is whole."""

from __future__ import annotations

import json
import subprocess

from ffn.registry.verification import verify
from ffn.registry.versions import production_version, versions
from tests.helpers.command_line import command, environment
from tests.helpers.waiting import LAST_RESORT

AT_ONCE = 4


def test_commands_at_once_lose_nothing(ffn, root, tmp_path):
    words = ("retrain", "iris", "--direct", "--force", "--json", "--root", root)
    processes = [
        subprocess.Popen(
            command(*words),
            env=environment(tmp_path, OPENBLAS_NUM_THREADS="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(AT_ONCE)
    ]
    said = [process.communicate(timeout=LAST_RESORT) for process in processes]
    told = [(json.loads(out), err) for out, err in said]
    made = sorted(found["version"] for found, _ in told if "error" not in found)
    refused = [err for found, err in told if "error" in found]
    assert {found["error"]["kind"] for found, _ in told if "error" in found} <= {"BusyError"}
    assert all("ffn: iris is already being retrained by process " in err for err in refused)
    assert all(err.count("\n") == 1 for err in refused)
    assert len(made) + len(refused) == AT_ONCE
    assert made == list(range(1, len(made) + 1)) == versions(root / "artifacts/iris")
    assert verify(root / "artifacts/iris").damages == ()
    assert production_version(root / "artifacts/iris") == 1
    assert json.loads(ffn(*words).out)["version"] == len(made) + 1
