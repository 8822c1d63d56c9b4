"""``[schedule]``, ``[inbox]``, ``[notify]``: what is taken, and what is refused in which words."""

from __future__ import annotations

import copy
import datetime
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st
from prefect._internal.schemas.validators import validate_cron_string
from prefect._vendor.croniter import CroniterBadDateError, croniter

from ffn.errors import SettingsError
from ffn.settings.document import check_settings
from ffn.settings.service_settings import When, _is_timezone, seconds_of

LEAST: dict[str, Any] = {"data": {"source": "t.csv", "target": "y"}}

RULES = [
    ("[schedule]\nretrain = {every = '1h'}", r'"schedule\.retrain": must be a list'),
    ("[schedule]\nretrain = ['1h']", r'"schedule\.retrain\.0" is "1h"; it must be a table'),
    ("[schedule]\nscore = [{}]", r'"schedule\.score\.0": must have either "cron" or "every"'),
    ("[schedule]\nscore = [{cron='0 3 * * *', every='1h'}]", r'either "cron" or "every"'),
    ("[schedule]\nscore = [{evry='1h'}]", r'"schedule\.score\.0\.evry"; .*Did you mean "every"\?'),
    ("[schedule]\nretrain = [{every='9s'}]", r'must have an "every" of "10s" or more'),
    ("[schedule]\nretrain = [{every='1 hour'}]", r'is "1 hour"; it must be a whole number and a'),
    ("[schedule]\nretrain = [{every='367d'}]", r'is "367d"; it must be no longer than "366d"'),
    ("[schedule]\nretrain = [{every='53w'}]", r'is "53w"; it must be no longer than "366d", "52w"'),
    ("[schedule]\nretrain = [{cron='0 3 * *'}]", r"must be five fields, minute hour day month"),
    ("[schedule]\nretrain = [{cron='60 * * * *'}]", r'its minute from 0 to 59, not "60"'),
    ("[schedule]\nretrain = [{cron='0 24 * * *'}]", r'its hour from 0 to 23, not "24"'),
    ("[schedule]\nretrain = [{cron='0 0 0 * *'}]", r'its day from 1 to 31, not "0"'),
    ("[schedule]\nretrain = [{cron='0 0 * feb-xyz *'}]", r"its month from 1 to 12"),
    ("[schedule]\nretrain = [{cron='0 0 * * fri-mon'}]", r'ranges that go up .*, not "fri-mon"; w'),
    ("[schedule]\nretrain = [{cron='0 0 * * mon-sun'}]", r"ranges that go up \(Sunday is 0\), not"),
    ("[schedule]\nretrain = [{cron='0 5/10 * * *'}]", r'a range, such as "5-23/10", not "5/10"'),
    (
        "[schedule]\nretrain = [{cron='0 3 * * *', timezone='Europe/Berln'}]",
        r'must be a time zone, such as "Europe/Berlin"',
    ),
    ("[schedule]\nscore = [{cron='0 3 * * *', timezone='localtime'}]", r"must be a time zone"),
    ("[schedule]\nscore = [{cron='0 3 * * *', timezone='Factory'}]", r"must be a time zone"),
    ("[schedule]\nretrain_on = ['dta']", r"\"schedule\.retrain_on\.0\" is \"dta\"; it must be 'da"),
    ("[schedule]\nretrain_on = 'data'", r'"schedule\.retrain_on" is "data"; it must be a list'),
    ("[inbox]\nwatch = 1", r'"inbox\.watch" is 1; it must be true or false'),
    ("[inbox]\nlook_every = '5'", r'"inbox\.look_every" is "5"; it must be a whole number and a'),
    ("[inbox]\nsettle = 5", r'"inbox\.settle" is 5; it must be text in quotes'),
    ("[inbox]\nrescore = 'some'", r"\"inbox\.rescore\" is \"some\"; it must be 'all' or 'none'"),
    ("[inbox]\nmove = 'yes'", r'"inbox\.move" is "yes"; it must be true or false'),
    ("[notify]\nwebhook = 'ftp://a'", r'"notify\.webhook" is "ftp://a"; it must be an http'),
    ("[notify]\nwebhook = 'http://a b'", r"must be an http\(s\) address"),
    ("[outcomes]\nid = ''", r'"outcomes\.id" is ""; it must not be empty'),
    ("[outcomes]\nlabel = 3", r'"outcomes\.label" is 3; it must be text in quotes'),
    ("[outcomes]\nwatch = 'yes'", r'"outcomes\.watch" is "yes"; it must be true or false'),
    ("[outcomes]\nalpha = 0.6", r'"outcomes\.alpha" is 0\.6; it must be less than or equal to 0'),
    ("[outcomes]\nrollback = 1", r'"outcomes\.rollback" is 1; it must be true or false'),
    (
        "[shadow]\nversions = 'all'",
        r'"shadow\.versions" is "all"; it must be "latest" or a wh',
    ),
    (
        "[shadow]\nversions = 11",
        r'"shadow\.versions" is 11; it must be "latest" or a whole n',
    ),
    (
        "[shadow]\nversions = true",
        r'"shadow\.versions" is true; it must be "latest" or a wh',
    ),
    ("[shadow]\nmost_rows = 0", r'"shadow\.most_rows" is 0; it must be greater than or equal to 1'),
    (
        "[shadow]\nversion = 1",
        r'unknown key "shadow\.version"; known here: versions, most_rows',
    ),
    (
        "[runner]\nkind = 'spark'",
        r"\"runner\.kind\" is \"spark\"; it must be 'thread', 'process', ",
    ),
    ("[runner]\nworkers = 0", r'"runner\.workers" is 0; it must be greater than or equal to 1'),
    ("[runner]\nworkers = 2000", r'"runner\.workers" is 2000; it must be less than or equal to 10'),
    ("[runner]\nworkers = '4'", r'"runner\.workers" is "4"; it must be a whole number'),
    ("[runner]\ndask_address = 'h:1'", r'is "h:1"; it must be the address of a Dask scheduler, s'),
    ("[runner]\ndask_address = 'tcp://a b:1'", r"must be the address of a Dask scheduler"),
    ("[runner]\ndask_address = 'inproc://a/1'", r"must be the address of a Dask scheduler"),
    ("[runner]\nray_address = 'ray://h:1'", r'"ray://h:1"; it must be the address of a Ray clust'),
    ("[runner]\nray_address = 'local'", r'is "local"; it must be the address of a Ray cluster'),
    ("[runner]\ntls_ca = 'a.pem'", r'"runner": must have all three of "tls_ca", "tls_certificat'),
    (
        "[runner]\ntls_ca = 'a'\ntls_certificate = 'b'\ntls_key = 'c'\ndask_address = 'tcp://h:1'",
        r'"runner": has the files of TLS, so "dask_address" must begin with "tls://"',
    ),
    ("[runner]\nwait = 30", r'"runner\.wait" is 30; it must be text in quotes'),
    ("[runner]\npayload_mb = 0", r'"runner\.payload_mb" is 0; it must be greater than or equal'),
    ("[runner]\ntrust_network = 1", r'"runner\.trust_network" is 1; it must be true or false'),
    ("[runner]\nrunner = 'dask'", r'unknown key "runner\.runner"; known here: kind, workers, da'),
    ("[outcomes]\nappend = 'yes'", r'"outcomes\.append" is "yes"; it must be .history.'),
    ("[outcomes]\nappend = true", r'"outcomes\.append" is true; it must be .history.'),
    ("[outcomes]\nids = 'x'", r'unknown key "outcomes\.ids"; known here: id, label, watch'),
    ("[notify]\non = ['success']", r"\"notify\.on\.0\" is \"success\"; it must be 'failure', 'ke"),
]


