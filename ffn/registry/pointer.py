"""Promote and roll back versions: move the production pointer, and append to the history."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path
from typing import Literal

from ffn.bundles.contents import check_bundle
from ffn.errors import BundleError, RegistryError
from ffn.registry.actor import Actor, this_process
from ffn.registry.production import POINTER, Promotion, read_pointer
from ffn.registry.promotion_history import (
    HISTORY,
    append,
    read_history,
    recover,
)
from ffn.registry.versions import (
    bundle_folder,
    in_production,
    require_version,
    versions,
)
from ffn.storage.documents import write_json
from ffn.storage.pipeline_locks import registry_lock

__all__ = ["predecessor", "promote", "rollback"]

# About a page of text: the pointer is read before each file that is scored.
_LONGEST_REASON = 1_000


def promote(
    artifacts: Path,
    version: int,
    *,
    reason: str,
    replacing: int | Literal["any", "none"] = "any",
    by: Actor | None = None,
) -> Promotion | None:
    """Put a version into production, and append to the history.

    The pointer holds the SHA-256 of its bundle, so a bundle that is replaced later is detected.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    version
        Number in the registry.
    reason
        Why, at most 1,000 characters; bytes that are not valid text are replaced.
    replacing
        Number of the version that has to be in production now, or ``"none"``; otherwise nothing
        is done. With ``"any"``, the default of a manual promotion, a pointer that is damaged or
        contradicts the history is overwritten.
    by
        Who or what promotes; by default this process.

    Returns
    -------
    Promotion or None
        The history entry that put the version into production, an older one if it already was;
        None if another version is in production than the one to be replaced.

    Raises
    ------
    RegistryError
        There is no such version, or its files are not the ones that were registered; or the reason
        is too long.
    BundleError
        Its bundle is damaged.
    OSError
        A file cannot be written, and nothing was done.
    """
    reason = _checked_reason(reason)
    require_version(artifacts, version)
    with registry_lock(artifacts):
        history = recover(artifacts)
        pointer = read_pointer(artifacts)
        pointed = pointer.promotion
        sha256 = _check(artifacts, version)
        # A caller that retries after a failure may have succeeded the first time.
        if pointed and (pointed.version, pointed.bundle_sha256) == (version, sha256):
            sound = history.entries[-1:] == (pointed,) and pointer.is_canonical
            if sound or replacing != "any":
                return pointed
        if replacing != "any":
            scoring = in_production(artifacts)
            if replacing != (scoring.version if scoring else "none"):
                return None
        return _point(artifacts, version, sha256, action="promote", reason=reason, by=by)


def rollback(artifacts: Path, *, reason: str, by: Actor | None = None) -> Promotion:
    """Undo the last promotion that has not been undone, and return the entry in the history.

    The version that was in production before returns to production, so a second rollback goes one
    further back. Versions that no longer exist are skipped.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    reason
        Why, at most 1,000 characters; bytes that are not valid text are replaced.
    by
        Who or what rolls back; by default this process.

    Raises
    ------
    RegistryError
        No version is in production, or none was before; or the reason is too long.
    BundleError
        The bundle to go back to is damaged; production stays.
    OSError
        A file cannot be written, and nothing was done.
    """
    reason = _checked_reason(reason)
    with registry_lock(artifacts):
        recover(artifacts)
        before = predecessor(artifacts)
        if before is None:
            raise RegistryError(
                f"{artifacts.name}: there is no version to roll back to: no existing version was "
                f"in production before. Promote one by its number: ffn promote {artifacts.name} N"
            )
        try:
            sha256 = _check(artifacts, before)
        except (BundleError, RegistryError) as error:
            raise type(error)(
                f"{error} A rollback returns to version {before}; to promote another, give its "
                f"number: ffn promote {artifacts.name} N"
            ) from None
        return _point(artifacts, before, sha256, action="rollback", reason=reason, by=by)


def predecessor(artifacts: Path) -> int | None:
    """Return the version that a rollback would return to; None if there is none.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    stack = read_history(artifacts).stack
    # If the versions promoted in between are gone, production would be its own predecessor.
    others = set(versions(artifacts)) - set(stack[-1:])
    return next((version for version in reversed(stack) if version in others), None)


def _checked_reason(reason: str) -> str:
    if len(reason) > _LONGEST_REASON:
        raise RegistryError(
            f"the reason has {len(reason):,} characters; at most {_LONGEST_REASON:,} are allowed. "
            "Shorten it."
        )
    # Bytes that are not valid text cannot be stored in JSON.
    return reason.encode(errors="replace").decode()


def _point(
    artifacts: Path,
    version: int,
    sha256: str,
    *,
    action: Literal["promote", "rollback"],
    reason: str,
    by: Actor | None,
) -> Promotion:
    """Move the pointer, then append to the history; the caller holds the lock."""
    if (artifacts / POINTER).is_dir():
        raise RegistryError(f"{artifacts / POINTER}: a folder. Remove it and try again.")
    history = read_history(artifacts)
    pointed = read_pointer(artifacts).promotion
    entry = Promotion(
        action=action,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        version=version,
        bundle_sha256=sha256,
        replaced=pointed.version if pointed else None,
        reason=reason,
        by=by or this_process(),
        previous_sha256=history.last_sha256,
    )
    # Opened first, so that the pointer does not move if nothing can be written.
    with (artifacts / HISTORY).open("ab", buffering=0) as file:
        write_json(artifacts / POINTER, entry.to_json())
        # If the disk is full now, the line is not lost: the pointer has the entry.
        with contextlib.suppress(OSError):
            append(file, entry.line)
    return entry


def _check(artifacts: Path, version: int) -> str:
    """Check a version's bundle, and return its SHA-256."""
    folder = bundle_folder(artifacts, version).parent
    return check_bundle(folder, pipeline=artifacts.name, version=version)
