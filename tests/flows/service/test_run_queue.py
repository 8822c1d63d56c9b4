"""Runs that are due at once start a few at a time, each flow for itself, and none is forgotten."""

from __future__ import annotations

import datetime
from collections import Counter
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.objects import FlowRun, State, StateType

from flows.service.run_queue import RunQueue

NOON = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
RETRAIN, SCORE = uuid4(), uuid4()
FLOWS = {RETRAIN: "flows.retrain_flow.retrain", SCORE: "flows.inbox_flow.score_inbox"}


def due(minute: int, deployment: UUID = SCORE) -> FlowRun:
    """A run that is due at a minute after noon."""
    return FlowRun(
        flow_id=uuid4(),
        deployment_id=deployment,
        next_scheduled_start_time=NOON + datetime.timedelta(minutes=minute),
        state=State(type=StateType.SCHEDULED),
    )


def test_those_due_first_start_and_the_others_when_there_is_room():
    queue = RunQueue(2)
    third, first, second = due(3), due(1), due(2)
    assert queue.take([third, first, second], set(), FLOWS) == [first, second]
    assert queue.take([third], {first.id, second.id}, FLOWS) == []
    assert queue.take([third], {second.id}, FLOWS) == [third]


def test_long_retrainings_do_not_keep_scoring_waiting():
    queue = RunQueue(1)
    retraining, scoring = due(1, RETRAIN), due(2)
    assert queue.take([retraining], set(), FLOWS) == [retraining]
    assert queue.take([due(1, RETRAIN), scoring], {retraining.id}, FLOWS) == [scoring]


def test_without_a_limit_all_start_as_they_come():
    runs = [due(minute) for minute in (5, 1, 3)]
    assert RunQueue(None).take(runs, {runs[1].id}, FLOWS) == runs


@given(
    wanted=st.lists(st.sampled_from([RETRAIN, SCORE]), max_size=30),
    at_once=st.integers(1, 5),
    ended=st.randoms(use_true_random=False),
)
def test_every_run_starts_once_and_never_too_many(wanted, at_once, ended):
    queue = RunQueue(at_once)
    waiting = {run.id: run for run in (due(minute, one) for minute, one in enumerate(wanted))}
    active: dict[UUID, FlowRun] = {}
    started = []
    while waiting or active:
        # The server may still list a run that has just started.
        listed = [*waiting.values(), *active.values()]
        for run in queue.take(listed, set(active), FLOWS):
            started.append(run.id)
            active[run.id] = waiting.pop(run.id)
        counts = Counter(run.deployment_id for run in active.values())
        assert max(counts.values()) <= at_once
        # One that waits has no room.
        for run in waiting.values():
            assert counts[run.deployment_id] == at_once
        del active[ended.choice(list(active))]
    assert len(started) == len(set(started)) == len(wanted)
