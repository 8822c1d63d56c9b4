"""What a hostile bundle costs its reader: measured for the whole process, libraries included."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ffn.bundles.bundle import write_bundle
from tests.helpers.bundles import make, sign

# Reads bundles one after another; says how much time of the processor each took (others may want
# it too), and by how much the most memory ever
# used grew over what reading a sound one takes.
READ = """
import resource, sys, time
from pathlib import Path
from ffn.errors import BundleError
from ffn.bundles.bundle import read_bundle

sound, *hostile = map(Path, sys.argv[1:])
read_bundle(sound)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for folder in hostile:
    started = time.process_time()
    try:
        read_bundle(folder)
    except BundleError as error:
        assert str(error).isprintable()
    else:
        raise SystemExit(f"{folder} was read")
    print(time.process_time() - started)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
MODEL = json.dumps({"widths": [4, 10**12, 2]}).encode()


def header(shape: list[int], end: int, data: bytes = b"") -> bytes:
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}
    text = json.dumps({"parameters": tensor}).encode()
    return struct.pack("<Q", len(text)) + text + data


HOSTILE = {
    "10^12 floats": header([10**12], 4 * 10**12),
    "10^12 floats that overflow": header([10**12, 10**12], 4),
    "a header of 10^12 bytes": struct.pack("<Q", 10**12) + b"{}",
    "a header as long as can be": struct.pack("<Q", 2**64 - 1),
    "many names": struct.pack("<Q", 30_000_010)
    + b"{" + b",".join(b'"%07d":0' % i for i in range(2_500_000)) + b"}" + b" " * 3_000_000,
    "a pickle": pickle.dumps(list(range(1000))),
}  # fmt: skip


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> list[float]:
    root = tmp_path_factory.mktemp("hostile")
    write_bundle(make(), root / "sound")
    folders = []
    for number, arrays in enumerate(HOSTILE.values()):
        folder = root / str(number)
        write_bundle(make(), folder)
        sign(folder, (folder / "model.json").read_bytes(), arrays)
        folders.append(folder)
    done = subprocess.run(
        [sys.executable, "-c", READ, root / "sound", *folders],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]


def test_it_is_refused_within_a_second(costs: list[float]) -> None:
    *seconds, _ = costs
    slow = {name: s for name, s in zip(HOSTILE, seconds, strict=True) if s >= 1}
    assert slow == {}


def test_it_takes_less_than_50_megabytes(costs: list[float]) -> None:
    # Linux counts in kilobytes; the file with many names is 33 MB and is read before it is parsed.
    assert costs[-1] < 50_000
