"""The command line as argparse knows it: every verb with its arguments and options."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator

from flows.cli.arguments import build_parser

__all__ = ["command_line_page", "verb_parsers"]

# What the help of a verb takes for granted.
UNEXPLAINED = {
    "PIPELINE": "a name under `data/`, or a path to a folder or a `pipeline.toml`",
    "NAME": "the name of the new pipeline",
    "FILE.csv": "the labelled rows, which are copied",
}
COMMON = {"--root", "--json", "--direct"}


def verb_parsers() -> dict[str, tuple[str, argparse.ArgumentParser]]:
    """Return the one-line help and the parser of each verb, in the order of ``ffn --help``."""
    (verbs,) = (
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    helps = {choice.dest: choice.help or "" for choice in verbs._choices_actions}
    return {name: (helps[name], parser) for name, parser in verbs.choices.items()}


def _names(action: argparse.Action) -> str:
    """Return an argument as it is typed, with the name of its value."""
    metavar = action.metavar
    value = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    if not action.option_strings:
        return f"`{value or action.dest}`"
    if action.nargs == 0:
        return ", ".join(f"`{name}`" for name in action.option_strings)
    if value is None and action.choices:
        value = "|".join(map(str, action.choices))
    value = value or action.dest.upper()
    return ", ".join(f"`{name} {value}`" for name in action.option_strings).replace("|", "\\|")


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.help and action.metavar in UNEXPLAINED:
        return UNEXPLAINED[action.metavar]
    formatter = parser._get_formatter()
    text = formatter._expand_help(action) if action.help else ""
    needed = "required" if action.option_strings and action.required else ""
    return "; ".join(part for part in (text, needed) if part).replace("|", "\\|")


def _place(action: argparse.Action) -> int:
    """Return where an argument stands: what is named by place, own options, those of all verbs."""
    return 1 + bool(COMMON & set(action.option_strings)) if action.option_strings else 0


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in sorted(parser._actions, key=_place):
        if not isinstance(action, argparse._HelpAction):
            yield f"| {_names(action)} | {_meaning(parser, action)} |"


def command_line_page() -> str:
    """Return a section for each verb: what it does, how it is called, its arguments."""
    parts = []
    for name, (what, parser) in verb_parsers().items():
        words = " ".join(parser.format_usage().removeprefix("usage: ").split())
        usage = textwrap.fill(words, 84, subsequent_indent="    ", break_on_hyphens=False)
        parts += [
            f"## ffn {name}",
            f"{what[:1].upper()}{what[1:]}.",
            f"```text\n{usage}\n```",
            "| argument | meaning |\n|---|---|\n" + "\n".join(_rows(parser)),
        ]
    return "\n\n".join(parts)
