"""A registry of three small versions, and ways to damage it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from ffn.bundles.bundle import write_bundle
from ffn.registry.pointer import promote
from ffn.registry.versions import add_version
from ffn.storage.documents import write_json
from tests.helpers.bundles import make


def fill(seed: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        # Every file is another in every version.
        write_bundle(replace(make(seed=seed), optimizer="a" * (1 + seed)), folder / "bundle")
        write_json(folder / "metrics.json", {"seed": seed})
        (folder / "plots").mkdir()
        (folder / "plots/curves.png").write_bytes(b"\x89PNG" + bytes([seed]) * 200)

    return write


def registry(artifacts: Path, first_seed: int = 0) -> Path:
    """Versions 1 to 3; 3 scores, and 1 did before."""
    for seed in range(first_seed, first_seed + 3):
        add_version(artifacts, fill(seed))
    promote(artifacts, 1, reason="the first")
    promote(artifacts, 3, reason="shown to be better")
    return artifacts


def parts(artifacts: Path) -> list[str]:
    """Every file that counts, by its path below ``artifacts``."""
    names = [
        path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()
    ]
    return sorted(name for name in names if name != ".lock")


def damaged(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Contents that are wrong in a little: one bit at many places, cut short, lengthened."""
    places = sorted({*range(0, len(content), max(1, len(content) // 40)), len(content) - 1})
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        yield f"bit {place % 8} of byte {place}", bytes(flipped)
    for length in sorted({0, 1, len(content) // 2, len(content) - 1}):
        yield f"cut to {length}", content[:length]
    yield "lengthened", content + b"\n"
    yield "all zero", bytes(len(content))


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
