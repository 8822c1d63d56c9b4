"""A page whose commands are run one after another, and whose outputs are what they print.

    python -m docs.extensions.executed_page docs/start/first-pipeline.md

runs the commands in a folder of their own and writes what they print into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks", "prepare", "run_block", "written"]

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
# What differs from run to run, and stands for it on the page.
_TIME = (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "2026-03-01 04:00")
_ESTIMATE = (re.compile(r"(?<=will take about ).+?(?= on this machine)"), "15 s to 1.5 min")
_PLACE = "/path/to"


@dataclass(frozen=True)
class Block:
    """Commands of a page, with the output shown below them.

    Attributes
    ----------
    commands
        Lines for a shell.
    shown
        What the page says that they print; None if it says nothing.
    """

    commands: str
    shown: str | None


def blocks(text: str) -> list[Block]:
    """Return the blocks of commands in a page's ``text``, in order."""
    return [Block(found[1], found[2]) for found in _BLOCK.finditer(text)]


def prepare(folder: Path) -> None:
    """Make ``folder`` look like a fresh checkout after ``make run`` has installed everything.

    Commands are this Python's and this checkout's. ``make run`` runs the commands of the Makefile
    without Prefect, which changes nothing that is printed.
    """
    shutil.copytree(ROOT / "data", folder / "data")
    bin_folder = folder / ".venv/bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "activate").touch()
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.findall(r"^\t\$\(BIN\)/(ffn .*)$", makefile, re.MULTILINE)
    programs = {
        "ffn": f'exec "{sys.executable}" -m flows "$@"',
        "python": f'exec "{sys.executable}" "$@"',
        "make": "\n".join(["set -e", *(f"{line} --direct" for line in recipe)]),
    }
    for name, body in programs.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (bin_folder / name).chmod(0o755)


def run_block(commands: str, folder: Path) -> str:
    """Run commands in a folder and return what they print, times and places evened out.

    Parameters
    ----------
    commands
        Lines for a shell; the first that fails ends them.
    folder
        A folder that `prepare` has made.

    Raises
    ------
    RuntimeError
        A command failed; the text is what it said on standard error.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FFN_", "PREFECT_"))}
    search = os.pathsep.join([str(folder / ".venv/bin"), kept.get("PATH", "")])
    done = subprocess.run(  # noqa: S603 - a page of ours
        ["/bin/bash", "-e", "-c", commands],
        cwd=folder,
        env={**kept, "PATH": search, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{commands.strip()}: {done.stderr.strip()}")
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    text = "\n".join(lines).replace(str(folder.resolve()), _PLACE).replace(str(folder), _PLACE)
    for pattern, stands in (_TIME, _ESTIMATE):
        text = pattern.sub(stands, text)
    return text + "\n"


def written(text: str, outputs: list[str]) -> str:
    """Return a page with other outputs below its commands.

    Parameters
    ----------
    text
        The page.
    outputs
        What each block printed; those without a block of output below them stay without.
    """
    remaining = iter(outputs)

    def block(found: re.Match[str]) -> str:
        output = next(remaining)
        below = "" if found[2] is None else f"\n```text\n{output}```\n"
        return f"```sh\n{found[1]}```\n{below}"

    return _BLOCK.sub(block, text)


def main(page: Path) -> None:
    """Run the commands of ``page`` and write their outputs into it."""
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary))
        outputs = [run_block(block.commands, Path(temporary)) for block in blocks(text)]
    page.write_text(written(text, outputs), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
