"""Steps of a pipeline, and what executes them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from ffn.registry.actor import Actor, this_process

__all__ = ["Executor", "Gathered", "InProcess", "Step"]

P = ParamSpec("P")
R = TypeVar("R")


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
        What the terminal calls the step while it runs; by default its name.
    label
        Name of a single run of the step: a format string over the function's arguments. By
        default the name of the step.
    writes
        True if the step writes files, so that it may be repeated after a transient error of
        the disk.
    """

    name: str
    function: Callable[P, R]
    summary: Callable[..., str]
    activity: str = ""
    label: str = ""
    writes: bool = False


@dataclass(frozen=True)
class Gathered(Generic[R]):
    """Results of one step that was run once for each of several names.

    Attributes
    ----------
    results
        In the order of the names, without those that failed.
    failures
        The reason for each name that failed.
    """

    results: list[R]
    failures: dict[str, str] = field(default_factory=dict)


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
        step: Step[Concatenate[str, P], R],
        names: Collection[str],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[R]:
        """Run a step once for each name, its first argument; in parallel where possible."""
        ...


class InProcess:
    """Calls each step in this process, one after another. The first failure ends the sequence."""

    @property
    def actor(self) -> Actor:
        """The user and the command of this process."""
        return this_process()

    def run(self, step: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the step's function."""
        return step.function(*args, **kwargs)

    def run_each(
        self,
        step: Step[Concatenate[str, P], R],
        names: Collection[str],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Gathered[R]:
        """Call the step's function for one name after another."""
        return Gathered([step.function(name, *args, **kwargs) for name in names])
