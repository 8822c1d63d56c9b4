"""Which tables there are, in two lists: one to choose a recipe on, one to report.

A table belongs to one list only. A recipe, a default or a constant of ours may be chosen by looking
at results on `CHOOSING`; those on `REPORTING` are for the page alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sklearn import datasets

from benchmarks.accuracy.tables.shipped import Keel, R, ScikitLearn, Shipped

__all__ = ["CHOOSING", "REPORTING", "Table", "tables_named"]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A classification task.

    Attributes
    ----------
    name
        Of the task; a file name.
    shipped
        Where its rows are.
    target
        The column to predict.
    without
        Columns left out, since they tell the label, name a row, or repeat another column.
    late_from
        The label is not ``target`` itself but whether it is at least this number.
    """

    name: str
    shipped: Shipped
    target: str = "label"
    without: tuple[str, ...] = ()
    late_from: float | None = None


CHOOSING = (
    Table(
        name="caravan",
        shipped=R("ISLR", "Caravan"),
        target="Purchase",
    ),
    Table(
        name="email",
        shipped=R("openintro", "email"),
        target="spam",
        without=("time",),
    ),
    Table(
        name="flights",
        shipped=R("nycflights13", "flights"),
        target="arr_delay",
        # Known only once the aeroplane has left; the rest names one flight, or repeats the hour.
        without=(
            *("dep_time", "dep_delay", "arr_time", "air_time"),
            *("year", "flight", "tailnum", "time_hour", "hour", "minute"),
        ),
        late_from=15,
    ),
    Table(
        name="force",
        shipped=R("openintro", "mn_police_use_of_force"),
        target="force_type",
        without=("force_type_action", "response_datetime"),
    ),
    Table(name="german", shipped=Keel("german")),
    Table(name="letter", shipped=Keel("letter")),
    Table(
        name="loans",
        shipped=R("openintro", "loans_full_schema"),
        target="loan_purpose",
        # The job's title is free text; what was paid since comes after the decision.
        without=(
            *("emp_title", "balance", "paid_total", "paid_principal", "paid_interest"),
            *("paid_late_fees", "loan_status"),
        ),
    ),
    Table(name="marketing", shipped=Keel("marketing")),
    Table(name="orange", shipped=R("ISLR", "OJ"), target="Purchase"),
    Table(name="phoneme", shipped=Keel("phoneme")),
    Table(name="segment", shipped=Keel("segment")),
    Table(name="spambase", shipped=Keel("spambase")),
    Table(
        name="texting",
        shipped=R("openintro", "yrbss"),
        target="text_while_driving_30d",
        # Both mix numbers with texts ("other", "<5"): `ffn init` asks the user what they mean.
        without=("grade", "school_night_hours_sleep"),
    ),
    Table(name="vehicle", shipped=Keel("vehicle")),
)
"""Recipes and defaults of ours may be chosen on these."""

REPORTING = (
    Table(name="attrition", shipped=R("modeldata", "attrition"), target="Attrition"),
    Table(
        name="birds",
        shipped=R("openintro", "birds"),
        target="phase_of_flt",
        without=("opid", "remarks", "date"),
    ),
    Table(name="cancer", shipped=ScikitLearn(datasets.load_breast_cancer), target="target"),
    Table(name="cells", shipped=R("modeldata", "cells"), target="class", without=("case",)),
    Table(name="chile", shipped=R("carData", "Chile"), target="vote"),
    Table(name="churn", shipped=R("modeldata", "mlc_churn"), target="churn"),
    Table(name="contraceptive", shipped=Keel("contraceptive")),
    Table(name="credit", shipped=R("modeldata", "credit_data"), target="Status"),
    Table(name="cut", shipped=R("ggplot2", "diamonds"), target="cut"),
    Table(name="digits", shipped=ScikitLearn(datasets.load_digits), target="target"),
    Table(
        name="flchain",
        shipped=R("survival", "flchain"),
        target="death",
        # How long they lived, and of what they died.
        without=("futime", "chapter"),
    ),
    Table(name="hmda", shipped=R("AER", "HMDA"), target="deny"),
    Table(
        name="hotel",
        shipped=R("modeldata", "hotel_rates"),
        target="market_segment",
        # The date is there as a number too.
        without=("arrival_date",),
    ),
    Table(name="hpc", shipped=R("modeldata", "hpc_data"), target="class"),
    Table(
        name="leaf",
        shipped=R("modeldata", "leaf_id_flavia"),
        target="species",
        # What botany says of the species, the same for each of its leaves.
        without=(
            *("apex", "base", "shape", "denate_edge", "lobed_edge", "smooth_edge"),
            *("toothed_edge", "undulate_edge"),
        ),
    ),
    Table(name="lending", shipped=R("modeldata", "lending_club"), target="Class"),
    Table(name="magic", shipped=Keel("magic")),
    Table(name="pageblocks", shipped=Keel("page-blocks0", "imbalanced")),
    Table(name="remote", shipped=R("modeldata", "stackoverflow"), target="Remote"),
    Table(name="satimage", shipped=Keel("satimage")),
    Table(name="splice", shipped=Keel("splice")),
    Table(
        name="storms",
        shipped=R("dplyr", "storms"),
        target="status",
        # The category is defined by the status; the name says which other rows are of this storm.
        without=("name", "category"),
    ),
    Table(name="taxi", shipped=R("modeldata", "taxi"), target="tip"),
    Table(name="telco", shipped=R("modeldata", "wa_churn"), target="churn"),
)
"""Results on these are reported, and nothing is chosen by them."""


def tables_named(names: list[str] | None, of: tuple[Table, ...]) -> tuple[Table, ...]:
    """Return the tables of these names, all of them by default, in the order of the list.

    Raises
    ------
    ValueError
        There is no table of that name in the list.
    """
    if names is None:
        return of
    known = {table.name for table in of}
    for name in names:
        if name not in known:
            raise ValueError(f'there is no table "{name}"; there are {", ".join(sorted(known))}')
    return tuple(table for table in of if table.name in names)
