"""How much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["memory_limit"]

# Files with a container's limit, in version 2 and version 1 of Linux control groups.
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def memory_limit(control_groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the available memory in bytes: the machine's, or a container's limit if smaller.

    Parameters
    ----------
    control_groups
        Mount point of Linux control groups, by default the usual one.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(_read(control_groups / name, machine) for name in _LIMITS)])


def _read(path: Path, otherwise: int) -> int:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # not there, or "max"
        return otherwise
