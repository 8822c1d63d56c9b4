"""Options of ``ffn retrain`` and the table ``[runner]``: which of them holds."""

from __future__ import annotations

from typing import Any

import pytest

from ffn.clusters.runner_options import check_runner_table, override_runner
from ffn.errors import SettingsError
from ffn.settings.service_settings import RunnerSettings


def test_options_stand_for_the_table_and_win_over_it() -> None:
    table = RunnerSettings(kind="ray", workers=2, ray_address="head:6379", wait="5s")
    assert override_runner(table, {"kind": None, "workers": None}) == table
    found = override_runner(table, {"kind": "process", "workers": 4})
    assert (found.kind, found.workers, found.wait) == ("process", 4, "5s")
    # An address says of which kind the cluster is.
    found = override_runner(table, {"dask_address": "tcp://s:1"})
    assert (found.kind, found.dask_address) == ("dask", "tcp://s:1")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "thread", "dask_address": "tcp://s:1"}, "^--dask-address goes with --runner da"),
        ({"dask_address": "tcp://s:1", "ray_address": "auto"}, "^--ray-address goes with --runner"),
        (
            {"dask_address": "s"},
            r'^the options: "runner\.dask_address" is "s"; it must be',
        ),
        ({"workers": 5000}, r'"runner\.workers" is 5000; it must be less than or equal to 1024'),
        (
            {"dask_address": "tcp://s:1", "workers": 2},
            "^--workers are processes of this machine,",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        override_runner(RunnerSettings(), given)


def test_an_option_cannot_take_the_tls_of_the_table_away() -> None:
    files = {"tls_ca": "a", "tls_certificate": "b", "tls_key": "c"}
    table = RunnerSettings(dask_address="tls://s:1", **files)
    with pytest.raises(SettingsError, match=r'^the options: "runner": has the files of TLS'):
        override_runner(table, {"dask_address": "tcp://s:1"})


def test_the_table_of_a_run_is_taken_as_it_was_sent() -> None:
    # An address in the settings stays beside another kind, which the options of a command chose.
    chosen = RunnerSettings(kind="process", workers=2, dask_address="tcp://127.0.0.1:1")
    sent = chosen.model_dump(mode="json", exclude_defaults=True)
    assert check_runner_table(sent) == chosen
    assert check_runner_table({"dask_address": "tcp://127.0.0.1:1"}).kind == "thread"
    with pytest.raises(SettingsError, match=r'^the options: "runner\.kind" is "spark"; it must be'):
        check_runner_table({"kind": "spark"})
    with pytest.raises(SettingsError, match=r'^the options: .*"runner\.knd"'):
        check_runner_table({"knd": "dask"})
