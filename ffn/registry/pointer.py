"""Moving the production pointer: promotions and rollbacks, each with its line in the history."""

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

# A page: the pointer is read whole before each file that is scored.
_LONGEST_REASON = 1_000


def promote(
    artifacts: Path,
    version: int,
    *,
    reason: str,
    replacing: int | Literal["any", "none"] = "any",
    by: Actor | None = None,
) -> Promotion | None:
    """Make ``version`` the one that scores, with a line in the history.

    The pointer holds the SHA-256 that its bundle has, so no other bundle can take its place
    unseen.

    Parameters
    ----------
    reason
        Of at most 1,000 characters; what is no text is replaced.
    replacing
        Which version has to be in production still; where another is, nothing is done. With
        ``"any"`` a pointer that is damaged, or does not agree with the history, is written anew.
    by
        Who or what promotes; by default this process.

    Returns
    -------
    Promotion or None
        The entry that put it there, an older one if it scored already; None if it does not score.

    Raises
    ------
    RegistryError
        There is no such version, or it is not the one that was registered under its number;
        or the reason is too long.
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
        # Whoever tries again after a failure may have succeeded before.
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
    """Undo the last promotion that is not undone yet, and return the entry in the history.

    The version that scored before it scores again, so a second rollback goes one further back.
    One that is not there any more is passed over.

    Raises
    ------
    RegistryError
        Nothing is in production, or nothing was before; or the reason is too long.
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
                f"{artifacts.name}: there is no version to go back to: none that is there still "
                f"scored before. Promote one by its number: ffn promote {artifacts.name} N"
            )
        try:
            sha256 = _check(artifacts, before)
        except (BundleError, RegistryError) as error:
            raise type(error)(
                f"{error} Version {before} is the one to go back to; another is promoted by its "
                f"number: ffn promote {artifacts.name} N"
            ) from None
        return _point(artifacts, before, sha256, action="rollback", reason=reason, by=by)


def predecessor(artifacts: Path) -> int | None:
    """Return the version that a rollback would go to; None if there is none."""
    stack = read_history(artifacts).stack
    # Where what was promoted between is gone, the one that scores stands before itself.
    others = set(versions(artifacts)) - set(stack[-1:])
    return next((version for version in reversed(stack) if version in others), None)


def _checked_reason(reason: str) -> str:
    if len(reason) > _LONGEST_REASON:
        raise RegistryError(
            f"the reason has {len(reason):,} characters, and {_LONGEST_REASON:,} are the most. "
            "Shorten it."
        )
    # A byte that is no text has no place in JSON.
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
    """Move the pointer, then add to the history; the caller has the lock."""
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
    # Opened first: where nothing can be written, the pointer does not move.
    with (artifacts / HISTORY).open("ab", buffering=0) as file:
        write_json(artifacts / POINTER, entry.to_json())
        # The pointer has the entry: on a disk that is full now, the line is owed, not lost.
        with contextlib.suppress(OSError):
            append(file, entry.line)
    return entry


def _check(artifacts: Path, version: int) -> str:
    """Return the SHA-256 of a bundle that may score."""
    folder = bundle_folder(artifacts, version).parent
    return check_bundle(folder, pipeline=artifacts.name, version=version)
