"""What a new ``pipeline.toml`` leaves to defaults, written into it as comments.

Keys, defaults and reasons are those of the classes of the settings, so that this text cannot say
anything else than they do. Headers of tables stand there without a comment sign: a line below one
that is taken out of its comment is then in its table, whichever other lines are.
"""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from ffn.nn import OPTIMIZERS
from ffn.profiling.setting_examples import EXAMPLES
from ffn.settings.document import PipelineSettings

__all__ = ["with_defaults"]

_HEADER = re.compile(r"\[([\w.-]+)\]")
_PREFACE = (
    "# A line that begins with #, and no space after it, is the default of its key: take out the #",
    "# to change it. After e.g. stands a key that is not set. docs/pipeline.md explains each.",
)
_DEFAULT = re.compile(r"[;:] (?:by )?(?:default|None|0 \(the default\))\b.*")
_COLUMN, _WIDTH = 32, 100
_FEWEST_WORDS = 4


@dataclass
class _Section:
    """Lines of the file from a header to the next, with the comment above the header."""

    table: str
    lines: list[str] = field(default_factory=list)

    def append(self, lines: Sequence[str]) -> None:
        """Add lines below the last one that is not blank."""
        blank = 0
        while self.lines and not self.lines[-1]:
            self.lines.pop()
            blank += 1
        self.lines += [*lines, *([""] * blank)]


def with_defaults(text: str) -> str:
    """Return a ``pipeline.toml`` with every key that it does not name, as a comment.

    In each table the keys that are set come first. Tables of which nothing is set follow the
    others.

    Parameters
    ----------
    text
        The file as it is used. Its tables have headers, each on a line of its own.
    """
    document = tomllib.loads(text)
    sections = _sections(text)
    sections[0].append(_PREFACE)
    for table, model, given in _tables(document):
        place = next((n for n, one in enumerate(sections) if one.table == table), None)
        said = "\n".join(sections[place].lines) if place is not None else ""
        lines = list(_key_lines(table, model, given, said))
        if not lines:
            continue
        if place is not None:
            sections[place].append(lines)
            continue
        below = (n for n, one in enumerate(sections) if one.table.startswith(f"{table}."))
        new = _Section(table, [f"[{table}]", *lines, ""])
        sections.insert(next(below, len(sections)), new)
    return "\n".join(line for one in sections for line in one.lines).rstrip("\n") + "\n"


def _sections(text: str) -> list[_Section]:
    found = [_Section("")]
    for line in text.split("\n"):
        if header := _HEADER.match(line):
            above: list[str] = []
            lines = found[-1].lines
            # The first section is the comment on the whole, which is not that of a table.
            while len(found) > 1 and lines and lines[-1].startswith("# "):
                above.insert(0, lines.pop())
            if lines and lines[-1]:
                lines += above
                above = []
            found.append(_Section(header[1], above))
        found[-1].lines.append(line)
    return found


def _tables(document: Mapping[str, Any]) -> Iterator[tuple[str, type[BaseModel], dict[str, Any]]]:
    """Yield name and model of each table with what the document sets; inner ones if they exist."""
    for name, entry in PipelineSettings.model_fields.items():
        if model := _model(entry.annotation):
            given = document.get(name, {})
            yield name, model, given
            for key, inner in model.model_fields.items():
                if key in given and (own := _model(inner.annotation)):
                    yield f"{name}.{key}", own, given[key]


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a table that an annotation names, also as one that may be missing."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        found = (_model(part) for part in typing.get_args(annotation))
        return next((model for model in found if model), None)
    return None


def _key_lines(
    table: str, model: type[BaseModel], given: Mapping[str, Any], said: str
) -> Iterator[str]:
    """Yield the lines of the keys that a table does not set, nor mention in a comment."""
    reasons, before = _reasons(table, model), ""
    for key, entry in model.model_fields.items():
        mentioned = re.search(rf"^#\s*(e\.g\. )?{re.escape(key)} =", said, re.MULTILINE)
        if key in given or mentioned or entry.is_required():
            continue
        choices = ", ".join(_choices(entry.annotation))
        default = entry.get_default(call_default_factory=True)
        if inner := _model(entry.annotation):
            # A table that is not there by default: on one line, it cannot be taken apart.
            default = {name: one.default for name, one in inner.model_fields.items()}
        if default is None:
            example = EXAMPLES.get(f"{table}.{key}")
            assignment = f"# e.g. {key} = {example}" if example else f"# {key} is not set"
        else:
            assignment = f"#{key} = {_toml(default)}"
        reason = reasons.get(key, "")
        # Said once of keys that are explained together.
        told = "" if reason == before else reason
        shared = list(reasons.values()).count(reason) > 1
        yield from _with_reason(assignment, told, choices, shared=shared)
        before = reason


