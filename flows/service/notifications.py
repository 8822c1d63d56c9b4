"""Notifications of failures, promotions and drift: one Prefect automation per kind."""

from __future__ import annotations

import os
from collections.abc import Sequence

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from ffn.settings.pipeline import Pipeline
from flows.server.service_home import ServiceError
from flows.service.deployments import resource_of

__all__ = ["notify"]

_EVENTS = {
    "kept": "model.kept",
    "promoted": "model.promoted",
    "drift": "drift.detected",
    "quality": "quality.fell",
}
# Slack and services that accept its format require "text".
_MESSAGE = {"subject": "{{subject}}", "body": "{{body}}", "text": "{{subject}}\n{{body}}"}
_FAILED = {"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}


async def notify(client: PrefectClient, pipelines: Sequence[Pipeline]) -> None:
    """Create the automations that the pipelines' settings ask for, replacing earlier ones.

    Parameters
    ----------
    client
        A client of Prefect's server.
    pipelines
        The pipelines served.

    Raises
    ------
    ServiceError
        The environment variable named as the webhook is not set.
    """
    wanted = {
        automation.name: automation
        for pipeline in pipelines
        for automation in await _automations(pipeline)
    }
    ours = {f"{pipeline.name}: tell of " for pipeline in pipelines}
    for existing in await client.read_automations():
        if existing.name.startswith(tuple(ours)):
            await client.delete_automation(existing.id)
    for automation in wanted.values():
        await client.create_automation(automation)


async def _automations(pipeline: Pipeline) -> list[AutomationCore]:
    settings = pipeline.settings.notify
    if settings.webhook is None:
        return []
    block = CustomWebhookNotificationBlock(
        name=f"ffn {pipeline.name}",
        url=_address(settings.webhook),
        json_data=_MESSAGE,
        headers=None,
        cookies=None,
    )
    document = await block.asave(_block_name(pipeline), overwrite=True)
    return [
        AutomationCore(
            name=f"{pipeline.name}: tell of {kind}",
            description="Made by ffn serve from [notify] of pipeline.toml.",
            trigger=_trigger(pipeline, kind),
            actions=[
                SendNotification(
                    block_document_id=document,
                    subject=f"ffn: {pipeline.name}: {kind}",
                    body=_BODIES["failure" if kind == "failure" else "event"],
                )
            ],
        )
        for kind in settings.on
    ]


_BODIES = {
    "failure": "{{ flow_run.name }} {{ flow_run.state.name }}: {{ flow_run.state.message }}",
    "event": "{{ event.payload.reason }}",
}


def _trigger(pipeline: Pipeline, kind: str) -> EventTrigger:
    if kind == "failure":
        return EventTrigger(
            expect=_FAILED,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={
                "prefect.resource.id": f"prefect.tag.{pipeline.name}",
                "prefect.resource.role": "tag",
            },
            posture=Posture.Reactive,
        )
    return EventTrigger(
        expect={_EVENTS[kind]},
        match={"prefect.resource.id": resource_of(pipeline.name)},
        posture=Posture.Reactive,
    )


def _block_name(pipeline: Pipeline) -> str:
    """Return a block's name: Prefect allows lower-case letters, digits and dashes."""
    return f"ffn-{pipeline.name}".lower().replace("_", "-")


def _address(webhook: str) -> str:
    if not webhook.startswith("$"):
        return webhook
    address = os.environ.get(webhook[1:])
    if not address:
        raise ServiceError(f"notify.webhook is {webhook}, but that variable is not set. Set it.")
    return address
