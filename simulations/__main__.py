"""``python -m simulations``: simulate, print, and write the picture and table of docs/gate.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the simulation of the gate."""
    parser = argparse.ArgumentParser(prog="python -m simulations", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the same code in seconds; writes nothing"
    )
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")
    options = parser.parse_args()
    # Read by the library when NumPy is imported: many processes, each with one thread.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from ffn.files import write_bytes
    from simulations.page import draw, section, with_section
    from simulations.runs import FULL, QUICK, simulate

    found = simulate(QUICK if options.quick else FULL, options.workers)
    text = section(found)
    sys.stdout.write(f"{text}\n")
    if not options.quick:
        page = _ROOT / "docs" / "gate.md"
        content = with_section(page.read_text("utf-8"), text)
        write_bytes(_ROOT / "docs" / "images" / "gate_simulation.png", draw(found))
        write_bytes(page, content.encode())


if __name__ == "__main__":
    main()
