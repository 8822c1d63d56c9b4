"""What ``production.json`` says: which version scores, and the promotion that put it there."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ffn.registry.actor import Actor
from ffn.storage.documents import canonical_json, parse_json
from ffn.storage.plain_files import read_plain

__all__ = [
    "POINTER",
    "Pointer",
    "ProductionVersion",
    "Promotion",
    "is_version",
    "parse_promotion",
    "read_pointer",
]

POINTER = "production.json"
_MOST_BYTES = 64 * 1024
# What opening or reading says of a folder, a link, a pipe, a socket, and a file that is too long.
_NO_POINTER = {errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO, errno.EFBIG}


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One entry: ``version`` scores from now on.

    Attributes
    ----------
    action
        A rollback goes back to a version that scored before.
    at
        UTC, ISO 8601.
    version, bundle_sha256
        What scores, and the SHA-256 its bundle must have.
    replaced
        The version that scored before; None if none did.
    reason, by
        Why, and who or what did it.
    previous_sha256
        Of the line before in the history; empty for the first.
    """

    action: Literal["promote", "rollback"]
    at: str
    version: int
    bundle_sha256: str
    replaced: int | None
    reason: str
    by: Actor
    previous_sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as it stands in both files."""
        entry = asdict(self)
        entry["from"] = entry.pop("replaced")
        return entry

    @property
    def line(self) -> bytes:
        """The entry as a line of the history."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False).encode() + b"\n"


class ProductionVersion(NamedTuple):
    """The version that scores, and the SHA-256 its bundle had when it was promoted."""

    version: int
    bundle_sha256: str


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """The production pointer as it was read, all at once.

    Attributes
    ----------
    content
        The file's bytes; empty if it is missing, unreadable, no plain file or far too long.
    missing
        There is no such file.
    unreadable
        Why the system does not let it be read, such as ``Permission denied``; empty if it does,
        and of what is no plain file or far too long, which is damage.
    target
        What scores; None if the file is missing or damaged.
    promotion
        The whole entry; None if it is missing or damaged in any part, also where ``target`` is not.
    """

    content: bytes = b""
    missing: bool = False
    unreadable: str = ""
    target: ProductionVersion | None = None
    promotion: Promotion | None = None

    @property
    def is_canonical(self) -> bool:
        """Whether the file has the very bytes that were written for its promotion."""
        promotion = self.promotion
        return promotion is not None and self.content == canonical_json(promotion.to_json())


def read_pointer(artifacts: Path) -> Pointer:
    """Read the production pointer of a pipeline; what is wrong with it is in what is returned."""
    try:
        content = read_plain(artifacts / POINTER, _MOST_BYTES)
    except FileNotFoundError:
        return Pointer(missing=True)
    except OSError as error:
        damaged = error.errno in _NO_POINTER
        return Pointer() if damaged else Pointer(unreadable=error.strerror or str(error))
    try:
        document = parse_json(content)
        version, sha256 = document["version"], document["bundle_sha256"]
    except (ValueError, KeyError, TypeError):
        return Pointer(content=content)
    if not is_version(version) or not isinstance(sha256, str):
        return Pointer(content=content)
    return Pointer(
        content=content,
        target=ProductionVersion(version, sha256),
        promotion=_promotion(document),
    )


def is_version(value: object) -> bool:
    """Say whether a value can be the number of a version: it becomes the name of a folder."""
    return type(value) is int and 0 < value < 10**9


def parse_promotion(text: bytes) -> Promotion | None:
    """Return the entry that a line of the history, or the pointer, holds; None if no whole one."""
    try:
        return _promotion(parse_json(text))
    except ValueError:
        return None


def _promotion(document: Any) -> Promotion | None:
    try:
        entry = Promotion(replaced=document.pop("from"), by=Actor(**document.pop("by")), **document)
    except (TypeError, KeyError, AttributeError):
        return None
    texts = (entry.at, entry.bundle_sha256, entry.reason, entry.previous_sha256)
    sound = (
        is_version(entry.version)
        and (entry.replaced is None or is_version(entry.replaced))
        and entry.action in ("promote", "rollback")
        and all(isinstance(text, str) for text in (*texts, *vars(entry.by).values()))
    )
    return entry if sound else None
