"""Steps of a pipeline, and the executors that run them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from ffn.errors import ClusterError

if TYPE_CHECKING:
    from ffn.registry.actor import Actor

__all__ = ["Executor", "Gathered", "InProcess", "Step", "gather"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[P, R]):
    """One step of a pipeline; its arguments and result are those of its function.

    Attributes
    ----------
    name
        Name of the step in logs, in benchmarks and on the dashboard.
    function
        A module-level function, so that other processes can call it. Large arguments are paths
        of mapped files, which are small to pickle.
    summary
        Function of the result and the arguments that returns one line for the log.
    activity
        Text for the terminal while the step runs for several items, shown with a count; empty,
        the default, for none.
    label
        Name of a single run of the step: a format string over the function's arguments. By
        default the name of the step.
    writes
        Whether the step writes files, so that it may be repeated after a transient error of the
        disk.
    spares
        Errors that affect only the item for which the step ran; any other error ends the
        sequence, and so does a `ClusterError`, which affects all that is left.
    told
        Is called with each result that came from another process, as soon as it is there, by an
        executor that knows of it; by default nothing is.
    """

    name: str
    function: Callable[P, R]
    summary: Callable[..., str]
    activity: str = ""
    label: str = ""
    writes: bool = False
    spares: tuple[type[Exception], ...] = ()
    told: Callable[[R], None] | None = None


@dataclass(frozen=True)
class Gathered(Generic[T, R]):
    """Results of a step that was run once for each of several items.

    Attributes
    ----------
    results
        Results in the order of the items, without those of failed items.
    failures
        Each failed item, with its error.
    """

    results: list[R]
    failures: list[tuple[T, Exception]] = field(default_factory=list)


def gather(step: Step[..., R], calls: Iterable[tuple[T, Callable[[], R]]]) -> Gathered[T, R]:
    """Collect the results of a step, and the errors that affect only one item.

    Parameters
    ----------
    step
        The step, whose ``spares`` are collected.
    calls
        Each item, with a function that returns its result or raises its error.
    """
    results, failures = [], []
    for item, call in calls:
        try:
            results.append(call())
        except ClusterError:
            raise
        except step.spares as error:
            failures.append((item, error))
    return Gathered(results, failures)


class Executor(Protocol):
    """Runs steps: in this process, as tasks of a scheduler, or on other machines.

    A sequence of steps is an ordinary function with an executor as argument. An executor decides
    where a step runs, never what it computes.

    Attributes
    ----------
    actor
        User and program that run the steps, for provenance and history.
    """

    @property
    def actor(self) -> Actor:
        """User and program that run the steps."""
        ...

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a step and return its result.

        Parameters
        ----------
        step
            The step.
        *args, **kwargs
            Arguments of its function.
        """
        ...

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Run a step once for each item, in parallel where possible.

        Parameters
        ----------
        step
            The step, whose function takes the item as its first argument.
        items
            The items.
        *args, **kwargs
            Further arguments of its function.
        """
        ...

    def log(self, text: str) -> None:
        """Log ``text``, what became known between steps, if there is a log."""
        ...

    def warn(self, text: str) -> None:
        """Log ``text``, a problem that does not end the sequence, if there is a log."""
        ...


class InProcess:
    """Runs each step in this process, one after another."""

    @property
    def actor(self) -> Actor:
        """The user and the command of this process."""
        # Imported here, because scoring does not need it and has to start quickly.
        from ffn.registry.actor import this_process

        return this_process()

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function of ``step`` with ``args`` and ``kwargs``."""
        return step.function(*args, **kwargs)

    def run_each(
        self,
        step: Step[Concatenate[T, P], R],
        items: Collection[T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[T, R]:
        """Call the function of ``step`` for one of the ``items`` after another.

        Parameters
        ----------
        step
            The step, whose function takes the item as its first argument.
        items
            The items.
        *args, **kwargs
            Further arguments of its function.
        """
        return gather(
            step, ((item, partial(step.function, item, *args, **kwargs)) for item in items)
        )

    def log(self, text: str) -> None:
        """Ignore ``text``: there is no log."""

    def warn(self, text: str) -> None:
        """Ignore ``text``, because the outcome contains the problem, too."""
