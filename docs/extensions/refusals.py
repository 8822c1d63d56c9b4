"""Every refusal that the source can utter, read from the source.

A refusal is an exception of the family of ``FFNError``, with a text. The text is read where the
exception is made: its fixed words as they are, constants of modules filled in, and whatever
depends on the case as a name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from pathlib import Path

__all__ = ["Refusal", "families", "refusals", "refusals_page"]

ROOT = Path(__file__).resolve().parents[2]
OPEN, CLOSE = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)
# Fixed words; or, in a tuple, the name of what depends on the case.
Part = str | tuple[str]
# Not of the family, but their text becomes that of a refusal, or of wrong usage.
SETTINGS_VALUES = "ValueError"
WRONG_USAGE = ("ArgumentTypeError", "error")
_NOTHING = ast.Constant(value=None)
USAGE = "Wrong usage"
VALUES = "Values in pipeline.toml"
_INTRODUCED = {
    USAGE: "Exit code 2, after the usage of the verb.",
    VALUES: 'Follow the file, the key and its value: `pipeline.toml: "training.epochs" is 0; it …`',
}


@dataclass(frozen=True)
class Refusal:
    """One text, where it stands.

    Attributes
    ----------
    family
        Name of the exception's class, or a heading for those that are none of ours.
    module
        Path of the source file, from the root.
    line
        Its line.
    parts
        The text: fixed words, and in a list of one what depends on the case.
    """

    family: str
    module: str
    line: int
    parts: tuple[Part, ...]

    @property
    def fixed(self) -> str:
        """The words that are the same in every case."""
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def pattern(self) -> re.Pattern[str]:
        """What every message of this text matches."""
        found = (re.escape(p) if isinstance(p, str) else "(?s:.*)" for p in self.parts)
        return re.compile("".join(found))

    def markdown(self) -> str:
        """Return the text, what depends on the case in angle brackets."""
        found = (
            part if isinstance(part, str) else f"{OPEN}{part[0]}{CLOSE}" for part in self.parts
        )
        return _escaped("".join(found)).strip()


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", " ".join(re.split(r"[\n\t]", text)))


@dataclass(frozen=True)
class _Module:
    path: str
    tree: ast.Module
    constants: Mapping[str, str]


def _constants(tree: ast.Module, known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the texts that names of a module stand for, imported ones included."""
    found: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(source)):
                there = known.get(source, {})
                found |= {a.asname or a.name: there[a.name] for a in node.names if a.name in there}
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                parts = tuple(_parts(value, found))
                if parts and all(isinstance(part, str) for part in parts):
                    found[name] = "".join(map(str, parts))
    return found


def _name_of(node: ast.expr) -> str:
    """Return a word for what depends on the case."""
    match node:
        case ast.Name(id=name):
            return name.strip("_").replace("_", " ")
        case ast.Attribute(value=ast.Name(id="error"), attr="strerror"):
            return "reason"
        case ast.Attribute(attr=name):
            return name.strip("_").replace("_", " ")
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
            return f"{name} {key}".replace("_", " ")
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.Await(value=value):
            return _name_of(value)
        case ast.Call(func=ast.Name(id="len"), args=[of]):
            return f"number of {_name_of(of)}"
        case ast.Call(func=ast.Name(id="counted"), args=[_, ast.Constant(value=str(noun))]):
            return f"number of {noun}s"
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[of]):
            return _name_of(of)
        case ast.Call(func=ast.Name(id="did_you_mean")):
            return "Did you mean …?"
        case ast.Call(func=ast.Name(id="str" | "repr" | "sorted" | "map" | "next"), args=[*_, of]):
            return _name_of(of)
        case ast.Call(func=function):
            return _name_of(function)
        case ast.GeneratorExp(elt=of) | ast.ListComp(elt=of):
            return _name_of(of)
        case ast.IfExp(body=first, orelse=second) | ast.BoolOp(values=[first, second]):
            return " / ".join(word for word in (_word(first), _word(second)) if word)
        case ast.JoinedStr() | ast.Constant():
            return _word(node)
        case ast.BinOp(left=left):
            return _name_of(left)
    return "…"


def _word(node: ast.expr) -> str:
    """Return a choice of texts as words: texts as they are, anything else by its name."""
    if isinstance(node, ast.Constant | ast.JoinedStr):
        parts = _parts(node, {})
        return "".join(p if isinstance(p, str) else f"{OPEN}{p[0]}{CLOSE}" for p in parts).strip()
    return _name_of(node)


