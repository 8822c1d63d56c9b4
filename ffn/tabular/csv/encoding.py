"""Detect the kind and encoding of a file, and decode it to UTF-8."""

from __future__ import annotations

import codecs
import re

from ffn.errors import DataError
from ffn.storage.compression import ByteStream

__all__ = ["Utf8Stream"]

_HEAD = 4096
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAVE_AS_CSV = "Save the sheet as CSV first."
_PARQUET = (
    "If its end is missing, get it again; Parquet from a pipe has to be put into a file first."
)
_UNPACK = "Unpack it first."
_GIVE_CSV = "Give a CSV file."
_SIGNATURES = (
    (b"\x89PNG\r\n", "a PNG picture", _GIVE_CSV),
    (b"\xff\xd8\xff", "a JPEG picture", _GIVE_CSV),
    (b"GIF8", "a GIF picture", _GIVE_CSV),
    (b"%PDF-", "a PDF document", _GIVE_CSV),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE_AS_CSV),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"PAR1\x15", "a Parquet file", _PARQUET),
    (b"ARROW1\x00", "an Arrow file", _GIVE_CSV),
    (b"Obj\x01", "an Avro file", _GIVE_CSV),
    (b"\x89HDF\r\n", "an HDF5 file", _GIVE_CSV),
    (b"\x93NUMPY", "a NumPy array", _GIVE_CSV),
    (b"SQLite format 3\x00", "an SQLite database", _GIVE_CSV),
    (b"II*\x00", "a TIFF picture", _GIVE_CSV),
    (b"MM\x00*", "a TIFF picture", _GIVE_CSV),
    (b"{\\rtf", "an RTF document", _GIVE_CSV),
    (b"\x7fELF", "a program", _GIVE_CSV),
    (codecs.BOM_UTF32_LE, "UTF-32 text", "Save it as UTF-8."),
    (codecs.BOM_UTF32_BE, "UTF-32 text", "Save it as UTF-8."),
)
_ZIP = b"PK\x03\x04"
_TAR = slice(257, 262)
# Names of the first file in ZIP archives of office programs.
_IN_ZIP = (
    (re.compile(rb"\[Content_Types\]\.xml|_rels/|xl/"), "an Excel workbook (.xlsx)", _SAVE_AS_CSV),
    (re.compile(rb"mimetypeapplication/vnd\.oasis"), "an OpenDocument file", _SAVE_AS_CSV),
    (re.compile(rb""), "a ZIP archive", _UNPACK),
)
_MARKUP = (
    (re.compile(rb"\s*<(\?xml|svg)\b", re.IGNORECASE), "an XML document"),
    (re.compile(rb"\s*<(!doctype|html|head|body)\b", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"\s*[\[{]\s*[\"{\[]"), "JSON"),
)


