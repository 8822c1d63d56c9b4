"""Provenance of a version: all that is needed to reproduce it, and who made it when."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import hashlib
import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import Any

from ffn.registry.actor import Actor
from ffn.settings.pipeline import Pipeline
from ffn.storage.documents import canonical_json
from ffn.training.training_data import Prepared
from ffn.version import __version__

__all__ = ["PROVENANCE", "code_sha256", "provenance", "settings_sha256"]

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
        "by": dataclasses.asdict(by),
        "code_sha256": code_sha256(),
        "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "notices": list(prepared.notices),
        "packages": {
            "ffn": __version__,
            **{name: importlib.metadata.version(name) for name in _RECORDED_PACKAGES},
        },
        "python": sys.version.split()[0],
        "rows": {
            "test": len(prepared.x_test),
            "train": len(prepared.x_train),
            **({"unlabelled": prepared.unlabelled} if prepared.unlabelled else {}),
            **({"neither": prepared.split.neither} if prepared.split else {}),
        },
        "seconds": None if seconds is None else round(seconds, 3),
        "seed": pipeline.settings.training.seed,
        "settings": settings,
        "settings_sha256": settings_sha256(settings),
        "source": pipeline.settings.data.source,
        "source_sha256": prepared.source_sha256,
        **({"split": dataclasses.asdict(prepared.split)} if prepared.split else {}),
        **({"test_sha256": prepared.test_sha256} if prepared.test_sha256 else {}),
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
