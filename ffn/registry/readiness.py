"""Whether a retraining that begins now could end: what it changes then can be changed."""

from __future__ import annotations

from pathlib import Path

from ffn.errors import RegistryError
from ffn.registry.promotion_history import HISTORY, recover
from ffn.registry.versions import versions
from ffn.storage.pipeline_locks import registry_lock

__all__ = ["require_changeable"]


def require_changeable(artifacts: Path) -> None:
    """Refuse before training what would be refused after hours of it.

    Where there is no version yet there is no registry either, and none is begun.

    Raises
    ------
    RegistryError
        The lock or the folder of reports is something else.
    OSError
        The history cannot be read or written.
    """
    if not versions(artifacts):
        return
    with registry_lock(artifacts):
        recover(artifacts)
        history = artifacts / HISTORY
        if history.exists():
            history.open("ab").close()
    reports = artifacts / "reports"
    if (reports.exists() or reports.is_symlink()) and not reports.is_dir():
        raise RegistryError(f"{reports} is no folder, and reports are written there. Remove it.")