class Utf8Stream:
    """A readable stream that transcodes text in any supported encoding to UTF-8.

    UTF-8 input is passed through unchecked, as the reader validates it record by record. Bytes
    that are invalid in another encoding become bytes that are invalid in UTF-8, so they are
    found in the same way.

    Parameters
    ----------
    stream
        Source of the bytes, at its beginning, uncompressed.
    name
        Name of the file in errors.
    encoding
        One of `ENCODINGS`; None (the default): UTF-8, or the encoding of a byte order mark.

    Attributes
    ----------
    bom
        The byte order mark of the file; may be empty.
    encoding
        The encoding of the file, for UTF-16 with its byte order.

    Raises
    ------
    DataError
        The first bytes are those of another kind of file, or the byte order mark contradicts
        ``encoding``.
    """

    def __init__(self, stream: ByteStream, name: str, encoding: str | None = None) -> None:
        self._stream, self._name = stream, name
        head = b""
        while len(head) < _HEAD and (chunk := stream.read(_HEAD - len(head))):
            head += chunk
        if found := _foreign(head):
            raise DataError(f"{name} looks like {found[0]}, not a CSV file. {found[1]}")
        self.bom, self.encoding = _encoding_of(head, name, encoding)
        self._head = head[len(self.bom) :]
        for pattern, kind in _MARKUP:
            if pattern.match(self._head):
                raise DataError(f"{name} looks like {kind}, not a CSV file. {_GIVE_CSV}")
        self._decoder: codecs.IncrementalDecoder | None = None
        self._utf8: codecs.IncrementalDecoder | None = None
        if self.encoding.startswith("utf-16"):
            self._decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        elif self.encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(self.encoding)("surrogateescape")
            # None as soon as the file is known not to be UTF-8.
            self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._ascii = True

    def read(self, size: int) -> bytes:
        """Return about ``size`` bytes of UTF-8, or none at the end.

        Raises
        ------
        DataError
            Another encoding was given, but the whole file is valid UTF-8 with non-ASCII
            characters, each of which would be read as several wrong ones.
        """
        if self._decoder is None:
            return self._next(size)
        while raw := self._next(size):
            self._watch(raw)
            if text := self._decoder.decode(raw):
                return text.encode("utf-8", "surrogatepass")
        self._watch(b"")
        try:
            return self._decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self._decoder.reset()
            return b"\xff"

    def forget(self) -> None:
        """Discard buffered bytes, after the underlying stream was moved."""
        self._head = b""

    def encode(self, text: bytes) -> bytes:
        """Return UTF-8 ``text`` in the encoding of the stream."""
        return text if self._decoder is None else text.decode().encode(self.encoding)

    def check_header(self, text: bytes) -> None:
        """Check that the header was not UTF-8 already.

        Parameters
        ----------
        text
            The header after decoding, as UTF-8.

        Raises
        ------
        DataError
            The header is valid UTF-8 with non-ASCII characters, but another encoding was given.
        """
        if self.encoding.startswith("utf") or text.isascii():
            return
        raw = self.encode(text)
        if raw.decode("utf-8", "ignore").encode() == raw:
            raise self._is_utf8("has a header that is UTF-8")

    def _is_utf8(self, found: str) -> DataError:
        return DataError(
            f"{self._name} {found}, but its encoding is given as {self.encoding}. Give --encoding "
            "utf-8."
        )

    def _watch(self, raw: bytes) -> None:
        if self._utf8 is None:
            return
        try:
            self._utf8.decode(raw, final=not raw)
        except UnicodeDecodeError:
            self._utf8 = None
            return
        self._ascii &= raw.isascii()
        if not raw and not self._ascii:
            raise self._is_utf8("is UTF-8, as all of its bytes show")

    def _next(self, size: int) -> bytes:
        if self._head:
            chunk, self._head = self._head[:size], self._head[size:]
            return chunk
        return self._stream.read(size)


def _encoding_of(head: bytes, name: str, given: str | None) -> tuple[bytes, str]:
    """Return the byte order mark, and the encoding."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            if given is None or encoding.startswith(given):
                return bom, encoding
            raise DataError(
                f"{name} begins with the byte order mark of {encoding}, but its encoding is given "
                f"as {given}. Give --encoding {encoding}."
            )
    if given == "utf-16":
        raise DataError(
            f"{name} has no byte order mark, so the byte order of UTF-16 is unknown. "
            "Give --encoding utf-16-le (usual) or utf-16-be."
        )
    return b"", given or "utf-8"


def _foreign(head: bytes) -> tuple[str, str] | None:
    """Return the kind of a known non-text file, and advice; None for anything else."""
    for signature, kind, advice in _SIGNATURES:
        if head.startswith(signature):
            return kind, advice
    if head.startswith(_ZIP):
        # The first file's name is at byte 30, followed by its content.
        return next((kind, advice) for start, kind, advice in _IN_ZIP if start.match(head, 30))
    return ("a tar archive", _UNPACK) if head[_TAR] == b"ustar" else None
