"""The settings as their models declare them: every key with its type, bounds and default."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel

from ffn.nn import OPTIMIZERS
from ffn.settings.document import PipelineSettings

__all__ = ["settings_page", "settings_tables"]

KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "array": "list",
}


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation names, also as an optional or repeated one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType, tuple):
        found = (_model(part) for part in typing.get_args(annotation))
        return next((model for model in found if model), None)
    return None


def settings_tables() -> dict[str, type[BaseModel]]:
    """Return the model of each table of ``pipeline.toml``, tables in tables included."""

    def below(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
        for name, field in model.model_fields.items():
            if table := _model(field.annotation):
                yield f"{path}{name}", table
                yield from below(table, f"{path}{name}.")

    return dict(below(PipelineSettings, ""))


def _kind(entry: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return in words what a key takes, from its JSON schema."""
    if "$ref" in entry:
        return _kind(definitions[entry["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in entry:
        kinds = [_kind(one, definitions) for one in entry["anyOf"] if one != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in entry or "const" in entry:
        return ", ".join(f"`{value}`" for value in entry.get("enum", [entry.get("const")]))
    words = KINDS[entry["type"]]
    bounds = {
        "exclusiveMinimum": "above",
        "minimum": "from",
        "exclusiveMaximum": "below",
        "maximum": "at most",
    }
    words += "".join(f", {word} {entry[key]:g}" for key, word in bounds.items() if key in entry)
    if entry["type"] == "array" and "items" in entry:
        words += f" of: {_kind(entry['items'], definitions)}"
    return words


def _meanings(name: str, model: type[BaseModel]) -> dict[str, str]:
    """Return the text of each key of a table in the docstring of its class, or of a base class.

    The tables of the optimizers add nothing to what the optimizers themselves say.
    """
    optimizer = OPTIMIZERS.get(name.rpartition(".")[2], object)
    found: dict[str, str] = {}
    for source in [*reversed(optimizer.__mro__), *reversed(model.__mro__)]:
        _, _, section = re.sub(
            r"\nParameters\n", "\nAttributes\n", cleandoc(source.__doc__ or "")
        ).partition("\nAttributes\n----------\n")
        for part in re.split(r"\n(?=\S)", section):
            names, _, text = part.partition("\n")
            words = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
            found |= dict.fromkeys(names.split(", "), words)
    return found


def _rows(name: str, model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema()
    meanings = _meanings(name, model)
    for key, entry in schema["properties"].items():
        if _model(model.model_fields[key].annotation) and entry.get("type") != "array":
            continue
        kind = _kind(entry, schema.get("$defs", {}))
        default = entry.get("default")
        shown = "none" if default is None else f"`{json.dumps(default, ensure_ascii=False)}`"
        if key in schema.get("required", ()):
            shown = "required"
        yield f"| `{key}` | {kind} | {shown} | {meanings.get(key, '')} |".replace("\t", "\\t")


def settings_page() -> str:
    """Return a section for each table: its keys with type, default and meaning."""
    parts = []
    for name, model in settings_tables().items():
        rows = list(_rows(name, model))
        if rows:
            head = "| key | type | default | meaning |\n|---|---|---|---|\n"
            parts += [f"## \\[{name}\\]", head + "\n".join(rows)]
    return "\n\n".join(parts)
