"""What a mirror has in its bucket, and what of that is checked whenever it is read.

::

    s3://bucket/models/iris/
      models/0003/claim     SHA-256 of files.json: made first, and only if there is none
      models/0003/...       the files of the version, as in the registry
      models/0003/files.json   size and SHA-256 of each, made last, and only if there is none
      history.jsonl         the history, at least up to the version in production
      production.json       the version in production; replaced on the condition that it is the
                            one that was read before

A number belongs to the content that claimed it, so whoever pushes a version writes the bytes that
everybody else would write. The registry that pushes stays the source of truth.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ffn.bundles.contents import FILES
from ffn.errors import RegistryError
from ffn.object_stores.buckets import Bucket, bucket_of
from ffn.object_stores.object_address import ObjectAddress, key_problem, parse_object_address
from ffn.registry.production import POINTER, Promotion, parse_promotion

__all__ = ["CLAIM", "MOST_FILES_BYTES", "Mirror", "MirroredPointer", "mirror_at"]

CLAIM = "claim"
_MOST_POINTER_BYTES = 64 * 1024
MOST_FILES_BYTES = 16 * 1024 * 1024
"""Largest size of a ``files.json`` or a signature."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MirroredPointer(NamedTuple):
    """What a mirror says is in production.

    Attributes
    ----------
    promotion
        The entry of the history.
    mark
        The store's mark of the object, on which its replacement is conditional.
    """

    promotion: Promotion
    mark: str


class Mirror(NamedTuple):
    """A mirror of one pipeline's registry.

    Attributes
    ----------
    address
        The folder in the bucket.
    bucket
        The bucket.
    """

    address: ObjectAddress
    bucket: Bucket

    def key(self, name: str) -> str:
        """Return the key of the object ``name`` of the mirror."""
        return f"{self.address.key}/{name}"

    def version_key(self, version: int, name: str) -> str:
        """Return the key of a file of a version.

        Parameters
        ----------
        version
            Number of the version.
        name
            Path of the file below the version's folder.

        Raises
        ------
        RegistryError
            The path could lead out of that folder.
        """
        if problem := key_problem(name):
            raise RegistryError(f"{self.address}, version {version}: {name!r} {problem}.")
        return self.key(f"models/{version:04d}/{name}")

    def pointer(self) -> MirroredPointer | None:
        """Return what is in production; None if nothing was pushed.

        Raises
        ------
        RegistryError
            The object is damaged.
        DataError
            The store refuses.
        """
        found = self.bucket.small(self.key(POINTER), _MOST_POINTER_BYTES)
        if found is None:
            return None
        promotion = parse_promotion(found[0])
        if promotion is None or not _SHA256.fullmatch(promotion.bundle_sha256):
            raise RegistryError(f"{self.address}/{POINTER} is damaged. Remove it, and push again.")
        return MirroredPointer(promotion, found[1])

    def sealed(self, version: int) -> bytes:
        """Return the ``files.json`` of a version, without looking into it.

        Parameters
        ----------
        version
            Number of the version.

        Raises
        ------
        RegistryError
            It is missing: the version was not pushed, or not to the end.
        DataError
            The store refuses.
        """
        found = self.bucket.small(self.version_key(version, FILES), MOST_FILES_BYTES)
        if found is None:
            raise RegistryError(
                f"{self.address}, version {version}: {FILES} is missing. Push the version again."
            )
        return found[0]


def mirror_at(address: str | ObjectAddress) -> Mirror:
    """Return the mirror at an address.

    Parameters
    ----------
    address
        Folder in a bucket, such as ``s3://bucket/models/iris``.

    Raises
    ------
    SettingsError
        It is no address, or the extra is not installed.
    RegistryError
        It names a bucket alone.
    """
    place = address if isinstance(address, ObjectAddress) else parse_object_address(address)
    if not place.key:
        raise RegistryError(f"{place} is a whole bucket. Give a folder in it: {place}/models/NAME.")
    return Mirror(place, bucket_of(place))
