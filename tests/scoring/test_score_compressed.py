"""Archives in and out: the same table, and digests of the files as they lie there."""

import gzip
import hashlib
import json

import pytest
import zstandard

from ffn.errors import DataError
from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

CONTENT = b"id,size,colour\n" + b"".join(b"%04d,%d,red\n" % (n, n % 10) for n in range(5000))
PACK = {"csv": bytes, "gz": gzip.compress, "zst": zstandard.compress}


def unzstd(content):
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)


UNPACK = {"csv": bytes, "gz": gzip.decompress, "zst": unzstd}


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "plain.csv").write_bytes(CONTENT)
    score_csv(TenthsScorer(), tmp_path / "plain.csv", tmp_path / "plain.out.csv")
    return (tmp_path / "plain.out.csv").read_bytes()


@pytest.mark.parametrize("given", PACK)
@pytest.mark.parametrize("wanted", UNPACK)
def test_what_is_in_the_archive_is_the_plain_output(tmp_path, plain, given, wanted):
    # The name of the input says nothing; that of the output everything.
    source, output = tmp_path / "table", tmp_path / f"out.{wanted}"
    source.write_bytes(PACK[given](CONTENT))
    result = score_csv(TenthsScorer(), source, output)
    assert UNPACK[wanted](output.read_bytes()) == plain
    account = json.loads(result.manifest.read_bytes())
    assert account["input"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert account["input"]["compression"] == {"gz": "gzip", "zst": "zstd"}.get(given)
    assert account["files"]["output"] == {
        "bytes": output.stat().st_size,
        "sha256": hashlib.sha256(output.read_bytes()).hexdigest(),
    }
    assert len(list(tmp_path.iterdir())) == 4 + 4


def test_the_same_again_gives_the_same_bytes(tmp_path):
    (tmp_path / "in.csv").write_bytes(CONTENT)
    digests = set()
    for n in range(2):
        output = tmp_path / f"{n}.csv.gz"
        score_csv(TenthsScorer(), tmp_path / "in.csv", output)
        digests.add(hashlib.sha256(output.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_an_archive_that_is_cut_off_leaves_nothing(tmp_path, kind):
    packed = PACK[kind](CONTENT * 20)
    (tmp_path / "in.csv").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"in\.csv is a damaged \w+ archive: its end is missing"):
        score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
