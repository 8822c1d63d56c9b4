"""The fuzz, for a second; that it finds what is wrong; and files that are easily read wrongly."""

import ast
import dataclasses
import random
import re
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest

from ffn.attribution.shapley_rows import Explainer
from ffn.tabular.csv.parsing.rejects import Reason
from fuzz.__main__ import main
from fuzz.containers import make_typed_case, try_typed_case
from fuzz.files import Case, make_case
from fuzz.mixed.mixed_trial import make_mixed_case, try_mixed_case
from fuzz.trial import try_case

HEADER = b"id,size,age,colour\n"
KEPT = {
    "quote that is never closed after good rows": b'1,2,3,red\n"4,5,6,red\n7,8,9,red\n',
    "text after a quote, with a line end in quotes before it": b'"a\nb"x,2,3,red\n1,2,3,red\n',
    "doubled quotes where a field begins": b'"""a""",2,3,red\n"",2,3,red\n',
    "lone CR among LF": b"1,2,3,red\r4,5,6,red\n7,8,9,red\n",
    "LF CR LF": b"1,2,3,red\n\r\n4,5,6,red\n",
    "CR at the very end": b"1,2,3,red\r",
    "NUL beside bytes that are no text": b"1,2,3,\0\xff\n1,2,3,red\n",
    "number that is infinite in float32": b"1,1e39,3,red\n",
    "sixteen digits, and a point as the seventeenth": b"1,1234567890123456.,3,red\n",
    "quoted cells with spaces around their text": b'1," 7.5 ",3," red "\n',
    "category with separators": '1,2,3,"dark blue, or écru"\n'.encode(),
    "record longer than a part": b'1,2,3,red\n"' + b"x" * 300 + b'",2,3,red\n4,5,6,red\n',
    "records laid out alike": b"1,2.5,3,red\n" * 40,
    "quote too many in the last cell, and a row with line breaks": (
        b'"1","2","3","red""\n"a\n\nb","2","3","red"\n4,5,6,red\n'
    ),
    "closing quote gone, and rows without quotes": b'1,2,3,"red\n4,5,6,red\n7,8,9,red',
    "damaged row with line breaks": b'"a"a\nb",2,3,"red"\n4,5,6,red\n',
    "text of a damaged cell that looks like rows": (
        b'"\n1,2,3,red\n1,2,3,red\n"a,2,3,red\n1,2,3,red\n'
    ),
    "many broken quotes in a row": b'1,2"2,3,red\n' * 50 + b"1,2,3,red\n",
}


def case(content, **changed):
    plain = Case(content, ",", ".", True, 1 << 18, 1 << 18, ())
    return dataclasses.replace(plain, **changed)


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize(
    "how", [{}, {"block_size": 7, "at_once": 13}, {"cuts": (21, 25, 40)}, {"step": 16}]
)
def test_files_that_are_easily_read_wrongly(name, how):
    assert try_case(case(HEADER + KEPT[name], **how)) == ""


def test_a_thousand_cases(capsys):
    assert main(["--cases", "1000", "--seed", "4"]) == 0
    assert capsys.readouterr().out == "1,000 cases of seed 4, 0 came out wrong\n"


def test_a_case_is_the_same_whenever_it_is_made():
    assert make_case(3, 17) == make_case(3, 17)
    assert make_case(3, 17) != make_case(3, 18)


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("ffn.tabular.csv.parsing.validation._with_nul", lambda *_: []),
        ("ffn.tabular.csv.parsing.blocks.Block.records", lambda block: [b"x"] * len(block)),
        ("ffn.tabular.columns.parsers.NumberParser.column", lambda *_: 1 / 0),
        ("ffn.tabular.csv.parsing.recovery._Recovery._follow", lambda *_: True),
        ("ffn.tabular.csv.parsing.recovery._Recovery._with_tail", lambda _, record: record),
        ("ffn.tabular.csv.encoding.Utf8Stream.encode", lambda _, text: text),
    ],
)
def test_what_is_wrong_is_found(what, wrong, capsys):
    with mock.patch(what, wrong):
        assert main(["--cases", "250", "--seed", "4"]) == 1
    assert "seed 4, case " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("ffn.scoring.parallel.file_run.Run.fits", lambda *_: True),
        ("ffn.scoring.output.checkpoint.Journal._agrees", lambda *_: True),
        ("ffn.tabular.csv.parsing.position.Place.followed_by", lambda _, more: more),
    ],
)
def test_what_is_wrong_with_runs_is_found(what, wrong, capsys):
    with mock.patch(what, wrong), mock.patch("fuzz.files.WHOLE", 0.2):
        assert main(["--cases", "60", "--seed", "4"]) == 1
    assert "seed 4, case " in capsys.readouterr().out


