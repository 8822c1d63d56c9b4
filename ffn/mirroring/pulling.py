"""Pull the version in production from a mirror: checked against its digests before it is used."""

from __future__ import annotations

import hashlib
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from ffn.bundles.bundle import BUNDLE_FOLDER, SIGNATURE, Bundle, read_bundle
from ffn.bundles.contents import FILES, Contents, check_bundle, damages, read_contents
from ffn.errors import BundleError, DataError, RegistryError, quote
from ffn.mirroring.copied_version import Pulled
from ffn.mirroring.mirror_layout import MOST_FILES_BYTES, Mirror, mirror_at
from ffn.object_stores.object_address import ObjectAddress
from ffn.registry.production import POINTER, Promotion, read_pointer
from ffn.registry.promotion_history import HISTORY, MOST_HISTORY_BYTES, read_history
from ffn.registry.versions import LAST_NUMBER, version_folder, versions
from ffn.settings.pipeline import check_name
from ffn.storage.atomic import staging_folder, sweep, sync_folder, write_bytes
from ffn.storage.documents import parse_json, write_json
from ffn.storage.pipeline_locks import registry_lock
from ffn.storage.plain_files import read_plain

__all__ = ["mirrored_production", "pull"]


def mirrored_production(address: ObjectAddress) -> Bundle:
    """Return the bundle that is in production in a mirror, without keeping any of its files.

    Parameters
    ----------
    address
        Folder in a bucket, such as ``s3://bucket/models/iris``.

    Raises
    ------
    RegistryError
        Nothing was pushed there, or it is damaged.
    BundleError
        The bundle is damaged, not the one that was promoted, or not signed as ``FFN_SIGNING_KEY``
        asks.
    DataError, SettingsError
        The store refuses, or the extra is not installed.
    """
    mirror = mirror_at(address)
    promotion = _promotion(mirror)
    parent = Path(tempfile.gettempdir())
    sweep(parent)
    with staging_folder(parent) as room, _named(room, mirror, promotion.version):
        room.chmod(stat.S_IRWXU)
        contents = _list_files(mirror, promotion.version, room)
        names = [name for name in contents.files if name.startswith(f"{BUNDLE_FOLDER}/")]
        _fetch_files(mirror, promotion, contents, names, room)
        return read_bundle(room / BUNDLE_FOLDER, version=promotion.version)


def pull(artifacts: Path, address: str) -> Pulled:
    """Put what is in production in a mirror into production here, with the history up to there.

    The version's files appear at once, under its number; the pointer follows. Nothing else of this
    pipeline is changed.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``, made if it does not exist.
    address
        Folder in a bucket, such as ``s3://bucket/models/iris``.

    Raises
    ------
    RegistryError
        Nothing was pushed there, it is of another pipeline or damaged, or this folder has versions
        or promotions that the mirror does not know.
    BundleError
        As for `mirrored_production`.
    DataError, SettingsError
        The store refuses, or the extra is not installed.
    """
    mirror = mirror_at(address)
    promotion = _promotion(mirror)
    lines = _history_up_to(mirror, promotion)
    models = artifacts / "models"
    models.mkdir(parents=True, exist_ok=True)
    sweep(models)
    sizes: list[int] = []
    # It is never written again, and a slow store would keep others waiting for the lock below.
    sealed = cache(lambda: mirror.sealed(promotion.version))
    _check_here(artifacts, mirror, promotion.version, lines, sealed)
    if promotion.version not in versions(artifacts):
        with staging_folder(models) as room:
            with _named(room, mirror, promotion.version):
                contents = _list_files(mirror, promotion.version, room, artifacts.name)
                sizes = _fetch_files(mirror, promotion, contents, list(contents.files), room)
                check_bundle(room, pipeline=artifacts.name, version=promotion.version)
                for damage in damages(room, contents):
                    raise RegistryError(f"{damage.path} {damage.problem}. Push to another address.")
            sync_folder(room)
            with registry_lock(artifacts), suppress(OSError):
                # Another process may have pulled the same version meanwhile.
                room.rename(version_folder(artifacts, promotion.version))
            sync_folder(models)
    with registry_lock(artifacts):
        _check_here(artifacts, mirror, promotion.version, lines, sealed)
        folder = version_folder(artifacts, promotion.version)
        sha256 = check_bundle(folder, pipeline=artifacts.name, version=promotion.version)
        if sha256 != promotion.bundle_sha256:
            raise BundleError(
                f"{folder} has another bundle than version {promotion.version} of {mirror.address}."
                " Use another --root."
            )
        before = read_pointer(artifacts).target
        if before is None or before.version != promotion.version or lines != _lines(artifacts):
            write_json(models / LAST_NUMBER, {"version": max(versions(artifacts))})
            # The pointer last: the history then leads to it, whenever this process ends.
            write_bytes(artifacts / HISTORY, lines)
            write_json(artifacts / POINTER, promotion.to_json())
    return Pulled(
        address=str(mirror.address),
        version=promotion.version,
        before=before.version if before else None,
        files=len(sizes),
        bytes=sum(sizes),
    )


