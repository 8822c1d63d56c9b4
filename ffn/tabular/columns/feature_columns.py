"""Selection of the feature columns of a training table."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.tabular.lookalikes import as_argument, escaped, visible

__all__ = ["choose_features", "columns_found", "shown"]


def choose_features(
    header: Sequence[str],
    *,
    target: str,
    features: Sequence[str] | None,
    exclude: Sequence[str] | None,
    default_exclude: Collection[str],
    where: str,
    left_out: Collection[str] = (),
    hint: str = "",
) -> tuple[str, ...]:
    """Return the feature columns, in the order of the file.

    A column without a name is never a feature.

    Parameters
    ----------
    header
        Column names of the file.
    target, features, exclude
        As in `DataSettings`.
    default_exclude
        Columns to leave out if ``exclude`` is None.
    where
        Name of the file in errors.
    left_out
        Columns that are no features besides; by default none.
    hint
        Advice for a missing column; by default its error lists the columns of the file.

    Raises
    ------
    SettingsError
        A column in the settings is not in ``header``, or is given two contradictory roles, or no
        feature is left.
    """
    known = set(header)
    for key, names in (("target", [target]), ("features", features), ("exclude", exclude)):
        for name in names or ():
            # "" excludes columns without a name, whether there are any or not.
            if name and name not in known:
                raise SettingsError(
                    f"{where} has no column {quote(name)}, which data.{key} names"
                    + (f".{hint}" if hint else columns_found(name, header))
                )
    for key, names in (("features", features), ("exclude", exclude)):
        if target in (names or ()):
            raise SettingsError(
                f"{where}: data.{key} names {quote(target)}, which is the target. Take it out."
            )
    for name in set(features or ()).intersection(exclude or ()):
        raise SettingsError(
            f"{where}: data.features and data.exclude both name {quote(name)}. Take out one."
        )
    others = {target, *left_out, *(default_exclude if exclude is None else exclude)}
    wanted = known - others - {""} if features is None else set(features)
    chosen = tuple(name for name in header if name in wanted)
    if not chosen:
        raise SettingsError(
            f"{where} has no feature column besides the target {quote(target)} and those left "
            "out. Add a column, or take one out of data.exclude."
        )
    return chosen


def columns_found(name: str, header: Sequence[str]) -> str:
    """Return the end of a message that ``header`` lacks ``name``: its columns, a suggestion."""
    named = list(filter(None, header))
    for other in named:
        if visible(other) == visible(name):
            return (
                f"; it has {escaped(other)}, which differs only in invisible characters. Correct "
                f"the header, or give {as_argument(other)}."
            )
    return f"; its columns are: {shown(named)}.{did_you_mean(name, named)}"


def shown(names: Sequence[str]) -> str:
    """Return the first 20 of ``names``, shortened, in one line for a message."""
    shown = [name if len(name) <= 60 else name[:59] + "…" for name in names[:20]]
    return ", ".join(shown) + (", …" if len(names) > 20 else "")
