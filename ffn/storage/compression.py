"""gzip and Zstandard streams: recognised by content when read, chosen by file name when written."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import zstandard

from ffn.errors import DataError

__all__ = [
    "ByteStream",
    "CompressingWriter",
    "DecompressingReader",
    "compression_of",
    "without_compression_suffix",
]

# Zstandard can expand 4 bytes to 128 KB and has no output limit: 1 KB of input gives up to 32 MB.
_ZSTD_PIECE = 1024
_GZIP_PIECE = 64 * 1024
# The default limit of the `zstd` command; the window is held in memory.
_WINDOW = 2**27
# A Zstandard frame may be preceded by skippable frames, which have 16 signatures.
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes((byte, 0x2A, 0x4D, 0x18)) for byte in range(0x50, 0x60)))
_LONGEST = 4


class ByteStream(Protocol):
    """The part of a binary file's interface that readers need."""

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


class DecompressingReader:
    """A readable stream that decompresses gzip and Zstandard, and passes other bytes through.

    Concatenated archives are read as one stream. Memory use is bounded for any input.

    Parameters
    ----------
    stream
        Source of the bytes, at its beginning.
    name
        Name of the stream in errors.

    Attributes
    ----------
    compression
        ``"gzip"``, ``"zstd"``, or None for uncompressed bytes.
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
            The archive is damaged or truncated.
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
            # Archives on tape are padded with zeros, which gzip accepts, too.
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
            f"{self._name} is a damaged {self.compression} archive: {how}. Get the file again."
        )


class _Writable(Protocol):
    def write(self, content: bytes, /) -> Any: ...


class CompressingWriter:
    """A writable stream that compresses to a file; ``finish`` writes the end of the archive.

    Parameters
    ----------
    file
        Gets the compressed bytes; not closed.
    compression
        ``"gzip"`` or ``"zstd"``.
    """

    def __init__(self, file: _Writable, compression: str) -> None:
        (kind,) = (kind for kind in _KINDS if kind.name == compression)
        self._file, self._packer = file, kind.packer()

    def write(self, content: bytes) -> None:
        """Append ``content``."""
        self._file.write(self._packer.compress(content))

    def finish(self) -> None:
        """Write buffered bytes and the end of the archive."""
        self._file.write(self._packer.flush())


def compression_of(name: str) -> str | None:
    """Return the compression that the suffix of ``name`` stands for, or None."""
    return next((kind.name for kind in _KINDS if name.lower().endswith(kind.suffixes)), None)


def without_compression_suffix(name: str) -> str:
    """Return a file's name without its compression suffix: ``rows.csv`` for ``rows.csv.gz``."""
    for kind in _KINDS:
        for suffix in kind.suffixes:
            if name.lower().endswith(suffix) and len(name) > len(suffix):
                return name[: -len(suffix)]
    return name
