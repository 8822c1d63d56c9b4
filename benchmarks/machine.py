"""What the figures were measured on, and what keeps it to one thread."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from threadpoolctl import threadpool_info

__all__ = ["describe_machine", "one_thread", "processor"]


def one_thread() -> dict[str, str]:
    """Return the environment variables by which each library starts no more than one thread.

    ``NPROC`` is XLA's: without it a program compiled by JAX runs on all processors, whatever
    ``XLA_FLAGS`` says.
    """
    return {
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "NPROC": "1",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }


def describe_machine(packages: Sequence[str]) -> str:
    """Return processor, cores, system, Python, versions of packages and BLAS, on one line."""
    versions = [
        f"{package} {importlib.metadata.version(package)}"
        for package in packages
        if find_spec(package.replace("scikit-learn", "sklearn"))
    ]
    blas = {
        f"{library['internal_api']} {library['version']}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    parts = [
        processor(),
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *versions,
        *sorted(blas),
    ]
    return ", ".join(parts)


def processor() -> str:
    """Return the processor's name where Linux tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "processor unknown"
