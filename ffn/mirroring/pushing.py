"""Push a version to a mirror: its files first, what marks them as complete last."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ffn.bundles.bundle import BUNDLE_FOLDER, SIGNATURE
from ffn.bundles.contents import FILES, check_bundle, damages, read_contents
from ffn.errors import RegistryError
from ffn.mirroring.copied_version import Pushed
from ffn.mirroring.mirror_layout import CLAIM, MOST_FILES_BYTES, Mirror, mirror_at
from ffn.object_stores.store_errors import TakenObjectError
from ffn.registry.production import POINTER, Promotion, read_pointer
from ffn.registry.promotion_history import HISTORY, MOST_HISTORY_BYTES, read_history
from ffn.registry.versions import production, version_folder
from ffn.storage.documents import canonical_json
from ffn.storage.plain_files import read_plain

__all__ = ["push"]


def push(artifacts: Path, address: str) -> Pushed:
    """Push the version in production to a mirror, and put it into production there.

    Of processes that push at once, one after the other moves the pointer, and none moves it back to
    an older promotion; those of different registries are kept apart: the second is refused.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    address
        Folder in a bucket, such as ``s3://bucket/models/iris``.

    Raises
    ------
    RegistryError
        No version is in production or its files are damaged, or the mirror is of another registry.
    BundleError
        The bundle is damaged.
    DataError, SettingsError
        The store refuses, or the extra is not installed.
    """
    mirror = mirror_at(address)
    scoring = production(artifacts)
    promotion = read_pointer(artifacts).promotion
    history = read_history(artifacts)
    if promotion is None or history.damaged or promotion not in history.entries:
        raise RegistryError(
            f"{artifacts / HISTORY} does not end with what {POINTER} says. See: ffn verify "
            f"{artifacts.name}"
        )
    folder = version_folder(artifacts, scoring.version)
    contents = read_contents(folder, pipeline=artifacts.name, version=scoring.version)
    check_bundle(folder, pipeline=artifacts.name, version=scoring.version)
    for damage in damages(folder, contents):
        raise RegistryError(f"{damage.path} {damage.problem}. See: ffn verify {artifacts.name}")
    _check_lineage(mirror, history.entries, promotion)
    names = [*sorted(contents.files)]
    if (folder / BUNDLE_FOLDER / SIGNATURE).is_file():
        names.append(f"{BUNDLE_FOLDER}/{SIGNATURE}")
    sent = _push_files(mirror, folder, scoring.version, names)
    before = _move_pointer(mirror, history.entries, promotion)
    return Pushed(
        address=str(mirror.address),
        version=promotion.version,
        before=before,
        files=len(sent),
        bytes=sum(sent),
    )


def _push_files(mirror: Mirror, folder: Path, version: int, names: list[str]) -> list[int]:
    """Write the files of a version that is not complete there; return the sizes of those."""
    sealed = read_plain(folder / FILES, MOST_FILES_BYTES)
    digest = hashlib.sha256(sealed).hexdigest().encode()
    claim = mirror.version_key(version, CLAIM)
    try:
        mirror.bucket.put(claim, digest, replacing="")
    except TakenObjectError:
        found = mirror.bucket.small(claim, len(digest))
        if found is None or found[0] != digest:
            raise RegistryError(
                f"{mirror.address} has another version {version}, of another registry. Push to "
                "another address."
            ) from None
    files = mirror.version_key(version, FILES)
    if mirror.bucket.state(files) is not None:
        _require_same(mirror, version, sealed)
        return _push_signature(mirror, folder, version, names)
    sizes = []
    for name in names:
        mirror.bucket.put_file(mirror.version_key(version, name), folder / name)
        sizes.append((folder / name).stat().st_size)
    try:
        mirror.bucket.put(files, sealed, replacing="")
    except TakenObjectError:
        # By another process that pushed the same version.
        _require_same(mirror, version, sealed)
    return sizes


def _require_same(mirror: Mirror, version: int, sealed: bytes) -> None:
    if mirror.sealed(version) != sealed:
        raise RegistryError(
            f"{mirror.address}, version {version}: {FILES} was changed. Push to another address."
        )


def _push_signature(mirror: Mirror, folder: Path, version: int, names: list[str]) -> list[int]:
    """Write the signature of a version that is there already: it may have been signed since."""
    name = f"{BUNDLE_FOLDER}/{SIGNATURE}"
    if name not in names:
        return []
    content = read_plain(folder / name, MOST_FILES_BYTES)
    key = mirror.version_key(version, name)
    found = mirror.bucket.small(key, MOST_FILES_BYTES)
    if found is not None and found[0] == content:
        return []
    mirror.bucket.put(key, content)
    return [len(content)]


def _check_lineage(
    mirror: Mirror, entries: tuple[Promotion, ...], promotion: Promotion
) -> tuple[Promotion | None, str]:
    """Return what is in production there, and its mark; refuse what this registry never had."""
    there = mirror.pointer()
    if there is None:
        return None, ""
    if there.promotion not in entries:
        raise RegistryError(
            f"{mirror.address} has version {there.promotion.version} in production by a promotion "
            f"of {there.promotion.at} that this registry does not know: it is of another one, or "
            "ahead of this copy. Push from there, or to another address."
        )
    if entries.index(there.promotion) > entries.index(promotion):
        raise RegistryError(
            f"{mirror.address} is ahead: it has version {there.promotion.version} in production "
            f"since {there.promotion.at}. Push again."
        )
    return there


def _move_pointer(
    mirror: Mirror, entries: tuple[Promotion, ...], promotion: Promotion
) -> int | None:
    """Put a version into production there, and return the one that was before."""
    lines = b"".join(entry.line for entry in entries[: entries.index(promotion) + 1])
    while True:
        before, mark = _check_lineage(mirror, entries, promotion)
        if before == promotion:
            return before.version
        # First, so that it holds the entry of whatever pointer is read after it.
        _lengthen_history(mirror, lines)
        try:
            mirror.bucket.put(
                mirror.key(POINTER), canonical_json(promotion.to_json()), replacing=mark
            )
        except TakenObjectError:
            # Another process was first: look again at what it put there.
            continue
        return before.version if before else None


def _lengthen_history(mirror: Mirror, lines: bytes) -> None:
    """Replace the history by a longer one, and never by a shorter one."""
    key = mirror.key(HISTORY)
    while True:
        found = mirror.bucket.small(key, MOST_HISTORY_BYTES)
        if found is not None and found[0].startswith(lines):
            return
        try:
            mirror.bucket.put(key, lines, replacing=found[1] if found else "")
        except TakenObjectError:
            continue
        return
