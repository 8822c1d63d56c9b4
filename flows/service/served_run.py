"""A run of ``ffn serve``, in a process of its own: Prefect's engine, in a closed Prefect."""

from __future__ import annotations

import runpy

# Importing this package has closed Prefect, which the engine's own command would not.
if __name__ == "__main__":
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