def settings(toml: str):
    return check_settings({**copy.deepcopy(LEAST), **tomllib.loads(toml)}, "pipeline.toml")


@pytest.mark.parametrize(("toml", "message"), RULES, ids=[rule[0] for rule in RULES])
def test_every_rule_says_what_was_found_and_what_it_must_be(toml: str, message: str) -> None:
    with pytest.raises(SettingsError, match=r"^pipeline\.toml: .*" + message):
        settings(toml)


def test_several_schedules_of_both_kinds() -> None:
    found = settings(
        "[schedule]\nretrain = [{cron = '0 3 * * mon-fri', timezone = 'Asia/Kolkata'}, "
        "{every = '2w'}]\nscore = [{every = '10s'}]\nretrain_on = ['data', 'drift']"
    ).schedule
    assert [str(when) for when in found.retrain] == [
        "cron 0 3 * * mon-fri in Asia/Kolkata",
        "every 2w",
    ]
    assert found.retrain_on == ("data", "drift")
    assert [seconds_of(text) for text in ("10s", "15m", "6h", "1d", "2w")] == [
        10,
        900,
        21_600,
        86_400,
        1_209_600,
    ]


def test_a_model_does_not_depend_on_when_it_is_made() -> None:
    plain = settings("")
    served = settings("[schedule]\nretrain = [{every = '1d'}]\n[inbox]\nwatch = false")
    assert plain.of_training() == served.of_training()
    assert set(plain.of_training()) == {"data", "network", "training", "optimizers", "gate"}


