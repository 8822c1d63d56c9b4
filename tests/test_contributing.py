"""The map in CONTRIBUTING.md: its files are there, and none that matters is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffn.pipelines.execution import Step
from flows.cli.arguments import build_parser
from tests.helpers.checkout import tracked

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
NO_VERBS = {"__init__", "common"}


def section(heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    return re.split(rf"^#+ {re.escape(heading)}\n", PAGE, flags=re.MULTILINE)[1].split("\n#")[0]


def named_paths(text: str) -> set[str]:
    """Return the paths of this repository that a page names: with a folder, or a Markdown file."""
    tops = "|".join(sorted(p.name for p in ROOT.iterdir() if p.is_dir() and p.name[0] != "."))
    return set(re.findall(rf"`((?:(?:{tops})/[\w./-]+|[A-Z]+\.(?:md|in)|\.[\w-]+\.yaml))`", text))


def mentions(tree: ast.Module, word: str) -> bool:
    """Say whether code has ``word`` as a name or a text, in any case; docstrings do not count."""

    def parts() -> Iterator[str]:
        documented = ast.Module | ast.ClassDef | ast.FunctionDef
        prose = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                    yield name
                case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                    yield name
                case ast.Constant(value=str(text)) if id(node) not in prose:
                    yield text

    return any(word in part.lower() for part in parts())


def test_every_path_named_exists() -> None:
    named = named_paths(PAGE)
    assert {"ffn/settings/document.py", "CHANGELOG.md", "tests/helpers"} <= named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_module_that_names_an_optimizer_is_on_the_way_to_add_one() -> None:
    sources = [path for path in tracked(ROOT) if path.suffix == ".py"]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources
        if path.is_relative_to(ROOT / "ffn")
        and mentions(ast.parse(path.read_text("utf-8")), "adamw")
    }
    assert "ffn/settings/optimizer_settings.py" in found
    assert found <= named_paths(section("An optimizer"))


def test_names_are_found_and_prose_is_not() -> None:
    for code in ("from a import AdamW", "x = a.AdamW", "def adamw(): ...", "x = 'adamw'"):
        assert mentions(ast.parse(code), "adamw"), code
    assert not mentions(ast.parse('"""AdamW."""\ndef f():\n    """AdamW."""'), "adamw")


def test_every_module_of_settings_with_tables_is_on_the_way_to_add_one() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ffn/settings").glob("*.py")
        if re.search(r"^class \w+\((StrictSettings|\w+Settings)\)", path.read_text("utf-8"), re.M)
    }
    assert len(found) >= 5
    assert found <= named_paths(section("A setting"))


def test_every_module_of_commands_is_a_verb() -> None:
    (choices,) = build_parser()._subparsers._group_actions  # type: ignore[union-attr]
    commands = (ROOT / "flows/cli/commands").rglob("*.py")
    modules = {path.stem for path in commands if path.parent.name != "options"}
    assert modules - NO_VERBS == set(choices.choices or ())


def test_every_reason_is_found_where_the_map_says() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in tracked(ROOT)
        if path.suffix == ".py" and "unknown_category" in path.read_text("utf-8").lower()
    }
    ours = {path for path in found if not path.startswith("tests/")}
    assert "ffn/scoring/rows/contract.py" in ours
    assert ours <= named_paths(section("A reason for rejecting a row"))


def test_every_step_is_declared_where_the_map_says() -> None:
    from ffn.pipelines import retraining_steps

    assert "`ffn/pipelines/retraining_steps.py`" in section("A step of retraining")
    steps = [
        name
        for name in retraining_steps.__all__
        if isinstance(getattr(retraining_steps, name), Step)
    ]
    assert len(steps) > 10


@pytest.mark.parametrize("kind", ["test", "make"])
def test_every_check_is_explained(kind: str) -> None:
    explained = section("When a check fails")
    if kind == "test":
        checks = {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_*.py")}
        checks -= named_paths(explained)
    else:
        makefile = (ROOT / "Makefile").read_text("utf-8")
        (targets,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
        no_checks = {"help", "run", "test", "test-fast", "check", "dist", "lock", "clean"}
        checks = {t for t in set(targets.split()) - no_checks if f"`make {t}`" not in explained}
    assert checks == set()


def test_the_parts_of_make_check_are_explained() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile.split("\ncheck:")[1].split("\n\n")[0]
    tools = re.findall(r"^\t\$\(BIN\)/(ruff \w+|\w+)", recipe, re.MULTILINE)
    assert tools == ["ruff check", "ruff format", "mypy"]
    assert all(f"| `{tool}` |" in section("When a check fails") for tool in tools)
