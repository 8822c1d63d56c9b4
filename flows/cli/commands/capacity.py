"""``ffn capacity``: how many workers a daily volume takes, and what is used up first."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from ffn.errors import SettingsError, quote
from flows.cli.commands.common import print_json
from flows.cli.commands.options.verb_parser import VerbParser, Verbs

__all__ = ["add", "bytes_of", "run"]

_DAILY = ("10GB", "100GB", "1TB", "10TB")
_UNITS = ("", "K", "M", "G", "T", "P")


def add(verbs: Verbs, parents: Sequence[VerbParser]) -> VerbParser:
    """Declare the verb in ``verbs``, with the options of ``parents``."""
    capacity = verbs.add_parser(
        "capacity",
        parents=parents,
        help="say how many workers a daily volume takes, and what is used up first",
    )
    capacity.add_argument(
        "--daily",
        metavar="SIZE",
        nargs="+",
        default=list(_DAILY),
        help=f"bytes of input a day, such as 200GB (default: {' '.join(_DAILY)})",
    )
    capacity.add_argument(
        "--within", metavar="HOURS", type=float, default=8.0, help="hours of a day (default: 8)"
    )
    capacity.add_argument(
        "--row-bytes",
        metavar="BYTES",
        type=float,
        help="bytes of a row (default: as in the file that was measured)",
    )
    capacity.add_argument(
        "--file-size", metavar="SIZE", default="10GB", help="bytes of a file (default: 10GB)"
    )
    capacity.add_argument(
        "--cores", metavar="N", type=int, default=16, help="processors of a machine (default: 16)"
    )
    capacity.add_argument(
        "--gigabits",
        metavar="N",
        type=float,
        default=10.0,
        help="of a machine's network card, a second (default: 10)",
    )
    return capacity


def bytes_of(text: str, option: str) -> float:
    """Return the bytes that a size such as ``200GB`` or ``1.5 TB`` names (powers of 1000).

    Parameters
    ----------
    text
        What was typed.
    option
        Where; for the message.

    Raises
    ------
    SettingsError
        It is no size.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)b?\s*", text, re.IGNORECASE)
    if found is None:
        raise SettingsError(
            f"{option} is {quote(text)}, which is no size; give bytes, or such as 200GB or 1.5TB."
        )
    return float(found[1]) * 1000.0 ** _UNITS.index(found[2].upper())


def run(options: argparse.Namespace) -> int:
    """Print the plan for each volume."""
    from ffn.capacity.capacity_plan import Demand, plan_capacity
    from ffn.capacity.capacity_text import capacity_document, capacity_text
    from ffn.capacity.rates import known_rates

    rates = known_rates()
    plans = []
    for daily in options.daily:
        demand = Demand(
            daily=bytes_of(daily, "--daily"),
            hours=options.within,
            row_bytes=rates.row_bytes if options.row_bytes is None else options.row_bytes,
            file_bytes=bytes_of(options.file_size, "--file-size"),
            cores=options.cores,
            network=options.gigabits * 1e9,
        )
        plans.append((demand, plan_capacity(demand, rates)))
    if options.json:
        print_json(capacity_document(plans, rates))
    else:
        print(capacity_text(plans, rates))  # noqa: T201
    return 0
