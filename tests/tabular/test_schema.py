from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffn.errors import BundleError
from ffn.tabular.schema import Feature, Schema

SCHEMA = Schema(
    features=(
        Feature(name="island", kind="categorical", missing=True, categories=("Biscoe", "Dream")),
        Feature(name="bill_length_mm", kind="numeric", minimum=32.1, maximum=59.6),
        Feature(name="sex", kind="categorical", categories=("female", "male")),
    ),
    target="species",
    classes=("Adelie", "Gentoo"),
    missing_values=("", "NA"),
)


def test_json_is_a_way_there_and_back() -> None:
    again = Schema.from_json(json.loads(json.dumps(SCHEMA.to_json())))
    assert again == SCHEMA
    assert [feature.name for feature in again.numeric] == ["bill_length_mm"]
    assert [feature.name for feature in again.categorical] == ["island", "sex"]


@given(st.lists(st.text(), unique=True, min_size=1), st.lists(st.text(), unique=True, min_size=2))
def test_any_names_survive(names: list[str], classes: list[str]) -> None:
    features = tuple(Feature(name=name, kind="numeric") for name in names)
    schema = Schema(features=features, target="t", classes=tuple(classes))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("features", None, "is not a list"),
        ("features", "abc", "is not a list"),
        ("features", [3], "not a schema of this format"),
        ("features.0.name", 3, 'feature "3"'),
        ("features.0.kind", "text", 'feature "island"'),
        ("features.0.missing", 1, 'feature "island"'),
        ("features.0.categories", "ab", "is not a list"),
        ("features.0.categories", ["a", "a"], 'feature "island"'),
        ("features.0.categories", ["a", 1], "is not a list of texts"),
        ("features.1.minimum", "0", 'feature "bill_length_mm"'),
        ("features.1.maximum", True, 'feature "bill_length_mm"'),
        ("features.1.colour", "red", "unexpected keyword argument 'colour'"),
        ("features.1.name", "island", "a feature is repeated"),
        ("target", 5, "target, or an unknown field"),
        ("classes", ["a", "a"], "a class is repeated"),
        ("classes", "ab", "is not a list"),
        ("missing_values", "NA", "is not a list"),
        ("missing_values", [None], "is not a list of texts"),
        ("more", 1, "target, or an unknown field"),
    ],
)
def test_what_no_schema_says_is_refused(path: str, value: object, message: str) -> None:
    document = json.loads(json.dumps(SCHEMA.to_json()))
    place = document
    *parents, last = path.split(".")
    for key in parents:
        place = place[int(key)] if key.isdecimal() else place[key]
    place[last] = value
    with pytest.raises(BundleError, match=message):
        Schema.from_json(document)


@pytest.mark.parametrize("key", ["features", "target", "classes", "missing_values"])
def test_a_field_that_is_not_there_is_named(key: str) -> None:
    document = SCHEMA.to_json()
    del document[key]
    with pytest.raises(BundleError, match=f"not a schema of this format \\('{key}'\\)"):
        Schema.from_json(document)


@pytest.mark.parametrize("document", [None, 3, "schema", [], [1]])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(BundleError, match="not a schema of this format"):
        Schema.from_json(document)
