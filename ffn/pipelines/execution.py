"""Steps of a pipeline, and what executes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from ffn.registry.actor import Actor

__all__ = ["Executor", "Gathered", "InProcess", "Step", "gather"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[P, R]):
    """One step of a pipeline. What it takes and gives is the signature of its function.

    Attributes
    ----------
    name
        Name of the step in logs, in benchmarks and on the dashboard.
    function
        Importable by name, so that any process can call it. Large arguments are paths to
        mapped files, hence small to pickle.
    summary
        Given the result and the arguments, returns one line for the log.
    activity
        What the terminal says, with a count, while the step runs for several items; empty to
        say nothing.
    label
        Name of a single run of the step: a format string over the function's arguments. By
        default the name of the step.
    writes
        True if the step writes files, so that it may be repeated after a transient error of
        the disk.
    spares
        Errors that cost no more than the result of the item they happened to, where the step
        runs for several; any other ends the sequence.
    """

    name: str
    function: Callable[P, R]
    summary: Callable[..., str]
    activity: str = ""
    label: str = ""
    writes: bool = False
    spares: tuple[type[Exception], ...] = ()


@dataclass(frozen=True)
class Gathered(Generic[T, R]):
    """Results of one step that was run once for each of several items.

    Attributes
    ----------
    results
        In the order of the items, without those that failed.
    failures
        Each item that failed, with its error.
    """

    results: list[R]
    failures: list[tuple[T, Exception]] = field(default_factory=list)


def gather(step: Step[..., R], calls: Iterable[tuple[T, Callable[[], R]]]) -> Gathered[T, R]:
    """Collect the results of a step, and the errors that it spares.

    Parameters
    ----------
    calls
        Each item with what returns its result, or raises its error.
    """
    results, failures = [], []
    for item, call in calls:
        try:
            results.append(call())
        except step.spares as error:
            failures.append((item, error))
    return Gathered(results, failures)


class Executor(Protocol):
    """Executes steps: in this process, as tasks of a scheduler, on other machines.

    A sequence of steps is an ordinary function that is given an executor. An executor decides
    where a step runs, never what it computes.

    Attributes
    ----------
    actor
        Who or what runs the steps, for provenance and history.
    """

    @property
    def actor(self) -> Actor:
        """Who or what runs the steps."""
        ...

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a step and return its result."""
        ...

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Run a step once for each item, its first argument; in parallel where possible."""
        ...

    def warn(self, text: str) -> None:
        """Log trouble that does not end the sequence, if there is a log."""
        ...


class InProcess:
    """Calls each step in this process, one after another."""

    @property
    def actor(self) -> Actor:
        """The user and the command of this process."""
        # Scoring, which is to start within moments, has no use for it.
        from ffn.registry.actor import this_process

        return this_process()

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the step's function."""
        return step.function(*args, **kwargs)

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Call the step's function for one item after another."""
        return gather(
            step, ((item, partial(step.function, item, *args, **kwargs)) for item in items)
        )

    def warn(self, text: str) -> None:
        """Say nothing: the outcome tells of it."""
