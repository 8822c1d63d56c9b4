"""Provenance of a version: all that is needed to reproduce it, and who made it when."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffn.errors import one_line
from ffn.lineage.git_commit import commit_of
from ffn.registry.actor import Actor
from ffn.storage.documents import canonical_json
from ffn.version import __version__

if TYPE_CHECKING:
    # Workers of clusters ask for the circumstances, and need no settings.
    from ffn.settings.pipeline import Pipeline
    from ffn.training.training_data import Prepared

__all__ = ["PROVENANCE", "circumstances", "code_sha256", "provenance", "settings_sha256"]

PROVENANCE = "provenance.json"
_RECORDED_PACKAGES = ("numpy", "scikit-learn", "scipy", "safetensors")


def provenance(
    pipeline: Pipeline, prepared: Prepared, by: Actor, seconds: float | None
) -> dict[str, Any]:
    """Return the content of ``provenance.json`` for a version that is about to be written.

    Parameters
    ----------
    pipeline
        Settings and the source of the data.
    prepared
        Inputs, with the digest of the table and the numbers of rows.
    by
        Who or what retrains.
    seconds
        Wall time of the retraining so far; None if not measured.
    """
    settings = pipeline.settings.of_training()
    return {
        **circumstances(),
        "by": dataclasses.asdict(by),
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "notices": list(prepared.notices),
        "rows": {
            "test": len(prepared.x_test),
            "train": len(prepared.x_train),
            **({"unlabelled": prepared.unlabelled} if prepared.unlabelled else {}),
            **({"weightless": prepared.weightless} if prepared.weightless else {}),
            **({"neither": prepared.split.neither} if prepared.split else {}),
        },
        "seconds": None if seconds is None else round(seconds, 3),
        "seed": pipeline.settings.training.seed,
        "settings": settings,
        "settings_sha256": settings_sha256(settings),
        "source": pipeline.settings.data.source,
        "source_sha256": prepared.source_sha256,
        **({"files": [part._asdict() for part in prepared.parts]} if prepared.parts else {}),
        **({"split": dataclasses.asdict(prepared.split)} if prepared.split else {}),
        **({"test_sha256": prepared.test_sha256} if prepared.test_sha256 else {}),
        **(
            {"test_files": [part._asdict() for part in prepared.test_parts]}
            if prepared.test_parts
            else {}
        ),
    }


def circumstances() -> dict[str, Any]:
    """Return what a training depends on besides data and settings: code, packages, processor.

    ``commit`` is there only if the code is in a git repository of its own.
    """
    commit = commit_of(Path(__file__).parents[2])
    return {
        "blas": _blas(),
        "code_sha256": code_sha256(),
        **({"commit": commit} if commit else {}),
        "machine": platform.machine(),
        "packages": {
            "ffn": __version__,
            **{name: importlib.metadata.version(name) for name in _RECORDED_PACKAGES},
        },
        "processor": _processor(),
        "python": sys.version.split()[0],
    }


def settings_sha256(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of effective settings: defaults included, independent of their order."""
    return hashlib.sha256(canonical_json(settings)).hexdigest()


@functools.cache
def code_sha256() -> str:
    """Return the SHA-256 of the modules of ``ffn``, which identifies more than its version."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix().encode()
        content = path.read_bytes()
        digest.update(b"%d %s %d\n" % (len(name), name, len(content)) + content)
    return digest.hexdigest()


@functools.cache
def _blas() -> str:
    """Return library, version and kernel of NumPy's matrix products, on which last bits depend."""
    # Its library is found once it is loaded; a worker is asked before it has computed anything.
    import numpy  # noqa: F401
    from threadpoolctl import threadpool_info

    libraries = [found for found in threadpool_info() if found.get("user_api") == "blas"]
    # SciPy may bring one of its own, which is loaded or not.
    libraries.sort(key=lambda found: "numpy" not in str(found.get("filepath")))
    for found in libraries[:1]:
        parts = (found.get(key) for key in ("internal_api", "version", "architecture"))
        return " ".join(str(part) for part in parts if part)
    return ""


@functools.cache
def _processor() -> str:
    """Return the name of the processor; empty if the system does not say it."""
    with contextlib.suppress(OSError, ValueError), Path("/proc/cpuinfo").open() as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return one_line(value.strip())
    return platform.processor()
