"""Check before a retraining that the registry can be changed when it ends."""

from __future__ import annotations

from pathlib import Path

from ffn.errors import RegistryError
from ffn.registry.promotion_history import HISTORY, recover
from ffn.registry.versions import versions
from ffn.storage.pipeline_locks import registry_lock

__all__ = ["require_changeable"]


def require_changeable(artifacts: Path) -> None:
    """Check that a version can be registered and reported, before spending hours on training.

    If there is no registry yet, nothing is checked or created.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.

    Raises
    ------
    RegistryError
        The lock is not a regular file, or ``reports`` is not a folder.
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
        raise RegistryError(f"{reports} is not a folder, but reports are written there. Remove it.")