def _parts(node: ast.expr, names: Mapping[str, str]) -> Iterator[Part]:
    """Yield the parts of the text that an expression makes."""
    match node:
        case ast.Constant(value=value):
            yield value if isinstance(value, str) else repr(value)
        case ast.JoinedStr(values=values):
            for value in values:
                yield from _parts(value, names)
        case ast.FormattedValue(value=value):
            yield from _parts(value, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _parts(left, names)
            yield from _parts(right, names)
        case ast.Name(id=name) if name in names:
            yield names[name]
        case ast.Call(func=ast.Name(id="quote"), args=[of, *_]):
            yield from ('"', (_name_of(of),), '"')
        case ast.expr():
            yield (_name_of(node),)


def _own_texts(function: ast.AST, names: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of variables that a function sets once, to a fixed text."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
    return {
        name: found[0].value
        for name, found in values.items()
        if len(found) == 1
        and isinstance(found[0], ast.Constant)
        and isinstance(found[0].value, str)
        and name not in names
    }


@cache
def _modules() -> list[_Module]:
    """Return the modules of the product, parsed; those that others import from come first."""
    paths = sorted([*(ROOT / "ffn").rglob("*.py"), *(ROOT / "flows").rglob("*.py")])
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    known: dict[str, dict[str, str]] = {}
    # Twice: a constant may be made of one that is imported.
    for _ in range(2):
        for path, tree in trees.items():
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            known[dotted] = _constants(tree, known)
    return [
        _Module(
            path.relative_to(ROOT).as_posix(),
            tree,
            known[".".join(path.relative_to(ROOT).with_suffix("").parts)],
        )
        for path, tree in trees.items()
    ]


@cache
def families() -> dict[str, tuple[str, str]]:
    """Return base class and first sentence of each exception of the family, by name."""
    classes = {
        node.name: (node.bases[0].id, (ast.get_docstring(node) or "").split("\n\n")[0])
        for module in _modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name)
    }

    def is_one(name: str) -> bool:
        return name == "FFNError" or (name in classes and is_one(classes[name][0]))

    return {name: found for name, found in classes.items() if is_one(name)}


def _heading(function: ast.expr, module: str, family: Mapping[str, object]) -> str | None:
    """Return under which heading the texts of a call stand; None if it makes no refusal."""
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if name in family:
        return str(name)
    if module.startswith("ffn/settings/") and name == SETTINGS_VALUES:
        return VALUES
    return USAGE if module.startswith("flows/cli/") and name in WRONG_USAGE else None


def _answers(module: _Module) -> dict[str, list[tuple[Part, ...]]]:
    """Return the texts that functions of a module return, by the name a call is shown with."""
    found: dict[str, list[tuple[Part, ...]]] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or _NOTHING) == "str":
            returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
            names = {**module.constants, **_own_texts(node, module.constants)}
            texts = [tuple(_parts(value, names)) for value in returned]
            if texts and all(len("".join(p for p in t if isinstance(p, str))) > 8 for t in texts):
                found[node.name.strip("_").replace("_", " ")] = texts
    return found


@cache
def refusals() -> list[Refusal]:
    """Return every refusal that a call in the source makes, in the order of files and lines.

    Where a part of the text is what a function of the same module returns, there is one for each
    text that it returns.
    """
    family, found = families(), []
    for module in _modules():
        answers = _answers(module)
        functions = [n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef)]
        # Of nested functions the inner one comes later, and its variables count.
        inside = {id(node): function for function in functions for node in ast.walk(function)}
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            heading = _heading(node.func, module.path, family)
            if heading is None:
                continue
            names = dict(module.constants)
            if id(node) in inside:
                names |= _own_texts(inside[id(node)], names)
            choices = [
                answers.get(part[0], [(part,)]) if isinstance(part, tuple) else [(part,)]
                for part in _parts(node.args[0], names)
            ]
            for chosen in product(*choices):
                parts = tuple(chain.from_iterable(chosen))
                found.append(Refusal(heading, module.path, node.lineno, parts))
    return sorted(found, key=lambda refusal: (refusal.module, refusal.line))


def refusals_page() -> str:
    """Return a section for each kind of refusal, with its texts by source file."""
    family, texts = families(), refusals()
    parts = []
    for heading in [*family, VALUES, USAGE]:
        own = [r for r in texts if r.family == heading and re.search(r"[a-z]{2}", r.fixed)]
        if not own:
            continue
        base, what = family.get(heading, ("", _INTRODUCED.get(heading, "")))
        kind = f" A kind of `{base}`." if base not in ("", "Exception") else ""
        parts += [f"## {heading}", what.replace("``", "`") + kind]
        for module in dict.fromkeys(refusal.module for refusal in own):
            lines = dict.fromkeys(r.markdown() for r in own if r.module == module)
            parts += [f"From `{module}`:", "\n".join(f"- {line}" for line in lines)]
    return "\n\n".join(parts)
