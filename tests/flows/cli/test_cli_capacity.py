"""``ffn capacity``: a table for people, figures for programs, and what is no demand."""

from __future__ import annotations

import json

import pytest

from ffn.capacity.rates import known_rates
from flows.cli.commands.capacity import bytes_of


def test_a_volume_has_a_line_and_advice(ffn):
    done = ffn("capacity", "--daily", "10GB", "10TB", "--within", "4")
    assert (done.code, done.err) == (0, "")
    assumed, table, advice = done.out.strip().split("\n\n")
    assert assumed.startswith("Within 4 hours of a day, rows of ")
    assert known_rates().machine in assumed
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == ["10.0 GB", "10.0 TB"]
    assert advice.startswith("- ")


def test_a_program_gets_the_figures_and_what_they_come_from(ffn):
    done = ffn("capacity", "--daily", "1.5TB", "--row-bytes", "100", "--json")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    (plan,) = told["plans"]
    assert plan["daily"] == 1.5e12
    assert plan["rows"] == 1.5e10
    assert told["assumed"]["hours"] == 8
    assert plan["limits"][0]["used"] >= plan["limits"][-1]["used"]
    assert told["rates"]["machine"] == known_rates().machine


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10GB", 1e10), ("1.5 TB", 1.5e12), ("200g", 2e11), ("834", 834.0), ("2kB", 2000.0)],
)
def test_sizes_are_powers_of_1000(text, expected):
    assert bytes_of(text, "--daily") == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--daily", "much"], '--daily is "much", which is no size; give bytes, or such as 200GB'),
        (["--daily", "-1GB"], ""),
        (["--daily", "0"], "--daily is 0; give 1 byte to 1000PB."),
        (["--daily", "999999999999PB"], "--daily is 1e+27; give 1 byte to 1000PB."),
        (["--within", "30"], "--within is 30; give 0.01 to 24 hours of a day."),
        (["--within", "nan"], "--within is nan; give 0.01 to 24 hours of a day."),
        (["--cores", "0"], "--cores is 0; give 1 to 1,000,000 processors."),
        (["--row-bytes", "1e-300"], "--row-bytes is 1e-300; give 1 to 1,000,000,000 bytes."),
        (["--gigabits", "-1"], "--gigabits is -1; give 0.001 to 1,000,000 Gbit/s."),
        (["--file-size", "GB"], '--file-size is "GB", which is no size; give bytes, or such as'),
    ],
)
def test_what_is_no_demand_is_one_line(ffn, options, said):
    done = ffn("capacity", *options)
    assert done.code == (1 if said else 2)
    assert done.out == ""
    assert said in done.err
    assert "Traceback" not in done.err
