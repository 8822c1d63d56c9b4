"""Which workers are taken: what has to be installed, and whom an address may name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ffn.clusters.workers import check_runner, open_workers
from ffn.errors import SettingsError
from ffn.settings.service_settings import RunnerSettings

PACKAGES = {"dask": "distributed", "ray": "ray"}


@pytest.mark.parametrize("kind", PACKAGES)
def test_a_missing_extra_is_one_line_with_the_command(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were not installed, whether it is or not.
    monkeypatch.setitem(sys.modules, PACKAGES[kind], None)
    told = (
        f"^--runner {kind} needs the package {PACKAGES[kind]}, which is not installed. Install "
        rf"it: pip install 'ffn-pipeline\[{kind}\]'$"
    )
    with pytest.raises(SettingsError, match=told):
        check_runner(RunnerSettings(kind=kind))
    with (
        pytest.raises(SettingsError, match=told),
        open_workers(RunnerSettings(kind=kind), Path()),
    ):
        pass


def test_threads_and_processes_need_nothing() -> None:
    for kind in ("thread", "process"):
        check_runner(RunnerSettings(kind=kind, dask_address="tcp://far.example:1"))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that are found, and are never imported."""
    for name in PACKAGES.values():
        module = type(sys)(name)
        module.__spec__ = sys.__spec__
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "address", ["tcp://10.1.2.3:8786", "tcp://scheduler.example:8786", "tcp://[2001:db8::1]:8786"]
)
def test_another_machine_without_tls_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="is another machine, reached without TLS"):
        check_runner(RunnerSettings(kind="dask", dask_address=address))
    check_runner(RunnerSettings(kind="dask", dask_address=address, trust_network=True))
    check_runner(RunnerSettings(kind="dask", dask_address=address.replace("tcp", "tls")))
    bare = address.removeprefix("tcp://")
    with pytest.raises(SettingsError, match="is another machine, reached without TLS"):
        check_runner(RunnerSettings(kind="ray", ray_address=bare))
    check_runner(RunnerSettings(kind="ray", ray_address=bare, trust_network=True))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.8.8"])
def test_this_machine_needs_no_tls(host: str) -> None:
    check_runner(RunnerSettings(kind="dask", dask_address=f"tcp://{host}:8786"))
    check_runner(RunnerSettings(kind="ray", ray_address=f"{host}:6379"))
    check_runner(RunnerSettings(kind="ray", ray_address="auto"))
