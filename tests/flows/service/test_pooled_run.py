"""The flow that a worker of a pool runs: its own, whatever the service calls the package."""

from __future__ import annotations

import pytest

from flows.service.pools.pooled_run import own_entrypoint


@pytest.mark.parametrize(
    ("deployed", "own"),
    [
        ("flows.retrain_flow.retrain", "flows.retrain_flow.retrain"),
        ("ffn_flows.retrain_flow.retrain", "flows.retrain_flow.retrain"),
        ("ffn_flows.score_flow:score_inbox", "flows.score_flow:score_inbox"),
        ("others.retrain_flow.retrain", None),
        ("flowsome.retrain_flow.retrain", None),
        ("", None),
    ],
)
def test_a_flow_of_the_service_is_the_one_of_this_package(deployed: str, own: str | None) -> None:
    assert own_entrypoint(deployed) == own
