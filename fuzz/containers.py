"""Tables whose cells have types, as readers make them of a CSV file, and how they must score.

Each case is a column of texts that are written alike, and the values that these texts stand for.
The types are given to them here, cell by cell, by Python alone; the expectation is a comparison of
texts. So nothing of the product is used to say what is right.
"""

from __future__ import annotations

import datetime
import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ffn.decision_rules.rule import ARGMAX, DecisionRule
from ffn.errors import DataError
from ffn.scoring.model import Model
from ffn.tabular.schema import Feature, Schema

__all__ = ["TYPED", "TypedCase", "made_and_tried", "make_typed_case", "try_typed_case"]

# Of the cases, so many have a typed table beside them, which takes as long as some hundred others.
TYPED = 0.01

_MISSING = ("", "NA")
_DAY = datetime.date(2000, 1, 1)
_NOON = datetime.datetime(2000, 1, 1, 12)


@dataclass(frozen=True)
class TypedCase:
    """One categorical column.

    Attributes
    ----------
    categories
        Texts that training saw, by code.
    texts
        Cells of the CSV file; some are categories, empty ones have no value.
    values
        The same as typed values, None where there is none.
    of
        Arrow's type for them.
    container
        What is asked for predictions: see ``_CONTAINERS``.
    """

    categories: tuple[str, ...]
    texts: tuple[str, ...]
    values: tuple[Any, ...]
    of: Any
    container: str


def _truth(chance: random.Random) -> tuple[dict[str, Any], Any]:
    true, false = chance.choice(
        (("TRUE", "FALSE"), ("true", "false"), ("yes", "no"), ("Y", "N"), ("t", "f"), ("1", "0"))
    )
    return {true: True, false: False}, pa.bool_()


def _codes(chance: random.Random) -> tuple[dict[str, Any], Any]:
    width = chance.randrange(1, 9)
    numbers = [chance.randrange(10**width) for _ in range(12)]
    of = chance.choice((pa.int32(), pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(12, 0)))
    exact = Decimal if pa.types.is_decimal(of) else float if of == pa.float64() else int
    return {f"{n:0{width}d}": exact(n) for n in numbers}, of


def _decimals(chance: random.Random) -> tuple[dict[str, Any], Any]:
    places = chance.randrange(1, 4)
    of = chance.choice((pa.float64(), pa.float32(), pa.decimal128(12, 3)))
    exact = Decimal if pa.types.is_decimal(of) else float
    texts = [f"{chance.randrange(-999, 1000) / 10**places:.{places}f}" for _ in range(12)]
    # -0.0 and 0.0 are two texts of one number.
    return {text: exact(text) for text in texts if float(text) or text[0] != "-"}, of


def _dates(chance: random.Random) -> tuple[dict[str, Any], Any]:
    days = [_DAY + datetime.timedelta(chance.randrange(-40_000, 40_000)) for _ in range(12)]
    written = chance.choice(("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d 00:00:00"))
    return {day.strftime(written): day for day in days}, chance.choice(
        (pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"))
    )


def _moments(chance: random.Random) -> tuple[dict[str, Any], Any]:
    zoned = chance.random() < 0.5
    found = {}
    for _ in range(12):
        moment = _NOON + datetime.timedelta(seconds=chance.randrange(-(10**9), 10**9))
        text = moment.isoformat(chance.choice("T "), "seconds")
        if zoned:
            moment = moment.replace(tzinfo=datetime.UTC)
        found[f"{text}Z" if zoned else text] = moment
    zone = chance.choice(("UTC", "+02:00")) if zoned else None
    return found, pa.timestamp(chance.choice(("s", "ms", "us", "ns")), zone)


def _times(chance: random.Random) -> tuple[dict[str, Any], Any]:
    seconds = [chance.randrange(86_400) for _ in range(12)]
    found = [(_NOON.min + datetime.timedelta(seconds=second)).time() for second in seconds]
    return {at.isoformat("seconds"): at for at in found}, chance.choice(
        (pa.time32("s"), pa.time64("us"))
    )


def _words(chance: random.Random) -> tuple[dict[str, Any], Any]:
    words = ["red", "dark blue", "\u00e9cru", "01", "TRUE", "nan", "2000-01-01", "1.50", "x\ny"]
    of = chance.choice((pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())))
    return {word: word for word in chance.sample(words, 5)}, of


_FAMILIES = (_truth, _codes, _decimals, _dates, _moments, _times, _words)


