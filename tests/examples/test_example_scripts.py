"""Every example is listed, says what it is, and is run."""

from __future__ import annotations

import ast
import gzip
import hashlib
import io

import pandas as pd
import pytest

from examples.notebooks.sources import EXAMPLES, percent_cells

SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.name != "__init__.py")
RUNS = EXAMPLES.parent / "tests/executed_examples/test_executed_examples.py"


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_is_listed_and_says_what_it_is(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    cells = percent_cells(text)
    assert cells[0].source.startswith("# ")
    assert f"({name}.py)" in (EXAMPLES / "README.md").read_text("utf-8")


def test_every_example_is_run() -> None:
    text = RUNS.read_text("utf-8")
    assert len(SCRIPTS) == 4
    assert all(f'run("{name}")' in text for name in SCRIPTS)


def test_the_loans_are_the_published_ones() -> None:
    content = gzip.decompress((EXAMPLES / "data/german_credit.csv.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() in (EXAMPLES / "README.md").read_text("utf-8")
    loans = pd.read_csv(io.BytesIO(content))
    # The documentation of UCI's table: 1,000 loans, 20 attributes of which 7 are numbers.
    assert loans.shape == (1000, 21)
    assert loans["creditability"].value_counts().to_dict() == {"good": 700, "bad": 300}
    assert len(loans.select_dtypes("number").columns) == 7
    # As every description of the table has them.
    assert loans["credit_amount"].mean() == pytest.approx(3271.258)
    assert loans["duration_in_month"].mean() == pytest.approx(20.903)