def _promotion(mirror: Mirror) -> Promotion:
    there = mirror.pointer()
    if there is None:
        raise RegistryError(
            f"{mirror.address} has no version in production ({POINTER} does not exist). Push one: "
            f"ffn push PIPELINE {mirror.address}"
        )
    return there.promotion


def _history_up_to(mirror: Mirror, promotion: Promotion) -> bytes:
    """Return the lines of the mirrored history that end with a promotion."""
    found = mirror.bucket.small(mirror.key(HISTORY), MOST_HISTORY_BYTES)
    lines, end = found[0] if found else b"", promotion.line
    at = lines.find(end)
    if at < 0 or hashlib.sha256(_last_line(lines[:at])).hexdigest() != (
        promotion.previous_sha256 or hashlib.sha256(b"").hexdigest()
    ):
        raise RegistryError(
            f"{mirror.address}/{HISTORY} does not lead to what {POINTER} says. Remove both, and "
            "push again."
        )
    return lines[: at + len(end)]


def _last_line(lines: bytes) -> bytes:
    return lines[lines[:-1].rfind(b"\n") + 1 :]


def _lines(artifacts: Path) -> bytes:
    with suppress(FileNotFoundError):
        return read_plain(artifacts / HISTORY, MOST_HISTORY_BYTES)
    return b""


def _sealed_here(artifacts: Path, version: int) -> bytes:
    with suppress(OSError):
        return read_plain(version_folder(artifacts, version) / FILES, MOST_FILES_BYTES)
    return b""


def _check_here(
    artifacts: Path, mirror: Mirror, version: int, lines: bytes, sealed: Callable[[], bytes]
) -> None:
    """Refuse to pull over a registry that was not pulled, or is ahead."""
    here = _lines(artifacts) + read_history(artifacts).owed
    if not lines.startswith(here):
        ahead = here.startswith(lines)
        raise RegistryError(
            f"{artifacts / HISTORY} has promotions that {mirror.address} does not know"
            + (", which came later. Push them first." if ahead else ". Use another --root.")
        )
    there = versions(artifacts)
    # Without a history there may be what a pull had fetched that was killed before its end.
    same = version not in there or _sealed_here(artifacts, version) == sealed()
    if not same or (not here and set(there) - {version}):
        raise RegistryError(f"{artifacts / 'models'} has versions of its own. Use another --root.")


def _list_files(mirror: Mirror, version: int, room: Path, pipeline: str | None = None) -> Contents:
    """Fetch ``files.json`` into a folder, and return what it says."""
    sealed = mirror.sealed(version)
    (room / FILES).write_bytes(sealed)
    if pipeline is None:
        with suppress(ValueError, KeyError, TypeError):
            pipeline = str(parse_json(sealed)["pipeline"])
    return read_contents(room, pipeline=check_name(pipeline or "damaged"), version=version)


def _fetch_files(
    mirror: Mirror, promotion: Promotion, contents: Contents, names: list[str], room: Path
) -> list[int]:
    """Fetch files of a version, each of the size that is declared, and check their digests."""
    version = promotion.version
    if contents.bundle_sha256 != promotion.bundle_sha256:
        raise BundleError(
            f"{mirror.address}, version {version}: not the bundle that was promoted. Push to "
            "another address."
        )
    sizes = []
    for name in names:
        key = mirror.version_key(version, name)
        state = mirror.bucket.state(key)
        declared = contents.files[name]
        if state is None or state.size != declared["bytes"]:
            found = "is missing" if state is None else f"has {state.size:,} bytes"
            raise RegistryError(
                f"{mirror.address}, version {version}: {quote(name)} {found}, and {FILES} says "
                f"{declared['bytes']:,} bytes. Push to another address."
            )
        target = room / name
        target.parent.mkdir(parents=True, exist_ok=True)
        mirror.bucket.fetch(state, target)
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != declared["sha256"]:
                raise RegistryError(
                    f"{mirror.address}, version {version}: {quote(name)} has another SHA-256 than "
                    f"{FILES} says. Push to another address."
                )
        sizes.append(state.size)
    signature = f"{BUNDLE_FOLDER}/{SIGNATURE}"
    found_signature = mirror.bucket.small(mirror.version_key(version, signature), MOST_FILES_BYTES)
    if found_signature is not None:
        (room / signature).write_bytes(found_signature[0])
    return sizes


@contextmanager
def _named(room: Path, mirror: Mirror, version: int) -> Iterator[None]:
    """Name the mirror in errors of the block, instead of the folder that is filled from it."""
    try:
        yield
    except (RegistryError, BundleError, DataError) as error:
        error.args = (str(error).replace(str(room), f"{mirror.address}/models/{version:04d}"),)
        raise
