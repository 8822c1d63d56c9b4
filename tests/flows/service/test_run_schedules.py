"""The times of schedules over changes of clock; expectations from the time-zone database alone."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from ffn.settings.service_settings import When
from flows.service.run_schedules import next_times, times_between

UTC = datetime.UTC
# Berlin skips 02:00 to 03:00 on 28 March 2027 and repeats it on 25 October 2026; New York skips
# 02:00 to 03:00 on 14 March 2027 and repeats 01:00 to 02:00 on 1 November 2026.
CHANGES = [
    ("Europe/Berlin", "30 2 * * *", datetime.datetime(2027, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", "30 2 * * *", datetime.datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", "30 2 * * *", datetime.datetime(2027, 3, 14, tzinfo=UTC)),
    ("America/New_York", "30 1 * * *", datetime.datetime(2026, 11, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "cron", "day"), CHANGES)
def test_a_daily_schedule_runs_once_on_every_day_of_a_change(zone, cron, day):
    start = day - datetime.timedelta(days=3)
    times = next_times(When(cron=cron, timezone=zone), 7, start)
    # Plain ones: Prefect's own kind of time shifts what does not exist by itself.
    local = [datetime.datetime.fromtimestamp(t.timestamp(), ZoneInfo(zone)) for t in times]
    first = local[0].date()
    assert [time.date() for time in local] == [
        first + datetime.timedelta(days=days) for days in range(7)
    ]
    # An hour that there is runs as written; one that is skipped runs an hour earlier.
    minute, hour = map(int, cron.split()[:2])
    for time in local:
        wanted = time.replace(hour=hour, minute=minute, fold=0)
        there = wanted.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        expected = hour if there == wanted.replace(tzinfo=None) else hour - 1
        assert (time.hour, time.minute) == (expected, minute)


@pytest.mark.parametrize(("zone", "cron", "day"), CHANGES)
def test_a_scheduler_that_looks_every_five_minutes_makes_no_run_twice(zone, cron, day):
    """Prefect's server plans again and again; what it plans for a day must stay the same time."""
    planned: dict[datetime.date, set[datetime.datetime]] = {}

    async def look_again_and_again():
        schedule = CronSchedule(cron=cron, timezone=zone)
        for minutes in range(0, 2 * 24 * 60, 5):
            start = day - datetime.timedelta(hours=12) + datetime.timedelta(minutes=minutes)
            for time in await schedule.get_dates(2, start=start):
                planned.setdefault(time.date(), set()).add(time.astimezone(UTC))

    asyncio.run(look_again_and_again())
    assert len(planned) == 4
    assert {date: len(times) for date, times in planned.items()} == dict.fromkeys(planned, 1)


def test_an_interval_takes_no_notice_of_clocks_and_keeps_its_beat():
    start = datetime.datetime(2027, 3, 27, 22, 10, tzinfo=UTC)
    times = next_times(When(every="6h"), 6, start)
    assert [time.astimezone(UTC).hour for time in times] == [0, 6, 12, 18, 0, 6]
    later = next_times(When(every="6h"), 1, start + datetime.timedelta(minutes=77))
    assert later == times[:1]


def test_missed_times_are_those_after_the_one_and_up_to_the_other():
    when = When(cron="0 * * * *")
    at = datetime.datetime(2026, 5, 1, 3, tzinfo=UTC)
    found = times_between(when, at, at + datetime.timedelta(hours=3))
    assert Counter(time.astimezone(UTC).hour for time in found) == Counter([4, 5, 6])
    assert times_between(when, at, at + datetime.timedelta(minutes=59)) == []


def test_check_says_what_would_be_served_and_when(ffn, root):
    settings = root / "data/iris/pipeline.toml"
    text = settings.read_text().partition("[schedule]")[0]
    settings.write_text(
        text + "[schedule]\nretrain = [{ cron = '30 2 * * *', timezone = 'Asia/Kolkata' }]\n"
        "score = [{ every = '6h' }]\nretrain_on = ['data', 'drift']\n[inbox]\nrescore = 'none'\n"
    )
    done = ffn("serve", "--check", "--root", root)
    assert (done.code, done.err) == (0, "")
    time = r"\w{3} \d{4}-\d\d-\d\d"
    lines = done.out.splitlines()
    assert lines[0] == "iris"
    assert re.fullmatch(
        rf"  retrain  cron 30 2 \* \* \* in Asia/Kolkata: ({time} 02:30:00 \+0530(, )?){{3}}",
        lines[1],
    )
    assert lines[2] == "  retrain  also: when train.csv changes, on drift"
    assert re.fullmatch(
        rf"  score    every 6h: ({time} (00|06|12|18):00:00 \+0000(, )?){{3}}", lines[3]
    )
    assert lines[4] == "  score    also: new files, checked every 10s"
    (found,) = json.loads(ffn("serve", "--check", "--json", "--root", root).out)
    assert len(found["retrain"][0]["next"]) == 3
    assert not (root / "artifacts").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), r'pipeline "nowhere": no file .*'),
        (("--no-auth", "--host", "0.0.0.0"), r"0\.0\.0\.0 can be reached by others, and --no-auth"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(ffn, root, arguments, message):
    assert re.search(message, ffn("serve", *arguments, "--root", root).refusal)


def test_a_running_service_has_no_json(ffn, root):
    done = ffn("serve", "--json", "--root", root)
    assert done.code == 1
    assert done.err.startswith("ffn: --json of ffn serve requires --check")
    assert json.loads(done.out)["error"]["message"].startswith("--json of ffn serve requires")


@pytest.mark.parametrize("verb", [("status",), ("serve", "--check")])
def test_what_is_wrong_with_one_pipeline_does_not_hide_the_others(ffn, root, verb):
    for name, text in (("bad", "[data\n"), ("my data", "")):
        (root / "data" / name).mkdir()
        (root / "data" / name / "pipeline.toml").write_text(text)
    done = ffn(*verb, "--root", root)
    assert done.code == 1
    assert done.out.startswith("iris")
    bad, unnamed = done.err.splitlines()
    assert re.match(r"ffn: .*data/bad/pipeline\.toml: not valid TOML", bad)
    assert unnamed.startswith('ffn: pipeline name "my data": use 1 to 64 ASCII letters')
    listed = json.loads(ffn(*verb, "--json", "--root", root).out)
    assert [one["pipeline"] for one in listed] == ["iris", "bad", "my data"]
    assert [f"ffn: {one['problem']}" for one in listed[1:]] == [bad, unnamed]


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "٣"])
def test_a_port_that_is_none_is_wrong_usage(ffn, root, port):
    done = ffn("serve", f"--port={port}", "--root", root)
    assert (done.code, "is not a port" in done.err) == (2, True)


def test_nothing_to_serve_is_said(ffn, tmp_path):
    assert "has no pipeline to serve" in ffn("serve", "--root", tmp_path).refusal


def test_status_is_printed_for_all_pipelines(ffn, trained):
    done = ffn("status", "--root", trained)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("iris: version 1 of 1 in production, for ")
    assert re.search(
        r"\n  retrain  \d{4}-.* promoted: Version 1 is promoted: no version was", done.out
    )
    (found,) = json.loads(ffn("status", "iris", "--json", "--root", trained).out)
    assert (found["production"], found["inbox"]["waiting"]) == (1, 1)
    assert found["runs"][0]["outcome"] == "promoted"
