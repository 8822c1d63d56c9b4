"""The process that is connected to Ray on behalf of another one.

Ray ends a process without a word when its cluster is lost, and writes to standard output and error
past Python. Neither may happen to a retraining, so Ray lives here: frames of bytes come in on
standard input, answers go out on standard output, and when the input ends, so does this process.

::

    python -m ffn.clusters.ray_driver    a frame with "setup", then frames with "id"
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import queue
import sys
import threading
import time
from concurrent.futures import Future
from functools import partial
from typing import IO, Any, NamedTuple

from ffn.clusters.likeness import own_likeness, unlikeness
from ffn.clusters.pipe import receive, send
from ffn.errors import one_line
from ffn.storage.documents import parse_json

__all__ = ["main"]

_MOMENT = 0.2
_SECONDS_BETWEEN_LOOKS = 2.0
# How often a task is tried again whose worker or machine was lost.
_MOST_LOSSES = 3


class _RefusedError(Exception):
    """What cannot be done, in words for the user, without the name of the cluster."""


def main() -> None:
    """Connect as the first frame says, then compute what the others ask for."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What Ray prints goes where its errors go.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    first = receive(requests)
    if first is None:
        return
    try:
        setup = parse_json(first["setup"])
        _connect(setup)
        _check_all(setup["patience"])
        _serve(requests, answers, setup["patience"])
    except _RefusedError as refusal:
        with contextlib.suppress(OSError):
            send(answers, {"refused": str(refusal).encode()})
    except OSError:
        # Whoever asked is gone.
        pass
    finally:
        import ray

        with contextlib.suppress(Exception):
            ray.shutdown()


def _connect(setup: dict[str, Any]) -> None:
    import ray

    own = {
        "num_cpus": setup["workers"],
        "include_dashboard": False,
        # By default its logs stay in /tmp/ray for ever.
        "_temp_dir": setup["folder"],
    }
    try:
        ray.init(
            setup["address"] or "local",
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **({} if setup["address"] else own),
        )
    except Exception as error:
        raise _RefusedError(
            f": it cannot be joined ({_told(error)}). Start it, or correct the address."
        ) from None


def _check_all(patience: float) -> None:
    """Wait for a worker, and refuse a machine whose workers are unlike this process."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    end = time.monotonic() + patience
    while not (nodes := _nodes()):
        if time.monotonic() > end:
            raise _no_workers(patience)
        time.sleep(_MOMENT)
    own, ask = own_likeness(), ray.remote(num_cpus=0)(own_likeness)
    for node, (host, _) in nodes.items():
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        try:
            found = ray.get(ask.options(scheduling_strategy=there).remote(), timeout=patience)
        except Exception as error:
            raise _RefusedError(
                f": the worker on {host} cannot be asked what it is ({_told(error)}). Look into "
                "its log."
            ) from None
        if difference := unlikeness(own, found, f"the worker on {host}"):
            raise _RefusedError(f": {difference}")


def _serve(requests: IO[bytes], answers: IO[bytes], patience: float) -> None:
    """Give each request to a worker, and answer in the order in which they are done."""
    import ray

    # Frames that were read, None at their end, and tasks that are done.
    events: queue.SimpleQueue[dict[str, bytes] | _Done | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, events), daemon=True).start()
    shared: dict[bytes, Any] = {}
    slots, next_look, last_seen = 0, 0.0, time.monotonic()
    while True:
        with contextlib.suppress(queue.Empty):
            event = events.get(timeout=_MOMENT)
            if event is None:
                return
            if isinstance(event, _Done):
                send(answers, {"id": event.number, "answer": _result(event.future)})
            else:
                if "shared" in event:
                    shared[event["key"]] = ray.put(event["shared"])
                task = _task(event["function"]).remote(event["request"], shared[event["key"]])
                task.future().add_done_callback(partial(_tell, events, event["id"]))
                del task
            del event
        if time.monotonic() > next_look:
            next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            if nodes := _nodes():
                last_seen = time.monotonic()
                before, slots = slots, sum(node.slots for node in nodes.values())
                if slots != before:
                    send(answers, {"slots": b"%d" % slots})
            elif time.monotonic() - last_seen > patience:
                raise _no_workers(patience)


class _Done(NamedTuple):
    """A task that is done: the number of its request, and the future that holds its result."""

    number: bytes
    future: Future[Any]


def _tell(
    events: queue.SimpleQueue[dict[str, bytes] | _Done | None], number: bytes, future: Future[Any]
) -> None:
    events.put(_Done(number, future))


@functools.cache
def _task(name: bytes) -> Any:
    """Return the function called ``name``, such as ``module:function``, as a task of Ray's."""
    import ray

    module, _, function = name.decode().partition(":")
    found = getattr(importlib.import_module(module), function)
    return ray.remote(max_retries=_MOST_LOSSES, num_cpus=1)(found)


def _listen(
    requests: IO[bytes], events: queue.SimpleQueue[dict[str, bytes] | _Done | None]
) -> None:
    while (frame := receive(requests)) is not None:
        events.put(frame)
    events.put(None)


def _result(future: Future[Any]) -> bytes:
    import ray

    try:
        return bytes(future.result())
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
        raise _RefusedError(
            f": every worker that was given a task was lost, {_MOST_LOSSES + 1} of them. Their "
            "logs say why; often it is their memory."
        ) from None
    except Exception as error:
        raise _RefusedError(f": a worker failed ({_told(error)}).") from None


class _Node(NamedTuple):
    """A machine that takes tasks: its address, and how many of them."""

    host: str
    slots: int


def _nodes() -> dict[str, _Node]:
    """Return the machines that take tasks, by id."""
    import ray

    return {
        node["NodeID"]: _Node(node["NodeManagerAddress"], int(node["Resources"]["CPU"]))
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    }


def _no_workers(patience: float) -> _RefusedError:
    return _RefusedError(
        f" has had no worker for {patience:,.0f} s. Start some, or raise runner.wait if they need "
        "longer."
    )


def _told(error: BaseException) -> str:
    """Return the last line of what Ray says of an error, which is the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return one_line(lines[-1].rstrip(".") if lines else type(error).__name__)[:300]


if __name__ == "__main__":
    main()
