"""Parameters sections name the arguments that a function has: all of them, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [path for package in ("ffn", "flows") for path in sorted((ROOT / package).rglob("*.py"))]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


def documented(docstring: str) -> list[str] | None:
    """Return the names in a numpydoc Parameters section; None without one."""
    lines = docstring.splitlines()
    underlined = [i for i, line in enumerate(lines) if i and re.fullmatch("-{3,}", line.strip())]
    titles = {lines[i - 1].strip(): i for i in underlined}
    if "Parameters" not in titles:
        return None
    begin = titles["Parameters"] + 1
    end = min((i - 1 for i in underlined if i > begin), default=len(lines))
    entries = [line for line in lines[begin:end] if line and not line.startswith(" ")]
    return [name.strip(" *") for line in entries for name in line.split(" :")[0].split(",")]


def arguments(function: Function, *, method: bool) -> list[str]:
    """Return the names of a function's arguments, without the one that is bound."""
    own = function.args
    names = [argument.arg for argument in (*own.posonlyargs, *own.args)]
    static = any(ast.unparse(line) == "staticmethod" for line in function.decorator_list)
    names = names[1:] if method and not static else names
    names += [argument.arg for argument in own.kwonlyargs]
    return names + [rest.arg for rest in (own.vararg, own.kwarg) if rest]


def constructor(of: ast.ClassDef) -> Function | None:
    """Return the constructor that a class defines; None if it inherits or generates one."""
    own = (line for line in of.body if isinstance(line, ast.FunctionDef))
    return next((method for method in own if method.name == "__init__"), None)


def definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition, bool]]:
    """Yield every public definition with its dotted name, and whether it is a method."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node, bool(prefix)
            if isinstance(node, ast.ClassDef):
                yield from definitions(node.body, f"{prefix}{node.name}.")


def breaches(source: str) -> list[str]:
    """Return a line for each argument without an entry, and each entry without an argument."""
    found = []
    for name, node, method in definitions(ast.parse(source).body):
        called = constructor(node) if isinstance(node, ast.ClassDef) else node
        names = documented(ast.get_docstring(node) or "")
        if names is None or called is None:
            continue
        wanted = arguments(called, method=method or called is not node)
        found += [f"{name}: {one} is not described" for one in wanted if one not in names]
        found += [f"{name}: {one} is no argument" for one in names if one not in wanted]
        found += [f"{name}: {one} is described twice" for one in set(names) if names.count(one) > 1]
    return found


def test_parameters_sections_name_the_arguments() -> None:
    found = {path.relative_to(ROOT).as_posix(): breaches(path.read_text("utf-8")) for path in FILES}
    assert {path: lines for path, lines in found.items() if lines} == {}


SECTION = '''    """Do it.

    Parameters
    ----------
    a, b
        Numbers.
    **more
        Others.

    Raises
    ------
    ValueError
        Never.
    """
'''


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("def f(a, /, *, b=1, **more):\n", []),
        ("async def f(a, b, **more):\n", []),
        ("def f(a, b, c, *rest, **more):\n", ["c is not described", "rest is not described"]),
        ("def f(a, **more):\n", ["b is no argument"]),
        ("def f(self, a, b, **more):\n", ["self is not described"]),
        ("def _f(c):\n", []),
    ],
)
def test_an_argument_too_many_or_too_few_is_found(head: str, found: list[str]) -> None:
    assert breaches(head + SECTION) == [f"f: {one}" for one in found]


def test_methods_and_constructors_are_looked_at() -> None:
    method = "    " + SECTION.replace("\n    ", "\n        ")
    bound = "class C:\n    def f(self, a, **more):\n" + method
    assert breaches(bound) == ["C.f: b is no argument"]
    static = "class C:\n    @staticmethod\n    def f(a, b, **more):\n" + method
    assert breaches(static) == []
    made = "class C:\n" + SECTION + "    def __init__(self, a, b): ...\n"
    assert breaches(made) == ["C: more is no argument"]
    assert breaches("class C:\n" + SECTION + "    a: int\n") == []
    twice = "def f(a, b, **more):\n" + SECTION.replace("**more", "a, **more")
    assert breaches(twice) == ["f: a is described twice"]


def test_there_are_such_sections() -> None:
    found = [
        name
        for path in FILES
        for name, node, _ in definitions(ast.parse(path.read_text("utf-8")).body)
        if documented(ast.get_docstring(node) or "") is not None
    ]
    assert {"retrain", "score_csv", "NumberParser", "read_record"} <= set(found)
