"""``ffn verify PIPELINE``: recompute and check every digest of the registry."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ffn.errors import RegistryError, one_line
from flows.cli.commands.common import find, print_checked
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "run"]


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    verify = verbs.add_parser(
        "verify",
        parents=parents,
        help="check the digests of all versions, the production pointer and the history",
    )
    verify.add_argument("pipeline", metavar="PIPELINE")
    return verify


def run(options: argparse.Namespace) -> int:
    """Check the registry and print each damage; raise ``RegistryError`` if there is any."""
    _, pipeline = find(options)
    from ffn.quantities import counted, size
    from ffn.registry.verification import verify
    from flows.cli.display.terminal import from_here, plain_console

    found = verify(pipeline.artifacts)
    versions, damages = len(found.versions), len(found.damages)
    checked = f"{counted(versions, 'version')}, {counted(found.files, 'file')}, {size(found.bytes)}"

    def check() -> None:
        if damages:
            raise RegistryError(
                f"{pipeline.name}: {counted(damages, 'problem')} in {checked}. Restore the files "
                "named from a backup, or delete that version's folder. A damaged bundle is never "
                "promoted."
            )

    if options.json:
        listed = [{"path": str(d.path), "problem": d.problem} for d in found.damages]
        counts = {"versions": list(found.versions), "files": found.files, "bytes": found.bytes}
        return print_checked({"pipeline": pipeline.name, **counts, "damages": listed}, check)
    console = plain_console(sys.stdout)
    for damage in found.damages:
        line = f"{from_here(damage.path)} {damage.problem}"
        console.print(one_line(line), soft_wrap=True)
    check()
    console.print(f"{pipeline.name}: {checked}: no damage found.")
    return 0
