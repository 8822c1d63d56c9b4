"""Which columns of a training table are features, and which say something else of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ffn.errors import SettingsError, quote
from ffn.tabular.cell_forms import cell_form
from ffn.tabular.columns.feature_columns import choose_features
from ffn.tabular.columns.inference import check_formats, check_kinds
from ffn.tabular.columns.parsers import CategoryColumn
from ffn.tabular.csv.header import Header, check_for_training
from ffn.tabular.csv.header_search import header_hint
from ffn.tabular.date_form import DateForm
from ffn.tabular.ingestion.choice import Choice
from ffn.tabular.training_table.key_columns import KeyColumns, check_keys
from ffn.tabular.weighting.weight_column import WeightColumn

__all__ = ["ColumnRoles", "roles_of_columns"]


@dataclass(frozen=True, kw_only=True)
class ColumnRoles:
    """The columns of a table by what they are for.

    Attributes
    ----------
    choice
        Settings of the table.
    names
        All columns, in the order of the file.
    features
        The feature columns, in the same order.
    """

    choice: Choice
    names: tuple[str, ...]
    features: tuple[str, ...]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Position in a record by column."""
        return {name: place for place, name in enumerate(self.names)}

    def labels(self) -> CategoryColumn:
        """Return a reader of the label column."""
        return CategoryColumn(self.positions[self.choice.target])

    def weights(self) -> WeightColumn | None:
        """Return a reader of the column of weights; None without one."""
        choice = self.choice
        if choice.weight is None:
            return None
        place = self.positions[choice.weight]
        return WeightColumn(choice.weight, place, choice.missing_values, choice.decimal)

    def keys(self, folder: Path) -> KeyColumns:
        """Return a reader of time and group, which writes into ``folder``."""
        choice = self.choice
        time, group = (
            (name, self.positions[name]) if name else None for name in (choice.time, choice.group)
        )
        return KeyColumns(
            folder,
            time,
            group,
            missing_values=choice.missing_values,
            decimal=choice.decimal,
            time_format=choice.time_format,
        )


def roles_of_columns(header: Header, choice: Choice, path: Path) -> ColumnRoles:
    """Check the header and the settings against each other, and return the roles of all columns.

    Parameters
    ----------
    header
        Header of the table.
    choice
        Settings of the table.
    path
        Its file, for errors.

    Raises
    ------
    DataError
        The header cannot be used for training.
    SettingsError
        A column named in the settings does not exist, or is given contradictory roles.
    """
    names, where = header.names, path.name
    wanted = [choice.target, *(choice.features or ())]
    hint = ""
    if not set(wanted) <= set(names):
        hint = header_hint(header, str(path), choice.delimiter, wanted)
    check_for_training(header, str(path), hint)
    keys = {"time": choice.time, "group": choice.group}
    check_keys(keys, names, choice.target, where, hint)
    check_keys({"weight": choice.weight}, names, choice.target, where, hint, table="data")
    if choice.weight is not None and choice.weight in (choice.features or ()):
        raise SettingsError(
            f"{where}: data.weight and data.features both name {quote(choice.weight)}. "
            "Take out one."
        )
    own = [*keys.values(), choice.weight]
    features = choose_features(
        names,
        target=choice.target,
        features=choice.features,
        exclude=choice.exclude,
        default_exclude=choice.default_exclude,
        left_out=_left_out(own, choice),
        where=where,
        hint=hint,
    )
    # What [data] says of such a column held as long as it was a feature, and may hold again.
    spared = set(own).difference(features)
    kinds = {name: kind for name, kind in choice.kinds.items() if name not in spared}
    declared = {name: form for name, form in choice.formats.items() if name not in spared}
    check_kinds(kinds, names, features, where)
    check_formats(declared, kinds, features, where)
    return ColumnRoles(choice=choice, names=tuple(names), features=features)


def _left_out(own: Sequence[str | None], choice: Choice) -> list[str]:
    """Return which of the columns of time, group and weight are no features."""
    if choice.features is not None:
        return []
    # A column of dates has more to say than what it splits the rows by.
    form = choice.formats.get(choice.time or "")
    dated = {choice.time} if form is not None and isinstance(cell_form(form), DateForm) else set()
    return [name for name in own if name and name not in dated]
