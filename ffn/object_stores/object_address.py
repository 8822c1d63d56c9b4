"""Addresses of objects, such as ``s3://bucket/history/2024.parquet``, as paths.

An address holds no secret, because addresses are shown in messages and recorded in manifests and
versions: credentials come from the environment or the provider's own files. One with a password or
a signature is refused without being shown.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PosixPath

from ffn.errors import DataError, SettingsError, quote

__all__ = [
    "ObjectAddress",
    "as_path",
    "file_path",
    "is_object_address",
    "key_problem",
    "parse_object_address",
    "require_object",
]

_SCHEMES = ("s3", "gs", "az")
# With a slash missing, too: such a text may hold a secret, and paths are shown in messages.
_OURS = re.compile(rf"({'|'.join(_SCHEMES)}):/", re.IGNORECASE)
_ANY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}")
# As in ?X-Amz-Signature=… or ?sv=…, and unlike the ? of a pattern.
_SIGNED = re.compile(r"\?[A-Za-z0-9_.-]+=")
_MOST_KEY_BYTES = 1024


class ObjectAddress(PosixPath):
    """The address of an object, or a pattern of addresses.

    It is a path so that it has a name, a parent and names beside it, and can stand wherever a path
    names an input or an output. No file is at that path: whoever opens it finds nothing.
    """

    def __str__(self) -> str:
        scheme, _, rest = super().__str__().partition(":/")
        # What is relative to an address, or above all, is none.
        return f"{scheme}://{rest}" if rest else scheme

    def __fspath__(self) -> str:
        return str(self)

    @property
    def scheme(self) -> str:
        """``s3``, ``gs`` or ``az``."""
        return self.parts[0].removesuffix(":")

    @property
    def bucket(self) -> str:
        """Name of the bucket, or of Azure's container."""
        return self.parts[1]

    @property
    def key(self) -> str:
        """Name of the object in the bucket; empty for the bucket itself."""
        return "/".join(self.parts[2:])

    def beside(self, key: str) -> ObjectAddress:
        """Return the address of another object of the bucket.

        Parameters
        ----------
        key
            Name of that object, which `key_problem` finds nothing wrong with.
        """
        return ObjectAddress(f"{self.scheme}:", self.bucket, key)


def is_object_address(text: str | os.PathLike[str]) -> bool:
    """Say whether a text names objects in a store, or would but for a mistake."""
    return bool(_OURS.match(os.fspath(text)))


def parse_object_address(text: str) -> ObjectAddress:
    """Return the address of an object, a pattern of addresses, or the address of a folder.

    Parameters
    ----------
    text
        Such as ``s3://bucket/in/march.csv``, ``gs://bucket/history/*.parquet``,
        ``az://container/in/``. A slash at the end is dropped.

    Raises
    ------
    SettingsError
        It is no such address, may hold a secret, or names something that cannot be the name of a
        file. No message shows what might be a secret.
    """
    scheme, found, rest = text.partition("://")
    if not found:
        ours = _OURS.match(text)
        begins = f"{ours[1].lower()}://, with two slashes" if ours else "s3://, gs:// or az://"
        raise SettingsError(f"an address of objects begins with {begins}.")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise SettingsError("an address of objects begins with s3://, gs:// or az://.")
    bucket, _, key = rest.partition("/")
    if "@" in bucket or ":" in bucket or _SIGNED.search(rest) or "?" in bucket:
        raise SettingsError(
            f"the address {scheme}://… holds a user, a password or a signature, and addresses are "
            "shown and recorded. Leave it out: credentials are taken from the environment."
        )
    if not _BUCKET.fullmatch(bucket):
        raise SettingsError(
            f"{quote(f'{scheme}://{bucket}')} names no bucket: a name has lower-case letters, "
            f"digits, dots and hyphens. Write {scheme}://BUCKET/NAME."
        )
    key = key.removesuffix("/")
    if key and (problem := key_problem(key)):
        raise SettingsError(f"the address {quote(text, 200)} {problem}.")
    return ObjectAddress(f"{scheme}:", bucket, key)


def as_path(text: str | os.PathLike[str], *, folder: str = "") -> Path:
    """Return what a command or function was given as a path: an `ObjectAddress` for objects.

    Parameters
    ----------
    text
        A path, or an address of objects.
    folder
        What is appended to an address that ends in a slash, and so names a folder; by default
        nothing.

    Raises
    ------
    SettingsError
        As for `parse_object_address`; or the text is the address of something else.
    """
    if isinstance(text, ObjectAddress):
        return text
    given = os.fspath(text)
    if is_object_address(given):
        address = parse_object_address(given)
        return address / folder if folder and (given.endswith("/") or not address.key) else address
    if (other := _ANY.match(given)) and not os.path.lexists(given):
        raise SettingsError(
            f"{quote(other[0])} is no address of objects: these begin with s3://, gs:// or az://. "
            "Give one of these, or a path."
        )
    return Path(text)


def file_path(text: str | os.PathLike[str]) -> Path:
    """Return what was given as the path of a file, where no object can stand.

    Parameters
    ----------
    text
        A path.

    Raises
    ------
    SettingsError
        It is an address, of objects or of something else.
    """
    path = as_path(text)
    if isinstance(path, ObjectAddress):
        raise SettingsError(f"{path} is in an object store, and a file is needed. Copy it first.")
    return path


def key_problem(key: str) -> str:
    """Return why an object's name cannot be the name of a file below a folder; empty if it can.

    Parameters
    ----------
    key
        Name of an object, as a user or a store gives it.
    """
    if any(part in ("", ".", "..") for part in key.split("/")):
        return 'has an empty part, "." or ".." between its slashes'
    if "\\" in key or not key.isprintable():
        return "has a backslash or a control character"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return f"is longer than {_MOST_KEY_BYTES:,} bytes" if size > _MOST_KEY_BYTES else ""


def require_object(path: Path) -> ObjectAddress:
    """Return ``path``, which has to be the address of an object and not of a whole bucket.

    Raises
    ------
    DataError
        It names a bucket alone.
    """
    if not isinstance(path, ObjectAddress) or not path.key:
        raise DataError(f"{path} names no object. Give bucket and name: s3://BUCKET/NAME.")
    return path
