"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

from threadpoolctl import threadpool_info

__all__ = ["describe_machine"]

_PACKAGES = ("numpy", "scikit-learn", "scipy", "prefect")


def describe_machine() -> str:
    """Return processor, cores, system, Python, package and BLAS versions, on one line."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    blas = {
        f"{library['internal_api']} {library['version']}"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }
    parts = [
        _processor(),
        f"{os.cpu_count()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        *versions,
        *sorted(blas),
    ]
    return ", ".join(parts)


def _processor() -> str:
    """Return the processor's name where Linux tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "processor unknown"