def _with_reason(assignment: str, reason: str, choices: str, *, shared: bool) -> Iterator[str]:
    """Yield a line with as much of the reason as fits on it; or the reason above, cut short."""
    # Where the text only says what each choice does, their names are enough.
    if choices and reason.lstrip('"').startswith(tuple(choices.split(", "))):
        reason = ""
    of = f"of: {choices}" if choices else ""
    comments = ["; ".join(filter(None, (words, of))) for words in _shorter(reason, shared=shared)]
    lines = [
        f"{assignment:<{_COLUMN}} # {comment}" if comment else assignment for comment in comments
    ]
    for line in lines:
        if len(line) <= _WIDTH:
            yield line
            return
    whole = min((c for c in comments if len(c) + 2 <= _WIDTH), key=len, default=comments[-1])
    yield from textwrap.wrap(whole, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    yield assignment


def _shorter(reason: str, *, shared: bool) -> list[str]:
    """Return a reason, and what is left of it without what explains it further.

    Of several keys, whatever a comma divides may be said of one each.
    """
    # The default stands before it.
    found = [_DEFAULT.sub("", reason)]
    for mark in (": ", "; ") if shared else (": ", "; ", ", "):
        shorter = found[-1].partition(mark)[0]
        if len(shorter.split()) >= _FEWEST_WORDS:
            found.append(shorter)
    return found


def _reasons(table: str, model: type[BaseModel]) -> dict[str, str]:
    """Return by key the first sentence of what the docstring of its class says, as a clause.

    The tables of optimizers leave most of it to the classes of the optimizers themselves.
    """
    found: dict[str, str] = {}
    optimizer = OPTIMIZERS.get(table.rpartition(".")[2], object)
    for source in (*reversed(optimizer.__mro__), *reversed(model.__mro__)):
        text = textwrap.dedent(f"    {source.__doc__ or ''}")
        _, _, section = text.replace("\nParameters\n", "\nAttributes\n").partition(
            "Attributes\n---"
        )
        for part in re.split(r"\n(?=\S)", section):
            names, _, text = part.partition("\n")
            words = re.split(r"(?<=\.)\s+(?=[A-Z`])", " ".join(text.split()))[0].rstrip(".")
            keys = names.split(", ")
            # "one thing; another; a third" of as many keys.
            own = words.split("; ")
            each = own if len(own) == len(keys) else [words] * len(keys)
            found |= dict(zip(keys, map(_as_clause, each), strict=True))
    return found


def _as_clause(sentence: str) -> str:
    plain = sentence.replace("``", "").replace("`", "")
    second = plain[1:2]
    return plain if second.isupper() or second == ":" else plain[:1].lower() + plain[1:]


def _choices(annotation: Any) -> list[str]:
    """Return the values between which a key chooses; nothing if it takes others, too."""
    leaves = list(_leaves(annotation))
    return [] if None in leaves else [one for one in leaves if one is not None]


def _leaves(annotation: Any) -> Iterator[str | None]:
    """Yield what an annotation consists of: the values that it names, None for other types."""
    kind, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if kind is typing.Literal:
        yield from map(str, parts)
    elif kind is typing.Annotated:
        yield from _leaves(parts[0])
    elif kind in (typing.Union, types.UnionType, tuple):
        for part in parts:
            if part not in (types.NoneType, ...):
                yield from _leaves(part)
    else:
        yield None


def _toml(value: Any) -> str:
    """Return a default as TOML."""
    match value:
        case bool() | str():
            # JSON's escapes are TOML's, but for DEL.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            inner = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
    return repr(value)