def typed_cases(count):
    return [make_typed_case(random.Random(number)) for number in range(count)]


def test_some_typed_tables():
    cases = typed_cases(150)
    assert {case.container for case in cases} >= {"parquet", "pandas", "arrow, reader"}
    assert [wrong for wrong in map(try_typed_case, cases) if wrong] == []


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("ffn.tabular.columns.typed_values.Spellings.candidates", lambda *_: (0,)),
        ("ffn.tabular.columns.typed_values.read_moments", lambda _: []),
        ("ffn.tabular.columns.arrow_columns._places", lambda encoded: [0] * len(encoded)),
    ],
)
def test_what_is_wrong_with_typed_tables_is_found(what, wrong):
    with mock.patch(what, wrong):
        assert any(map(try_typed_case, typed_cases(60)))
    with mock.patch(what, wrong), mock.patch("fuzz.containers.TYPED", 1):
        assert main(["--cases", "60", "--seed", "4"]) == 1


def mixed_cases(count):
    return (make_mixed_case(random.Random(number)) for number in range(count))


def test_some_tables_of_every_kind_of_column():
    cases = list(mixed_cases(300))
    columns = [column for case in cases for column in case.task.columns]
    kinds = {"number", "money", "date", "time", "truth", "category", "text"}
    assert {column.kind for column in columns} == kinds
    assert {column.form for column in columns} >= {"iso", "iso utc", "true/false", "%d/%m/%Y"}
    assert any(case.task.explain for case in cases)
    assert any(case.task.set_limits and case.task.abstain_below for case in cases)
    assert [wrong for wrong in map(try_mixed_case, cases) if wrong] == []


EXPLAIN = Explainer.explain


# Wrong answers all of them: an error would end the test, and not be taken for something found.
@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("ffn.tabular.truth_form.TruthForm.number", lambda *_: 1.0),
        ("ffn.tabular.date_form.iso_datetime", lambda _: None),
        ("ffn.tabular.number_format.NumberFormat.number", lambda *_: 1.0),
        ("ffn.decision_rules.rule.DecisionRule.abstains", lambda _, found: found < 0),
        ("ffn.decision_rules.rule.DecisionRule.labels", lambda _, p: p.argmax(axis=1)),
        ("ffn.decision_rules.rule.DecisionRule.label_sets", lambda _, p, _labels: p >= 0),
        (
            "ffn.attribution.shapley_rows.Explainer.explain",
            lambda self, x, labels: EXPLAIN(self, x, np.zeros_like(labels)),
        ),
        ("ffn.scoring.rows.contract.reason_of_cell", lambda _: Reason.NOT_A_NUMBER),
    ],
)
def test_what_is_wrong_with_tables_of_every_kind_is_found(what, wrong):
    with mock.patch(what, wrong):
        assert any(map(try_mixed_case, mixed_cases(300)))


def test_tables_of_every_kind_are_among_the_cases():
    abstains = mock.patch(
        "ffn.decision_rules.rule.DecisionRule.abstains", lambda _, found: found < 0
    )
    with abstains, mock.patch("fuzz.mixed.mixed_trial.MIXED", 1):
        assert main(["--cases", "40", "--seed", "4"]) == 1


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        (
            "ffn.tabular.columns.arrow_columns.date_texts",
            lambda column, *_: pa.nulls(len(column), pa.string()),
        ),
        ("ffn.tabular.memory.frames.present_texts", lambda cells, _: list(cells)),
        ("ffn.scoring.labelled_batch._Rejected.add_rows", lambda *_: None),
    ],
)
def test_what_is_wrong_with_their_tables_in_memory_is_found(what, wrong):
    tables = mock.patch("fuzz.mixed.mixed_trial.TABLES", 1)
    with mock.patch(what, wrong), tables, mock.patch("fuzz.mixed.typed_ways.DISK", 0):
        found = next(filter(None, map(try_mixed_case, mixed_cases(300))), "nothing")
    assert re.match("(texts|types) in memory", found)


@pytest.mark.parametrize("name", ["oracle", "mixed/answers", "mixed/cell_oracle", "mixed/columns"])
def test_what_is_expected_comes_from_elsewhere_than_the_product(repository, name):
    tree = ast.parse((repository / f"fuzz/{name}.py").read_text("utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(tree):
        modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
    assert "__future__" in modules
    assert [module for module in modules if module.partition(".")[0] in ("ffn", "flows")] == []
