"""Networks trained in groups, several at a time: NumPy computes outside Python's lock."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from ffn.nn import History, Network

__all__ = ["Observer", "Sight", "network_groups", "run_groups"]

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What can be seen of a group of networks in training, between two epochs.

    The arrays are the training's own: they may be read and copied, not changed or kept.

    Attributes
    ----------
    epoch, epochs
        How many epochs are done, and the largest number there can be.
    rates
        Learning rate of each network of the group.
    stage, first
        Number of the stack's first resample, from 0: that of a race's later stages is higher. And
        the position of the group's first network in the stack, from 0.
    network
        Those networks of the group that are computed on; others have stopped.
    members
        Their positions in the group, from 0.
    history
        Of the whole group.
    """

    epoch: int
    epochs: int
    rates: Sequence[float]
    stage: int
    first: int
    network: Network
    members: Sequence[int]
    history: History


Observer = Callable[[Sight], None]
"""Is shown networks in training, from any of the threads that train; must not raise."""


def network_groups(networks: int, at_once: int, threads: int = 1) -> list[slice]:
    """Return the members of groups of about equal size.

    A network alone may differ in the last bits from the same network in a stack, because NumPy
    may add in another order. So where two fit, none is left alone, and a group of two may take
    in a third.

    Parameters
    ----------
    networks
        Number of networks.
    at_once
        Largest size of a group, for the memory that its networks take.
    threads
        Number of groups that are trained at the same time, default one. Each gets a group.
    """
    count = max(-(-networks // at_once), min(threads, networks // 2))
    if at_once > 1:
        count = max(1, min(count, networks // 2))
    ends = [networks * i // count for i in range(count + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def run_groups(
    train: Callable[[slice, Callable[[int], None] | None], R],
    groups: Sequence[slice],
    threads: int,
    on_epoch: Callable[[int], None] | None,
) -> list[R]:
    """Return the results of all groups, in their order.

    Parameters
    ----------
    train
        Trains one group. Called with the group, and with what it has to call with the number of
        epochs done.
    groups
        Members of each group.
    threads
        Number of groups to train at the same time.
    on_epoch
        Called with the number of epochs done, averaged over the groups; None to call nothing. An
        exception from it ends all groups.
    """
    done, told = [0] * len(groups), 0
    lock, failed = threading.Lock(), threading.Event()

    def report(number: int, epochs: int) -> None:
        nonlocal told
        if failed.is_set():
            raise _OtherGroupError
        with lock:
            done[number] = epochs
            average = sum(done) // len(done)
            if on_epoch is not None and average > told:
                told = average
                on_epoch(average)

    def run(number: int) -> R:
        try:
            return train(groups[number], lambda epochs: report(number, epochs))
        except BaseException:
            failed.set()
            raise

    if threads == 1 or len(groups) == 1:
        return [run(number) for number in range(len(groups))]
    with ThreadPoolExecutor(min(threads, len(groups)), "networks") as pool:
        # Whoever listens to the epochs may depend on the context of the caller.
        futures = [
            pool.submit(contextvars.copy_context().run, run, number)
            for number in range(len(groups))
        ]
    errors = [error for future in futures if (error := future.exception())]
    for error in errors:
        if not isinstance(error, _OtherGroupError):
            raise error
    return [future.result() for future in futures]


class _OtherGroupError(Exception):
    """Ends a group because another one has failed."""
