"""A run of ``ffn serve`` in its own process: Prefect's engine with ``closed_prefect`` applied."""

from __future__ import annotations

import runpy

# Importing this package applies `closed_prefect`; the engine's own command would not.
if __name__ == "__main__":
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
