"""docs/pipeline.md has every key of the settings, with its type, bounds and default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ffn.settings.document import PipelineSettings
from ffn.settings.service_settings import When

PAGE = (Path(__file__).parents[1] / "docs/pipeline.md").read_text("utf-8")
KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "array": "list",
}
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def rows(heading: str) -> dict[str, list[str]]:
    """Return type, default and meaning by key, of the table under a heading."""
    text = re.split(rf"^#+ {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def settings_tables() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the JSON schema of each key by table, as the settings' models have it."""
    schema = PipelineSettings.model_json_schema()

    def resolve(entry: dict[str, Any]) -> dict[str, Any]:
        found = next((e for e in entry.get("anyOf", []) if e != {"type": "null"}), entry)
        reference = found.get("$ref")
        return {**entry, **(schema["$defs"][reference.split("/")[-1]] if reference else found)}

    def keys(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {
            name: {**resolve(value), "needed": name in entry.get("required", ())}
            for name, value in entry["properties"].items()
        }

    top = {name: resolve(entry) for name, entry in schema["properties"].items()}
    optimizers = keys(top.pop("optimizers"))
    found = {name: keys(entry) for name, entry in top.items()}
    return found | {f"optimizers.{name}": keys(entry) for name, entry in optimizers.items()}


@pytest.mark.parametrize("name", settings_tables())
def test_every_setting_is_documented(name: str) -> None:
    documented = rows(f"[{name}]")
    schemas = settings_tables()[name]
    assert list(documented) == list(schemas)
    for key, (kind, default, _meaning) in documented.items():
        schema = schemas[key]
        assert kind.startswith(KINDS[schema["type"]]), key
        bounds = [schema[bound] for bound in BOUNDS if bound in schema]
        assert set(re.findall(r"\d+", kind)) >= {f"{bound:.0f}" for bound in bounds}, key
        assert re.findall(r"`(\w+)`", kind) == schema.get("enum", []), key
        if schema["needed"]:
            assert default == "required", key
        elif schema.get("default") is None:
            assert default == "none", key
        else:
            shown = tomllib.loads(f"x = {default.strip('`')}")["x"]
            assert shown == schema["default"], key


def test_every_key_of_a_schedule_is_documented() -> None:
    documented = rows("A schedule")
    fields = When.model_fields
    assert list(documented) == list(fields)
    for key, (kind, default, _meaning) in documented.items():
        shown = None if default == "none" else default.strip('`"')
        assert (kind, shown) == ("text", fields[key].default)


def test_the_settings_page_has_no_other_table() -> None:
    headings = re.findall(r"^#+ \[(.*)\]", PAGE, re.MULTILINE)
    assert set(headings) == {*settings_tables(), "optimizers"}
