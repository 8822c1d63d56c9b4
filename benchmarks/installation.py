"""What an installation takes: megabytes by extra, and the time in which a command starts.

``python -m benchmarks.installation BASE`` measures and writes the tables of
docs/how-to/install.md. BASE is an environment with the wheel and `requirements-base.txt` alone;
that of the running Python has everything::

    make dist && python3 -m venv build/base
    build/base/bin/pip install --require-hashes --no-deps --requirement requirements-base.txt
    build/base/bin/pip install --no-deps dist/*.whl
    .venv/bin/python -m benchmarks.installation build/base
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median
from typing import Any

from packaging.requirements import Requirement

from ffn.storage.atomic import write_bytes

__all__ = ["closure", "main", "sizes_table", "starts_table", "with_tables"]

_ROOT = Path(__file__).parents[1]
_PAGE = _ROOT / "docs/how-to/install.md"
_RUNS = 5
_LARGEST = 4
# What each extra is for.
_EXTRAS = {"": "ffn-pipeline", "pandas": "[pandas]", "report": "[report]", "service": "[service]"}
_COMMANDS = {
    "ffn --version": ("--version",),
    "ffn score iris FILE --direct": (
        *("score", "iris", "data/iris/inbox/new_flowers.csv", "--direct", "--force"),
    ),
}


def closure(names: Iterable[str]) -> set[str]:
    """Return packages with all that they require here, each by its canonical name.

    Parameters
    ----------
    names
        Requirements, such as ``prefect==3.8.8``.
    """
    found: set[tuple[str, str]] = set()
    waiting = [(one, extra) for name in names for one, extra in _with_extras(Requirement(name))]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add((name, extra))
        for needed in map(Requirement, lines):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += _with_extras(needed)
    return {name for name, _ in found}


def _with_extras(needed: Requirement) -> list[tuple[str, str]]:
    name = re.sub(r"[-_.]+", "-", needed.name).lower()
    return [(name, extra) for extra in ("", *needed.extras)]


def _megabytes(name: str) -> float:
    files = (path.locate() for path in distribution(name).files or ())
    return sum(Path(str(p)).stat().st_size for p in files if Path(str(p)).is_file()) / 1e6


def sizes_table(megabytes: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table of what the base and each extra take.

    Parameters
    ----------
    megabytes
        By extra, of which "" is the base, the size of each package that it adds.
    """
    lines = ["| installed | packages | MB | the largest of them |", "|---|--:|--:|---|"]
    for extra, sizes in megabytes.items():
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_LARGEST]
        named = ", ".join(f"{name} {sizes[name]:.0f}" for name in largest)
        what = f"`{_EXTRAS[extra]}`" if not extra else f"`{_EXTRAS[extra]}` adds"
        lines.append(f"| {what} | {len(sizes)} | {sum(sizes.values()):.0f} | {named} |")
    every = [size for sizes in megabytes.values() for size in sizes.values()]
    lines.append(f"| `[all]`: everything above | {len(every)} | {sum(every):.0f} | |")
    return "\n".join(lines)


def starts_table(seconds: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table of how long commands take.

    Parameters
    ----------
    seconds
        By command and installation, the median CPU seconds.
    """
    kinds = list(next(iter(seconds.values())))
    lines = [f"| CPU seconds | {' | '.join(kinds)} |", f"|---|{'--:|' * len(kinds)}"]
    lines += [
        f"| `{command}` | {' | '.join(f'{found[kind]:.2f}' for kind in kinds)} |"
        for command, found in seconds.items()
    ]
    return "\n".join(lines)


def with_tables(page: str, tables: str) -> str:
    """Return the page with other tables between its two marks.

    Parameters
    ----------
    page
        The page.
    tables
        What stands between the marks.
    """
    begin, end = "<!-- measured by benchmarks/installation.py -->\n", "<!-- end of measured -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{tables}\n\n{end}{after}"


def _seconds(python: Path, arguments: tuple[str, ...], root: Path) -> float:
    """Return the median CPU seconds of a command of an installation."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FFN_", "PYTHON"))}
    found = []
    for _ in range(_RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _run([python.parent / "ffn", *arguments], root, environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # The first may compile what the others find compiled.
    return median(found[1:])


def _run(command: list[Any], root: Path, environment: dict[str, str]) -> None:
    subprocess.run(  # noqa: S603
        command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def main(base: Path) -> None:
    """Measure, and write the tables into the page; ``base`` is the environment of the base."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known = closure(project["dependencies"])
    megabytes = {"": {name: _megabytes(name) for name in sorted(known)}}
    for extra in list(_EXTRAS)[1:]:
        more = closure(project["optional-dependencies"][extra]) - known
        known |= more
        megabytes[extra] = {name: _megabytes(name) for name in sorted(more)}
    pythons = {"`[all]`": Path(sys.executable), "the base": base.absolute() / "bin/python"}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(_ROOT / "data/iris", root / "data/iris")
        _run(
            [pythons["`[all]`"].parent / "ffn", "retrain", "iris", "--direct"], root, {**os.environ}
        )
        seconds = {
            command: {name: _seconds(python, words, root) for name, python in pythons.items()}
            for command, words in _COMMANDS.items()
        }
    tables = f"{sizes_table(megabytes)}\n\n{starts_table(seconds)}"
    write_bytes(_PAGE, with_tables(_PAGE.read_text("utf-8"), tables).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
