"""The view of a retraining that is running, from what its trainings publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffn.quantities import counted, percent
from ffn.registry.live_runs import LiveRun, working
from ffn.storage.cache import CacheEntry
from ffn.training.partition import TrainingPart, read_learnt
from ffn.watching.class_map import Plane, class_map, principal_plane
from ffn.watching.observation import Sample, layer_figures, sample_of
from ffn.watching.snapshots import REFITTING, Curve, Snapshot, read_snapshots
from ffn.watching.view import TrainingView, View, best_training

__all__ = ["MAP_HEIGHT", "MAP_WIDTH", "LiveView", "map_note", "rows_note", "running_retraining"]

# With the curves beside it, a terminal of 80 columns and 24 lines.
MAP_WIDTH, MAP_HEIGHT = 34, 14


def running_retraining(artifacts: Path) -> LiveRun | None:
    """Return the retraining of a pipeline that is running; None if there is none.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """
    return next((run for run in working(artifacts) if run.what == "retrain"), None)


@dataclass(frozen=True)
class _Rows:
    """Rows that a training learns from, and the plane to show them on."""

    sample: Sample
    plane: Plane
    classes: Sequence[str]
    rows: int


class LiveView:
    """Reads what is published; rows are read once for each table.

    Parameters
    ----------
    artifacts
        Folder of the pipeline's results, ``artifacts/<pipeline>``.
    """

    def __init__(self, artifacts: Path) -> None:
        self._artifacts = artifacts
        self._rows: dict[str, _Rows | None] = {}

    def read(self, title: str) -> View | None:
        """Return the view of this moment; None if nothing was published yet.

        Parameters
        ----------
        title
            What is shown, in a line.
        """
        snapshots = read_snapshots(self._artifacts)
        if not snapshots:
            return None
        trainings = [self._training(one) for one in snapshots]
        best = best_training(trainings)
        # The refit is the model. It has no validation rows to be compared by, and comes last.
        shown = snapshots[-1]
        if shown.label != REFITTING:
            shown = next(one for one in snapshots if best and one.label == best.label)
        rows = self._rows_of(shown)
        if rows is None:
            note = "the rows of this training cannot be read, so there is no map"
            return View(title=title, trainings=trainings, notes=[note])
        return View(
            title=title,
            trainings=trainings,
            classes=rows.classes,
            shown=shown.label,
            map=class_map(
                shown.network, rows.plane, rows.sample, width=MAP_WIDTH, height=MAP_HEIGHT
            ),
            notes=[map_note(rows.plane), rows_note(len(rows.sample.x), rows.rows)],
        )

    def _training(self, snapshot: Snapshot) -> TrainingView:
        rows = self._rows_of(snapshot)
        curve: Curve = snapshot.curves[snapshot.rate]
        return TrainingView(
            label=snapshot.label,
            rate=snapshot.rate,
            epoch=snapshot.epoch,
            epochs=snapshot.epochs,
            networks=1,
            curve=curve,
            layers=layer_figures(snapshot.network, rows.sample) if rows else (),
        )

    def _rows_of(self, snapshot: Snapshot) -> _Rows | None:
        if snapshot.part not in self._rows:
            self._rows[snapshot.part] = self._read_rows(snapshot)
        rows = self._rows[snapshot.part]
        widths = snapshot.network.widths
        fits = rows and (rows.sample.x.shape[1], len(rows.classes)) == (widths[0], widths[-1])
        return rows if fits else None

    def _read_rows(self, snapshot: Snapshot) -> _Rows | None:
        try:
            entry = CacheEntry(self._artifacts / "cache" / snapshot.part)
            schema, preparation, _, _ = read_learnt(entry.path)
            part = TrainingPart(rows=0, schema=schema, preparation=preparation, entry=entry)
            labels = part.labels
            sample = sample_of(part.x, labels)
        except (OSError, ValueError, KeyError):
            return None
        return _Rows(sample, principal_plane(sample), schema.classes, len(labels))


def map_note(plane: Plane) -> str:
    """Return what the map shows, and how much of the rows' differences.

    Parameters
    ----------
    plane
        The plane of the map.
    """
    return (
        "map: the plane of the two directions in which the rows differ most, "
        f"{percent(plane.share)} of the variance of the inputs; what lies across it is at its mean"
    )


def rows_note(looked_at: int, rows: int) -> str:
    """Return on which rows gradients and dead units were computed.

    Parameters
    ----------
    looked_at
        Number of rows in the sample.
    rows
        Number of training rows.
    """
    which = f"{looked_at:,} of " if looked_at < rows else ""
    return f"gradients and dead units: on {which}{counted(rows, 'training row')}"
