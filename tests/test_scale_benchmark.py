"""The scale benchmark: what it counts, what it computes, and its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scale.families import Counted, run_counted
from benchmarks.scale.measured import SIDES, Found, Pair, rates_document
from benchmarks.scale.page import costs_sentences, with_capacity
from benchmarks.scale.prefect_runs import parse_bursts
from benchmarks.scale.tables import memory_table, parts_verdict, sides_table, tasks_table
from ffn.capacity.rates import known_rates, read_rates


def taken(own: float, elsewhere: float = 0.0, private: int = 0) -> Counted:
    return Counted(output="", own=own, elsewhere=elsewhere, wall=1.0, private=private)


@pytest.fixture
def found() -> Found:
    """A start of 1 s and 10 s a gigabyte in one process; clusters take as much again elsewhere."""
    runs = {}
    for side, (options, cluster) in SIDES.items():
        more = 1.05 if "--partitioned" in options else 1.0
        for name, seconds in (("short", 2.0), ("long", 11.0)):
            own = seconds * more
            # A round in which the machine is slow.
            runs[side, name] = [
                Pair(taken(seconds * k), taken(own * k, own * k if cluster else 0.0))
                for k in (1, 1, 1.1)
            ]
    return Found(
        rows={"short": 1_000_000, "long": 10_000_000},
        bytes={"short": 100_000_000, "long": 1_000_000_000},
        written=1_100_000_000,
        runs=runs,
        tasks={
            "Dask": (taken(1.0, 2.0), taken(3.0, 3.0), 450),
            "Ray": (taken(1.0, 2.0), taken(1.9, 2.9), 450),
        },
        memory={
            ("Dask", 1_000_000_000): taken(1, 1, 300_000_000),
            ("parts on Dask", 1_000_000_000): taken(1, 1, 400_000_000),
        },
        prefect={"PostgreSQL": 1200.4, "SQLite": 556.0},
    )


def test_rates_are_slopes_and_what_is_left(found: Found) -> None:
    rates = read_rates(rates_document(found, "a machine"))
    one = rates.ways["one process"]
    assert (one.start, one.command, one.workers, one.task_ms) == (1.0, 10.0, 0.0, 0.0)
    dask = rates.ways["Dask, no shared disk"]
    # 3 more seconds for 450 more tasks.
    assert (dask.start, dask.command, dask.workers, dask.task_ms) == (2.0, 10.0, 10.0, 6.67)
    assert (rates.row_bytes, rates.written) == (100.0, 1.1)
    assert rates.runs_an_hour == {"PostgreSQL": 1200, "SQLite": 556}
    assert rates.machine == "a machine"


def cells(table: str) -> dict[str, list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    found = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {first: rest for first, *rest in found}


def test_tables_say_what_was_found(found: Found) -> None:
    sides = cells(sides_table(found))
    assert list(sides) == list(SIDES)
    assert sides["one process"] == ["11.00", "", "1.00", "10.00", "10.00"]
    assert sides["Dask"] == ["22.00", "**+100%** [+100%, +100%]", "2.00", "20.00", "10.00"]
    verdict = cells(parts_verdict(found))
    assert verdict["parts, two processes"] == [*("**+5%** [+5%, +5%]", "**+5%** [+5%, +5%]", "yes")]
    assert verdict["parts on Ray"][2] == "**no**"
    assert cells(tasks_table(found)) == {"Dask": ["6.7", "4.4"], "Ray": ["4.0", "2.0"]}
    # 1 GB is 14.9 parts of 64 MiB.
    assert cells(memory_table(found)) == {"1.00 GB": ["300 MB", "400 MB, 15 parts"]}


def test_parts_that_cost_too_much_of_a_short_file_may_not_of_a_longer_one(found: Found) -> None:
    found.runs["parts on Dask", "short"] = [Pair(taken(2.0), taken(2.5))]
    found.runs["parts on Dask", "long"] = [Pair(taken(11.0), taken(11.95))]
    found.runs["parts on Ray", "short"] = [Pair(taken(2.0), taken(4.05))]
    found.runs["parts on Ray", "long"] = [Pair(taken(11.0), taken(13.5))]
    verdict = cells(parts_verdict(found))
    assert verdict["parts on Dask"] == [*("**+9%** [+9%, +9%]", "**+5%** [+5%, +5%]", "yes")]
    # A start of 3 s and 10.5 s a gigabyte: 3 + 10.5 x is 1.1 (1 + 10 x) at x = 1.9 / 0.5.
    assert verdict["parts on Ray"][2] == "from 3.8 GB on"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((9.97, 10.5, 11.03), "**+5%** [-0.3%, +10%]"),
        # Not rounded to what is wanted.
        ((10.9, 11.03, 11.2), "**+10.3%** [+9%, +12%]"),
    ],
)
def test_a_share_is_set_off_what_is_wanted(
    found: Found, seconds: tuple[float, ...], said: str
) -> None:
    found.runs["parts on Ray", "long"] = [Pair(taken(10.0), taken(one)) for one in seconds]
    assert cells(parts_verdict(found))["parts on Ray"][0] == said


def test_the_sentences_are_functions_of_the_rates(found: Found) -> None:
    said = costs_sentences(read_rates(rates_document(found, "a machine")))
    assert said.startswith(
        "One process takes 10.0 CPU seconds for a gigabyte of rows of 100 bytes, after a start of "
        "1.0: 100 MB, or 1.0 million rows, a CPU second."
    )
    # As many CPU seconds elsewhere as in the command, so twice the time of one process.
    assert cells(said)["ranges on Dask"] == ["+100%", "50%", "2.0", "6.7 ms"]
    assert "takes 10.50 CPU seconds for each gigabyte" in said
    assert said.endswith(
        "could keep 1 workers busy, and score 95 MB a second, if the disk allows it."
    )


def test_what_is_too_little_to_be_measured_is_said_to_be_so(found: Found) -> None:
    found.runs["parts on Dask", "short"] = [Pair(taken(2.0), taken(0.50, 2.0))]
    found.runs["parts on Dask", "long"] = [Pair(taken(11.0), taken(0.49, 11.0))]
    rates = read_rates(rates_document(found, "a machine"))
    assert rates.ways["parts on Dask"].command == 0
    assert costs_sentences(rates).endswith("written. That is too little to be measured.")


def test_the_page_of_scale_says_what_is_computed(repository: Path) -> None:
    page = (repository / "docs/scale.md").read_text()
    assert with_capacity(page, known_rates()) == page


def test_runs_an_hour_are_read_from_what_the_tests_print() -> None:
    text = (
        "\nPostgreSQL, 40 at once: {'runs': 200, 'errors': [], 'seconds': 100.0}\n"
        ".\nSQLite, 4 at once: {'runs': 200, 'errors': [], 'seconds': 720.0}\n"
    )
    assert parse_bursts(text) == {"PostgreSQL": 7200.0, "SQLite": 1000.0}


def test_what_a_command_takes_is_counted_with_what_it_starts(tmp_path: Path) -> None:
    # The child allocates and waits; both have used some CPU time.
    child = "x = bytearray(60_000_000); import time; time.sleep(0.5)"
    run = f"subprocess.run([sys.executable, '-c', {child!r}])"
    code = f"import json, subprocess, sys; {run}; print(json.dumps(dict(one=1)))"
    done = run_counted(tmp_path, "-c", code)
    assert done.found == {"one": 1}
    assert done.elsewhere == 0
    assert done.private > 60_000_000
    assert 0 < done.own < done.wall * 2 + 1


def test_a_command_that_fails_is_an_error(tmp_path: Path) -> None:
    import subprocess

    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        run_counted(tmp_path, "-c", "raise SystemExit(3)")


def test_the_page_and_the_rates_are_of_one_run(repository: Path) -> None:
    """What is printed in the page is what `ffn capacity` computes with."""
    page = (repository / "benchmarks/README.md").read_text()
    _, _, rest = page.partition("<!-- scale: written by `make benchmark` -->")
    section, _, _ = rest.partition("<!-- end of scale -->")
    rates = known_rates()
    assert rates.machine in section
    shown = cells(section[: section.index("Wanted of parts")])
    for side, way in rates.ways.items():
        _, _, start, whole, own = shown[side]
        assert float(start) == pytest.approx(way.start, abs=0.006)
        assert float(own) == pytest.approx(way.command, abs=0.006)
        if not way.workers:
            assert float(whole) == pytest.approx(way.command, abs=0.006)
