import contextlib
import gzip
import io
import subprocess
import sys
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import DataError
from ffn.storage.compression import (
    CompressingWriter,
    DecompressingReader,
    compression_of,
    without_compression_suffix,
)
from tests.helpers.readings import Trickle, read

CONTENT = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(20_000))
PACK = {"gzip": gzip.compress, "zstd": zstandard.compress}


def unpacked(content, at_once=1_000_000, size=1000):
    stream = DecompressingReader(Trickle(content, at_once), "t.csv")
    return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("at_once", [1, 7, 1_000_000])
def test_what_others_pack_is_unpacked(kind, at_once):
    content = CONTENT[:5000] if at_once == 1 else CONTENT
    assert unpacked(PACK[kind](content), at_once) == content
    assert DecompressingReader(io.BytesIO(PACK[kind](content)), "t.csv").compression == kind


@pytest.mark.parametrize("content", [b"", b"a", b"a,b", CONTENT])
def test_what_is_not_packed_stays(content):
    assert unpacked(content, at_once=2) == content
    assert DecompressingReader(io.BytesIO(content), "t.csv").compression is None


@pytest.mark.parametrize("kind", PACK)
def test_archives_behind_one_another_are_one(kind):
    pack = PACK[kind]
    content = pack(b"a,b\n") + pack(b"") + pack(b"1,2\n")
    assert unpacked(content, at_once=3) == b"a,b\n1,2\n"


def test_padding_and_frames_to_skip_are_skipped():
    assert unpacked(gzip.compress(b"a,b\n") + bytes(3000), at_once=5) == b"a,b\n"
    skipped = b"\x5a\x2a\x4d\x18\x04\0\0\0four"
    packed = zstandard.compress(b"a,b\n")
    assert unpacked(skipped + packed + skipped + packed, at_once=5) == b"a,b\na,b\n"


@pytest.mark.parametrize("kind", PACK)
def test_a_cut_archive_is_refused_wherever_it_is_cut(kind):
    packed = PACK[kind](CONTENT[:300])
    for length in range(4, len(packed)):
        with pytest.raises(DataError, match=rf"t\.csv is a damaged {kind} archive: its end"):
            unpacked(packed[:length])


@pytest.mark.parametrize("kind", PACK)
def test_a_damaged_archive_is_refused(kind):
    packed = PACK[kind](CONTENT)
    middle = len(packed) // 2
    for damaged in (
        packed[:middle] + bytes(64) + packed[middle + 64 :],
        packed + b"and more",
        packed[:4] + b"\xff" * 60,
    ):
        with pytest.raises(DataError, match=rf"t\.csv is a damaged {kind} archive: .*Get the"):
            unpacked(damaged)


@given(content=st.binary(max_size=200), at_once=st.integers(1, 64))
def test_no_bytes_are_a_crash(content, at_once):
    for signature in (b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"):
        with contextlib.suppress(DataError):
            unpacked(signature + content, at_once)


def test_the_reader_of_tables_unpacks():
    for pack in PACK.values():
        assert [good.cells for good in read(pack(b"a,b\n1,2\n")).good] == [["1", "2"]]
        with pytest.raises(DataError, match=r"t\.csv looks like a gzip archive, not a CSV file"):
            read(pack(gzip.compress(b"a,b\n1,2\n")))
        with pytest.raises(DataError, match=r"t\.csv is empty\."):
            read(pack(b""))


BOMB = """
import resource, sys
from ffn.storage.compression import DecompressingReader
stream = DecompressingReader(open(sys.argv[1], "rb"), "bomb")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
length = 0
while some := stream.read(262_144):
    length += len(some)
print(length, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_takes_time_and_no_memory(kind, tmp_path, repository):
    """Half a gigabyte of zeros, which packs a thousand times or thirty thousand."""
    size = 2**29
    packer = {
        "gzip": zlib.compressobj(wbits=31),
        "zstd": zstandard.ZstdCompressor().compressobj(),
    }[kind]
    with (tmp_path / "bomb").open("wb") as file:
        for _ in range(16):
            file.write(packer.compress(bytes(size // 16)))
        file.write(packer.flush())
    assert (tmp_path / "bomb").stat().st_size < size / 900
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(tmp_path / "bomb")],
        cwd=repository,
        capture_output=True,
        check=True,
    )
    length, kilobytes = map(int, done.stdout.split())
    assert length == size
    assert kilobytes < 100_000


@pytest.mark.parametrize("kind", PACK)
def test_what_is_packed_here_others_unpack(kind):
    def pack(pieces):
        file = io.BytesIO()
        packed = CompressingWriter(file, kind)
        for piece in pieces:
            packed.write(piece)
        packed.finish()
        return file.getvalue()

    found = pack([CONTENT[:10], b"", CONTENT[10:]])
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    unpack = gzip.decompress if kind == "gzip" else decompressor.decompress
    assert unpack(found) == CONTENT
    # Neither the clock nor the way it is written in pieces shows.
    assert found == pack([CONTENT[n : n + 999] for n in range(0, len(CONTENT), 999)])


def test_names():
    names = ["a.csv.gz", "a.csv.ZST", "b.gzip", "c.zstd", "a.csv", "gz", ".gz"]
    assert [compression_of(name) for name in names] == ["gzip", "zstd"] * 2 + [None, None, "gzip"]
    assert [without_compression_suffix(name) for name in names] == [
        "a.csv", "a.csv", "b", "c", "a.csv", "gz", ".gz",
    ]  # fmt: skip
