"""Split the training table: which rows are trained on, and which are held out."""

from __future__ import annotations

from ffn.errors import SettingsError, quote
from ffn.settings.pipeline import Pipeline
from ffn.tabular.splitting.by_content import sampling_units
from ffn.tabular.splitting.calibration_rows import with_calibration
from ffn.tabular.splitting.division import Division, divide
from ffn.tabular.training_table.class_sizes import check_class_sizes
from ffn.tabular.training_table.dataset import Dataset
from ffn.tabular.training_table.split_checks import check_division, check_split_columns

__all__ = ["split"]


def split(dataset: Dataset, pipeline: Pipeline) -> Division:
    """Return which rows are trained on and which are held out for the final evaluation.

    Parameters
    ----------
    dataset
        The training table, N rows.
    pipeline
        Settings with ``[split]``, ``training.test_share`` and ``training.seed``.

    Raises
    ------
    DataError
        There is only one class, or a class has too few rows, or none to train on; or rows cannot be
        divided by time or group.
    SettingsError
        The embargo does not fit to the times.
    """
    training, settings = pipeline.settings.training, pipeline.settings.split
    where = f"{dataset.file}, column {quote(dataset.target)}"
    labels = dataset.labels
    units = sampling_units(labels, dataset.fingerprints)
    check_class_sizes(labels, units, dataset.classes, where)
    check_split_columns(dataset, settings.embargo)
    found = divide(
        labels,
        dataset.fingerprints,
        share=training.test_share,
        seed=training.seed,
        groups=dataset.group_ids,
        times=dataset.times,
        embargo=settings.gap(),
        given=dataset.given,
    )
    decision = pipeline.settings.decision
    if decision.label_sets is not None:
        if dataset.times is not None and not decision.exchangeable:
            raise SettingsError(
                "decision.label_sets promises its coverage for rows like those that it is "
                "calibrated on, and split.time says that rows change over time. Leave it out, or "
                "set decision.exchangeable = true if later rows are like earlier ones."
            )
        found = with_calibration(found, labels, dataset.fingerprints, training.seed)
    check_division(dataset, found)
    return found
