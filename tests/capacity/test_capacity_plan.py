"""How many workers a volume takes, computed by hand from round rates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.capacity import rates
from ffn.capacity.capacity_plan import BUSY, Demand, plan_capacity
from ffn.capacity.capacity_text import capacity_document, capacity_text
from ffn.capacity.rates import Rates, Way, known_rates, read_rates
from ffn.errors import InstallationError, SettingsError

# A gigabyte of rows of 100 bytes takes 10 CPU seconds, a tenth more in parts, and so on.
RATES = Rates(
    machine="a machine",
    row_bytes=100.0,
    written=1.5,
    ways={
        "one process": Way(start=1.0, command=10.0, workers=0.0, task_ms=0.0),
        "parts, two processes": Way(start=2.0, command=11.0, workers=0.0, task_ms=0.0),
        "parts on Dask": Way(start=5.0, command=4.0, workers=12.0, task_ms=67.108864),
    },
    runs_an_hour={"SQLite": 500.0, "PostgreSQL": 1000.0},
)
DEMAND = Demand(daily=10e9, hours=1.0, row_bytes=100.0, file_bytes=10e9, cores=4)


def test_little_takes_one_process() -> None:
    plan = plan_capacity(DEMAND, RATES)
    # 10 GB of 10 s, and a start of 1 s.
    assert (plan.way, plan.workers, plan.commands) == ("one process", 1, 1)
    assert plan.rows == pytest.approx(1e8)
    assert plan.core_hours == pytest.approx(101 / 3600)
    # 2,520 of 3,600 seconds are planned with; a run of Prefect's of 1,000.
    assert [limit.name for limit in plan.limits] == ["process", "Prefect"]
    assert [limit.used for limit in plan.limits] == pytest.approx([101 / 2520, 1 / 1000])
    assert plan.first.daily == pytest.approx(10e9 * 2520 / 101)


def test_more_takes_the_processes_of_one_machine() -> None:
    plan = plan_capacity(replace(DEMAND, daily=800e9), RATES)
    # 800 GB of 11 s and 80 starts of 2 s are 8,960 s; 4 processes are 10,080 s, 3 are 7,560.
    assert (plan.way, plan.workers, plan.commands) == ("parts, two processes", 4, 1)
    assert plan.core_hours == pytest.approx(8960 / 3600)
    assert plan.first.name == "cores"
    assert plan.first.used == pytest.approx(8960 / 10080)


def test_much_takes_a_cluster_and_several_commands() -> None:
    plan = plan_capacity(replace(DEMAND, daily=10e12), RATES)
    assert plan.way == "parts on Dask"
    # Workers: 10,000 GB of 12 s, and 149,012 parts of 64 MiB of 67 ms: 1 s for a GB. 130,000 s.
    assert plan.workers == 52  # of 2,520 s, 51.6
    # The command: 10,000 GB of 4 s and 1,000 starts of 5 s are 45,000 s, 17.9 times 2,520.
    assert plan.commands == 18
    assert plan.core_hours == pytest.approx(175_000 / 3600)
    used = {limit.name: limit.used for limit in plan.limits}
    assert used == pytest.approx(
        # 15 TB come back; 10 Gbit/s are 1.25 GB/s, of which 2,520 s are planned with: 3.15 TB.
        {"command": 45_000 / 2520, "network card": 15 / 3.15, "Prefect": 1.0}
    )
    assert plan.first.name == "command"
    assert plan.first.daily == pytest.approx(10e12 * 2520 / 45_000)


def test_many_small_files_use_up_prefect_first() -> None:
    demand = replace(DEMAND, daily=1e9, file_bytes=1e6)
    plan = plan_capacity(demand, RATES)
    # 1,000 files: each a start of 1 s, and 10 s for all rows.
    assert plan.core_hours == pytest.approx(1010 / 3600)
    assert plan.runs == 1000
    assert plan.first == ("Prefect", 1.0, 1e9)
    assert plan_capacity(replace(demand, database="SQLite"), RATES).first.used == 2.0


def test_longer_rows_take_less_for_a_gigabyte() -> None:
    plan = plan_capacity(replace(DEMAND, row_bytes=200.0), RATES)
    assert plan.rows == 5e7
    assert plan.core_hours == pytest.approx(51 / 3600)


@given(
    st.floats(1e6, 1e16), st.floats(0.1, 24), st.floats(10, 1e5), st.floats(1e6, 1e12),
    st.integers(1, 256),
)  # fmt: skip
def test_what_is_planned_is_enough(
    daily: float, hours: float, row_bytes: float, file_bytes: float, cores: int
) -> None:
    demand = Demand(
        daily=daily, hours=hours, row_bytes=row_bytes, file_bytes=file_bytes, cores=cores
    )
    plan = plan_capacity(demand, RATES)
    at_work = (plan.workers + (plan.commands if plan.way == "parts on Dask" else 0)) * hours * BUSY
    assert plan.core_hours <= at_work * (1 + 1e-9)
    assert plan.workers <= cores or plan.way == "parts on Dask"
    assert plan.first.used == max(limit.used for limit in plan.limits)
    more = plan_capacity(replace(demand, daily=2 * daily), RATES)
    assert more.rows == pytest.approx(2 * plan.rows)


def test_the_text_says_what_the_plan_says() -> None:
    demands = [replace(DEMAND, daily=daily) for daily in (10e9, 10e12)]
    plans = [(demand, plan_capacity(demand, RATES)) for demand in demands]
    text = capacity_text(plans, RATES)
    assumed, table, advice = text.split("\n\n")
    assert assumed == (
        "Within 1 hour of a day, rows of 100 bytes in files of 10.0 GB, machines of 4 cores with "
        "a card of 10 Gbit/s, Prefect on PostgreSQL, processors at work 70 % of the time. Rates "
        "measured on: a machine."
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert rows[2] == [
        *("10.0 GB", "100,000,000", "0.03", "one process", "1", "1", "process, 4.01 % used"),
        "249.5 GB a day",
    ]
    assert rows[3] == [
        *("10.0 TB", "100,000,000,000", "49", "parts on Dask", "52", "18"),
        *("command, 1,786 % used", "560.0 GB a day"),
    ]
    assert len({len(line) for line in table.splitlines()}) == 1
    assert [line.partition(",")[0] for line in advice.splitlines()] == ["- process", "- command"]


def test_the_document_has_the_figures() -> None:
    plan = plan_capacity(DEMAND, RATES)
    told = json.loads(json.dumps(capacity_document([(DEMAND, plan)], RATES)))
    assert told["assumed"]["busy"] == 0.7
    assert told["plans"][0]["workers"] == 1
    assert told["plans"][0]["limits"][0]["name"] == "process"
    assert told["rates"] == json.loads(json.dumps(asdict(RATES)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"daily": 0.0}, "--daily is 0; give 1 byte to 1000PB"),
        ({"hours": -1.0}, "--within is -1; give 0.01 to 24 hours of a day"),
        ({"hours": 25.0}, "--within is 25; give 0.01 to 24 hours of a day"),
        ({"row_bytes": float("nan")}, "--row-bytes is nan; give 1 to 1,000,000,000 bytes"),
        ({"cores": 0}, "--cores is 0; give 1 to 1,000,000 processors"),
        ({"network": float("inf")}, "--gigabits is inf; give 0.001 to 1,000,000 Gbit/s"),
    ],
)
def test_what_is_no_demand_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        replace(DEMAND, **change)


@pytest.mark.parametrize("row_bytes", [1.0, 1e9])
@pytest.mark.parametrize("daily", [1.0, 1e18])
@pytest.mark.parametrize("file_bytes", [1.0, 1e18])
def test_the_largest_and_the_smallest_demand_have_a_plan_in_figures(
    row_bytes: float, daily: float, file_bytes: float
) -> None:
    demand = Demand(
        daily=daily, hours=0.01, row_bytes=row_bytes, file_bytes=file_bytes, cores=1, network=1e6
    )
    text = capacity_text([(demand, plan_capacity(demand, RATES))], RATES, assumed=False)
    assert "inf" not in text
    assert "nan" not in text
    assert max(map(len, text.splitlines())) < 300


def test_a_database_without_a_rate_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"no rate of Oracle\. Give SQLite or PostgreSQL"):
        plan_capacity(replace(DEMAND, database="Oracle"), RATES)


def test_rates_are_read_as_they_were_written() -> None:
    assert read_rates(json.dumps(asdict(RATES)).encode()) == RATES


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told.clear(),
        lambda told: told.pop("machine"),
        lambda told: told.update(row_bytes=0),
        lambda told: told.update(ways=[]),
        lambda told: told["ways"]["one process"].update(command="much"),
        lambda told: told["ways"]["one process"].update(start=-1),
        lambda told: told["runs_an_hour"].update(SQLite=0),
    ],
)
def test_what_has_no_rates_is_refused(damage: Callable[[dict[str, Any]], object]) -> None:
    told = asdict(RATES)
    damage(told)
    with pytest.raises(ValueError, match=r"validation errors? for Rates"):
        read_rates(json.dumps(told).encode())


@pytest.mark.parametrize("content", [None, b"", b"{", b"null"])
def test_an_installation_without_rates_is_refused_in_a_line(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rates.json"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(rates, "RATES_FILE", file)
    said = f"^{re.escape(str(file))} is missing, or has no measured rates"
    with pytest.raises(InstallationError, match=said):
        known_rates()


def test_the_shipped_rates_have_what_is_planned_with() -> None:
    known = known_rates()
    assert set(RATES.ways) <= set(known.ways)
    for daily in (10e9, 10e12):
        demand = Demand(daily=daily, hours=8, row_bytes=known.row_bytes)
        assert plan_capacity(demand, known).workers >= 1