def test_settings_from_before_a_key_existed_are_those_with_its_default() -> None:
    plain, said = settings("").of_training(), settings("[gate]\nbaseline = 'warn'").of_training()
    assert said == plain
    assert "baseline" not in plain["gate"]
    for policy in ("refuse", "ignore"):
        changed = settings(f"[gate]\nbaseline = '{policy}'").of_training()
        assert changed["gate"] == {**plain["gate"], "baseline": policy}
        assert {**changed, "gate": plain["gate"]} == plain
    for key in ("min_auc", "min_average_precision", "min_balanced_accuracy"):
        assert key not in plain["gate"]
        assert settings(f"[gate]\n{key} = 0.0").of_training() == plain
        assert settings(f"[gate]\n{key} = 0.5").of_training()["gate"] == {**plain["gate"], key: 0.5}


numbers = st.integers(0, 62).map(str)
parts = st.one_of(
    st.just("*"),
    numbers,
    st.tuples(numbers, numbers).map("-".join),
    st.integers(1, 30).map("*/{}".format),
    st.sampled_from(["mon", "sun", "FRI", "jan", "Dec", "L", "?", "x", "1-", "", "h", "r", "٣"]),
)
fields = st.lists(parts, min_size=1, max_size=3).map(",".join)


@given(st.lists(fields, min_size=4, max_size=6).map(" ".join))
def test_a_cron_that_is_taken_is_one_for_prefect(cron: str) -> None:
    try:
        When(cron=cron)
    except ValueError:
        return
    assert validate_cron_string(cron) == cron


@pytest.mark.parametrize(
    "cron",
    ["0 3 * * *", "*/15 8-18 * * mon-fri", "0,30 0 1,15 jan-jun *", "5 4 29 2 *", "0 0 * * 7"],
)
def test_usual_crons_are_taken(cron: str) -> None:
    assert When(cron=cron).cron == cron


@pytest.mark.parametrize("weekday", ["*", "mon", "0-7"])
@pytest.mark.parametrize("month", ["2", "feb", "4", "4,6,9,11", "2-4", "2-12/2", "sep-nov/2", "*"])
@pytest.mark.parametrize("day", ["29", "31", "30,31", "30-31", "1,31", "28-31/3", "*/30", "*"])
def test_a_cron_is_taken_if_prefect_finds_a_date_for_it(day: str, month: str, weekday: str) -> None:
    cron = f"0 0 {day} {month} {weekday}"
    try:
        croniter(cron, datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)).get_next()
    except CroniterBadDateError:
        with pytest.raises(ValueError, match="must have a day that one of its months has"):
            When(cron=cron)
    else:
        assert When(cron=cron).cron == cron


def test_prefect_knows_every_time_zone_that_is_taken() -> None:
    taken = zoneinfo.available_timezones() - {"Factory", "localtime"}
    assert taken <= set(pytz.all_timezones)
    assert When(cron="0 3 * * *", timezone="Asia/Kolkata").timezone in taken


def test_a_name_is_a_time_zone_where_the_standard_library_lists_it() -> None:
    taken = zoneinfo.available_timezones() - {"Factory", "localtime"}
    files = {
        str(path.relative_to(folder))
        for folder in map(Path, zoneinfo.TZPATH)
        for path in folder.rglob("*")
    }
    odd = {"", ".", "..", "../etc/passwd", "/etc/passwd", "Europe/Berlin/", "Europe//Berlin"}
    odd |= {"utc ", "\0", "x" * 5_000, "Europe/Berlin\n", "Ünknown/Plâce", "./UTC"}
    assert {name for name in taken | files | odd if _is_timezone(name)} == taken


def test_settings_are_read_without_reading_every_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", None)
    assert When(cron="0 3 * * *", timezone="Europe/Berlin").timezone == "Europe/Berlin"


def test_no_recorded_setting_depends_on_where_a_model_is_trained() -> None:
    here = check_settings(LEAST, "t")
    elsewhere = check_settings({**LEAST, "runner": {"kind": "dask", "workers": 3}}, "t")
    assert elsewhere.of_training() == here.of_training()
