"""gzip and Zstandard: read where a stream holds them, written where a name asks for them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import zstandard

from ffn.errors import DataError

__all__ = ["ByteStream", "Packed", "Unpacked", "packing", "without_packing"]

# Zstandard may make 128 KB of 4 bytes and cannot be told to stop: so much in is 32 MB out.
_ZSTD_PIECE = 1024
_GZIP_PIECE = 64 * 1024
# What `zstd` itself unpacks unless told otherwise; the window is held in memory.
_WINDOW = 2**27
# A frame of Zstandard may be preceded by others that a reader is to skip.
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes((byte, 0x2A, 0x4D, 0x18)) for byte in range(0x50, 0x60)))
_LONGEST = 4


class ByteStream(Protocol):
    """What a reader needs of an open binary file, a pipe or ``io.BytesIO``."""

    def read(self, size: int, /) -> bytes:
        """Return 1 to ``size`` bytes, or none at the end."""
        ...


class _Kind(NamedTuple):
    name: str
    signatures: tuple[bytes, ...]
    suffixes: tuple[str, ...]
    piece: int
    unpacker: Callable[[], Any]
    packer: Callable[[], Any]


# wbits 31 means gzip. Its header then has neither name nor time: equal input, equal bytes.
_KINDS = (
    _Kind(
        "gzip",
        (b"\x1f\x8b",),
        (".gz", ".gzip"),
        _GZIP_PIECE,
        lambda: zlib.decompressobj(31),
        lambda: zlib.compressobj(wbits=31),
    ),
    _Kind(
        "zstd",
        _ZSTD,
        (".zst", ".zstd"),
        _ZSTD_PIECE,
        lambda: zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(),
        lambda: zstandard.ZstdCompressor(write_checksum=True).compressobj(),
    ),
)


class Unpacked:
    """A stream's bytes, or what they hold where they begin as gzip or Zstandard.

    Several archives behind one another are one stream. Memory is bounded, whatever an archive
    claims to hold.

    Attributes
    ----------
    compression
        ``"gzip"``, ``"zstd"``, or None.
    """

    def __init__(self, stream: ByteStream, name: str) -> None:
        self._stream, self._name = stream, name
        self._packed = b""
        while len(self._packed) < _LONGEST and (some := stream.read(_LONGEST - len(self._packed))):
            self._packed += some
        self._kind = next(
            (kind for kind in _KINDS if self._packed.startswith(kind.signatures)), None
        )
        self.compression = self._kind.name if self._kind else None
        self._member: Any = self._kind.unpacker() if self._kind else None
        self._text, self._given = b"", 0

    def read(self, size: int, /) -> bytes:
        """Return 1 to ``size`` bytes, or none at the end.

        Raises
        ------
        DataError
            The archive is damaged, or cut off.
        """
        if self._kind is None:
            head, self._packed = self._packed[:size], self._packed[size:]
            return head or self._stream.read(size)
        while self._given == len(self._text):
            packed = self._packed or self._stream.read(self._kind.piece)
            if not packed:
                if not self._member.eof:
                    raise self._damaged("its end is missing")
                return b""
            self._unpack(self._kind, packed, size)
        text = self._text[self._given : self._given + size]
        self._given += len(text)
        return text

    def _unpack(self, kind: _Kind, packed: bytes, size: int) -> None:
        if self._member.eof:
            # Tapes are padded with zeros, and gzip takes no offence.
            packed = packed.lstrip(b"\0") if kind.name == "gzip" else packed
            if not packed:
                self._packed = b""
                return
            self._member = kind.unpacker()
        try:
            if kind.name == "gzip":
                self._text = self._member.decompress(packed, size)
            else:
                self._text = self._member.decompress(packed)
        except (zlib.error, zstandard.ZstdError) as error:
            raise self._damaged(str(error)) from None
        self._packed = self._member.unconsumed_tail or self._member.unused_data
        self._given = 0

    def _damaged(self, how: str) -> DataError:
        return DataError(
            f"{self._name} is a {self.compression} archive and damaged: {how}. Get it once more."
        )


class _Writable(Protocol):
    def write(self, content: bytes, /) -> Any: ...


class Packed:
    """A file written as an archive; ``finish`` writes its end."""

    def __init__(self, file: _Writable, compression: str) -> None:
        (kind,) = (kind for kind in _KINDS if kind.name == compression)
        self._file, self._packer = file, kind.packer()

    def write(self, content: bytes) -> None:
        """Append ``content``."""
        self._file.write(self._packer.compress(content))

    def finish(self) -> None:
        """Write what is left, and the end of the archive."""
        self._file.write(self._packer.flush())


def packing(name: str) -> str | None:
    """Return the compression that a file's name asks for, or None."""
    return next((kind.name for kind in _KINDS if name.lower().endswith(kind.suffixes)), None)


def without_packing(name: str) -> str:
    """Return a file's name as it is once unpacked."""
    for kind in _KINDS:
        for suffix in kind.suffixes:
            if name.lower().endswith(suffix) and len(name) > len(suffix):
                return name[: -len(suffix)]
    return name
