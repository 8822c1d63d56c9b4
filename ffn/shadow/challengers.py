"""Which versions score beside the one in production."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ffn.bundles.contents import check_bundle
from ffn.errors import BundleError, FFNError, one_line
from ffn.registry.production_bundle import version_bundle
from ffn.registry.promotion_history import read_history
from ffn.registry.versions import version_folder, versions
from ffn.scoring.rows.scorer import Scorer
from ffn.settings.pipeline import Pipeline

__all__ = ["Challengers", "kept_back", "load_challengers"]


@dataclass(frozen=True, kw_only=True)
class Challengers:
    """The versions that score beside production.

    Attributes
    ----------
    bundles
        Their bundles, the newest first.
    left_out
        Why others do not, a sentence without a full stop each.
    """

    bundles: tuple[Scorer, ...]
    left_out: tuple[str, ...]


def kept_back(artifacts: Path, production: int) -> list[int]:
    """Return the versions that are newer than production and were never promoted, newest first.

    A version that was rolled back is not among them: its labels were given out, so what became of
    them is known already.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    production
        Number of the version in production.
    """
    promoted = {entry.version for entry in read_history(artifacts).entries}
    newer = [one for one in versions(artifacts) if one > production and one not in promoted]
    return newer[::-1]


def load_challengers(pipeline: Pipeline, production: int) -> Challengers:
    """Load the challengers that the settings ask for; one that cannot be loaded is left out.

    Parameters
    ----------
    pipeline
        The pipeline.
    production
        Number of the version in production.
    """
    bundles: list[Scorer] = []
    left_out: list[str] = []
    for version in kept_back(pipeline.artifacts, production)[: pipeline.settings.shadow.count]:
        try:
            folder = version_folder(pipeline.artifacts, version)
            registered = check_bundle(folder, pipeline=pipeline.name, version=version)
            bundle = version_bundle(pipeline.artifacts, version)
            if bundle.sha256 != registered:
                raise BundleError("it was replaced while it was read")
            bundles.append(bundle)
        except (FFNError, OSError) as error:
            left_out.append(f"version {version} cannot be loaded: {one_line(error)}".rstrip("."))
    return Challengers(bundles=tuple(bundles), left_out=tuple(left_out))
