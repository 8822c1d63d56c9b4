"""Comparison of a training table with the one that production was trained on (``[contract]``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from ffn.errors import DataError, quote
from ffn.promotion.champion import Opponent, Unreadable
from ffn.quantities import p_equals, percent
from ffn.settings.data_settings import DataSettings
from ffn.settings.drift_settings import ContractSettings
from ffn.settings.pipeline import Pipeline
from ffn.tabular.cell_forms import held_in
from ffn.tabular.schema import Feature, Schema
from ffn.tabular.training_table.histograms import Reference
from ffn.training.table_change import TableChange
from ffn.training.training_data import Prepared

__all__ = ["compare_tables", "keep_contract", "unlike_production", "was_meant"]

# A change to one of these settings shows that a change of the contract is intended.
_MEANT = ("target", "features", "exclude", "kinds", "formats", "missing_values", "labels")
_ALPHA = 0.001
_NAMES_SHOWN = 5


def keep_contract(
    prepared: Prepared, opponent: Opponent | Unreadable | None, pipeline: Pipeline
) -> Prepared:
    """Compare the table with production's, and return ``prepared`` with the changes found.

    Changes whose policy is to warn are added to its notices, and so is a production version that
    cannot be loaded. If ``[data]`` itself asks for other columns, kinds or missing values than it
    did for production, the change is intended and nothing is refused.

    Parameters
    ----------
    prepared
        Inputs of the new training table.
    opponent
        The version in production; None if there is none.
    pipeline
        Settings with the policies of ``[contract]``.

    Raises
    ------
    DataError
        A change was found that ``[contract]`` refuses.
    """
    if opponent is None:
        return prepared
    if isinstance(opponent, Unreadable):
        notice = (
            f"version {opponent.version} is in production and cannot be loaded, so neither table "
            f"nor model is compared with it: {opponent.problem.rstrip('.')}"
        )
        return replace(prepared, notices=(*prepared.notices, notice))
    before, settings = opponent.bundle, pipeline.settings.contract
    changes = tuple(
        compare_tables(
            before.schema, prepared.schema, before.reference, prepared.reference, settings
        )
    )
    if unlabelled := _unlabelled(opponent, prepared, settings.share_change):
        policy = settings.missing_values
        changes += (TableChange(kind="missing_values", policy=policy, text=unlabelled),)
    if was_meant(opponent, pipeline):
        changes = tuple(replace(c, policy="warn") if c.policy == "refuse" else c for c in changes)
    refused = [change for change in changes if change.policy == "refuse"]
    if refused:
        keys = sorted({f"contract.{change.kind}" for change in refused})
        what = "query" if pipeline.settings.data.query is not None else "file"
        raise unlike_production(
            pipeline,
            opponent,
            f"{'; '.join(change.text for change in refused)}.",
            f'Correct the {what} or, if this is intended, set {" and ".join(keys)} to "warn".',
        )
    told = (change.text for change in changes if change.policy == "warn")
    notices = (f"unlike version {before.version}: {text}" for text in told)
    return replace(prepared, changes=changes, notices=(*prepared.notices, *notices))


def was_meant(opponent: Opponent, pipeline: Pipeline) -> bool:
    """Return whether the settings differ from production's in columns, kinds, gaps or labels.

    ``[data]`` names them, and ``[split]`` and ``data.weight`` name columns that are no features.

    Parameters
    ----------
    opponent
        The version in production, with its settings.
    pipeline
        The present settings.
    """
    then = None if opponent.settings is None else opponent.settings.data
    if then is None or opponent.settings is None:
        return False
    columns = [
        (one.split.time, one.split.group, one.data.weight)
        for one in (opponent.settings, pipeline.settings)
    ]
    return _meaning(then) != _meaning(pipeline.settings.data) or columns[0] != columns[1]


def unlike_production(pipeline: Pipeline, opponent: Opponent, found: str, remedy: str) -> DataError:
    """Return the error that refuses a table because it is unlike production's.

    Parameters
    ----------
    pipeline
        Names the table.
    opponent
        The version in production.
    found
        What differs, in sentences.
    remedy
        What to do about it, in sentences.
    """
    return DataError(
        f"{pipeline.shown_source} differs from what version {opponent.version} in production was "
        f"trained on: {found} Nothing was trained. {remedy}"
    )


def compare_tables(
    before: Schema,
    now: Schema,
    reference_before: Reference | None,
    reference: Reference,
    settings: ContractSettings,
) -> Iterator[TableChange]:
    """Yield the changes of a training table, each with its policy, including accepted ones.

    Parameters
    ----------
    before, now
        Schemas of production and of the new table.
    reference_before, reference
        Histograms of both training parts; None if production's are not recorded.
    settings
        Policies of ``[contract]``.
    """

    def change(kind: str, text: str) -> TableChange:
        return TableChange(kind=kind, policy=getattr(settings, kind), text=text)

    old, new = ({f.name: f for f in schema.features} for schema in (before, now))
    if gone := old.keys() - new.keys():
        yield change("missing_columns", f"{_names('column', gone)} missing, constant or empty")
    if added := new.keys() - old.keys():
        yield change("new_columns", f"{_names('column', added)} new")
    both = [(old[name], new[name]) for name in new if name in old]
    for was, feature in both:
        if was.kind != feature.kind:
            text = f"column {quote(was.name)} was {was.kind} and is {feature.kind}"
            yield change("changed_kinds", text)
        elif (held := held_in(was.form)) != (holds := held_in(feature.form)):
            yield change("changed_kinds", f"column {quote(was.name)} had {held} and has {holds}")
        elif _unit(was) != _unit(feature):
            units = " and is ".join(_in_words(_unit(own)) for own in (was, feature))
            yield change("changed_kinds", f"column {quote(was.name)} was {units}")
    for was, feature in both:
        if was.missing != feature.missing:
            yield change("missing_values", _gaps(feature))
    if lost := set(before.classes) - set(now.classes):
        yield change("vanished_classes", f"{_names('class', lost)} gone")
    if unknown := set(now.classes) - set(before.classes):
        yield change("new_classes", f"{_names('class', unknown)} new")
    shares = _shares(before, now, reference_before, reference, settings.share_change)
    if shares:
        yield change("class_shares", shares)


def _unit(feature: Feature) -> str:
    return feature.number_format.unit if feature.number_format else ""


def _in_words(unit: str) -> str:
    return f"in {quote(unit)}" if unit else "without a unit"


def _meaning(data: DataSettings) -> tuple[object, ...]:
    return tuple(getattr(data, name) for name in _MEANT)


def _names(what: str, names: Collection[str]) -> str:
    shown = ", ".join(quote(name) for name in sorted(names)[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    plural = {"column": "columns", "class": "classes"}[what]
    if len(names) == 1:
        return f"{what} {shown} is"
    return f"{plural} {shown}{f' and {more} more' if more > 0 else ''} are"


def _unlabelled(opponent: Opponent, prepared: Prepared, smallest: float) -> str:
    """Return how much the share of unlabelled rows grew; empty if little, or if it is unknown."""
    rows = prepared.labelled + prepared.unlabelled
    share, before = prepared.unlabelled / rows, opponent.unlabelled
    if before is None or share - before <= smallest:
        return ""
    return f"{share:.0%} of the rows have no label now, and {before:.0%} had none".replace(
        "%", " %"
    )


def _gaps(feature: Feature) -> str:
    if feature.missing:
        return f"column {quote(feature.name)} has missing values now, and had none"
    return f"column {quote(feature.name)} had missing values, and has none now"


def _shares(
    before: Schema, now: Schema, old: Reference | None, new: Reference, smallest: float
) -> str:
    """Return how the shares of common classes moved; empty if no change is significant.

    The two tables often have most rows in common. The test treats them as independent, which
    makes it conservative.
    """
    common = [label for label in now.classes if label in before.classes]
    if old is None or len(common) < 2:
        return ""
    counts = [
        [dict(zip(schema.classes, own.labels, strict=True))[label] for label in common]
        for schema, own in ((before, old), (now, new))
    ]
    first, second = ([count / sum(row) for count in row] for row in counts)
    moved = sum(abs(p - q) for p, q in zip(first, second, strict=True)) / 2
    if moved <= smallest:
        return ""
    from scipy import stats

    test = stats.chi2_contingency(counts)
    if test.pvalue >= _ALPHA:
        return ""
    most = max(range(len(common)), key=lambda c: round(abs(first[c] - second[c]), 9))
    return (
        f"class shares moved by {percent(moved)} of the rows, {p_equals(test.pvalue)}, most of all "
        f"{quote(common[most])} from {percent(first[most])} to {percent(second[most])}"
    )