def _frame_of_objects(table: Any) -> pd.DataFrame:
    columns = {name: table[name].to_pylist() for name in table.column_names}
    if table["c"].type == pa.float32():
        # Python's floats would be others.
        columns["c"] = [None if cell is None else np.float32(cell) for cell in columns["c"]]
    return pd.DataFrame(columns, dtype=object)


def _in_dictionary(table: Any) -> Any:
    column = table["c"]
    if pa.types.is_dictionary(column.type):
        return table
    return table.set_column(table.schema.get_field_index("c"), "c", column.dictionary_encode())


_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "pandas": lambda table: table.to_pandas(),
    "pandas, nullable": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas, objects": _frame_of_objects,
    "pandas, categorical": lambda table: table.to_pandas().astype({"c": "category"}),
    "arrow": lambda table: table,
    "arrow, dictionary": _in_dictionary,
    "arrow, chunks": lambda table: pa.concat_tables([table.slice(0, 2), table.slice(2)]),
    "arrow, reader": lambda table: table.to_reader(2),
}


def make_typed_case(chance: random.Random) -> TypedCase:
    """Return a column whose typed values each have one text."""
    known, of = chance.choice(_FAMILIES)(chance)
    texts = list(known)
    chance.shuffle(texts)
    # A flag has both of its values in training; others may be met for the first time.
    categories = texts[: max(2, chance.randrange(len(texts) + 1))]
    cells = [chance.choice((*texts, *categories, "")) for _ in range(chance.randrange(1, 9))]
    return TypedCase(
        tuple(categories),
        tuple(cells),
        tuple(known.get(cell) for cell in cells),
        of,
        chance.choice((*_CONTAINERS, "parquet")),
    )


def made_and_tried(seed: int, number: int) -> str:
    """Return what is wrong with the typed table that belongs to a case; of most there is none."""
    chance = random.Random(f"{seed}:{number}:typed")  # noqa: S311
    if chance.random() >= TYPED:
        return ""
    case = make_typed_case(chance)
    wrong = try_typed_case(case)
    return f"{wrong} of {case}" if wrong else ""


def try_typed_case(case: TypedCase) -> str:
    """Return what is wrong with how a typed table is scored; nothing if all is well."""
    codes = dict(zip(case.categories, range(len(case.categories)), strict=True))
    expected = [-1 if text in _MISSING else codes.get(text, -2) for text in case.texts]
    values = pa.array(case.values, pa.date32() if _holds_dates(case) else case.of).cast(case.of)
    table = pa.table({"id": list(range(len(values))), "c": values})
    model = _model(case.categories)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = _ask(model, case, table)
        except DataError as error:
            return f"refused: {error}"
    return "" if found == expected else f"codes {found} instead of {expected}"


def _holds_dates(case: TypedCase) -> bool:
    # Arrow takes no date for a time by itself.
    return any(type(value) is datetime.date for value in case.values)


def _ask(model: Model, case: TypedCase, table: Any) -> list[int]:
    """Return the codes that predictions tell."""
    if case.container != "parquet":
        shares = model.predict_proba(_CONTAINERS[case.container](table))[:, 0]
        return [round(share * 100) - 3 for share in shares.tolist()]
    with TemporaryDirectory(prefix="ffn-fuzz-") as folder:
        source, output = Path(folder) / "in.parquet", Path(folder) / "out.parquet"
        pq.write_table(table, source)
        model.score_csv(source, output, probabilities=True)
        return [
            round(share * 100) - 3 for share in pq.read_table(output)["probability_a"].to_pylist()
        ]


class _Codes:
    def transform(self, numeric: Any, codes: Any) -> Any:
        """Return the codes."""
        return np.hstack((numeric, codes)).astype(np.float64)


@dataclass(frozen=True)
class _CodeScorer:
    """The share of "a" tells the category: (code + 3) hundredths."""

    schema: Schema
    pipeline: str = "codes"
    version: int = 1
    sha256: str = "cd" * 32
    preparation: _Codes = field(default_factory=_Codes)
    reference: None = None
    rule: DecisionRule = ARGMAX

    def probabilities(self, x: Any) -> Any:
        """Return shares [n, 2]."""
        share = (x[:, -1] + 3) / 100
        return np.stack((share, 1 - share), axis=1)


def _model(categories: Sequence[str]) -> Model:
    feature = Feature(name="c", kind="categorical", missing=True, categories=tuple(categories))
    schema = Schema(features=(feature,), target="y", classes=("a", "b"), missing_values=_MISSING)
    return Model(_CodeScorer(schema))
