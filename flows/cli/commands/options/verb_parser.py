"""Parsers of the command and of its verbs: argparse's, with errors as JSON and files anywhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from flows.cli.commands.common import print_error

__all__ = ["CommandParser", "VerbParser", "Verbs"]


class CommandParser(argparse.ArgumentParser):
    """Says what is wrong with a command as argparse does, with ``--json`` also as an object."""

    as_json = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and keep in mind whether JSON is asked for.

        Parameters
        ----------
        args, namespace
            As for argparse.
        """
        given = sys.argv[1:] if args is None else args
        self.as_json = self.as_json or "--json" in given
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Report wrong usage, and exit with 2.

        Parameters
        ----------
        message
            What is wrong.
        """
        if self.as_json:
            print_error("UsageError", message)
        super().error(message)


class VerbParser(CommandParser):
    """Accepts options between positional arguments: ``ffn score iris --direct a.csv``.

    Plain argparse fills a list such as ``FILE ...`` with the arguments directly after
    ``PIPELINE``, possibly none, and then refuses files that follow an option.
    """

    _intermixed = False
    # What follows the first "--": file names, whatever they begin with.
    _names: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse with ``parse_known_intermixed_args``, which calls this method twice.

        Parameters
        ----------
        args, namespace
            As for argparse.
        """
        if self._intermixed:
            return super().parse_known_args(self._with_dashes(args), namespace)
        self._intermixed = True
        self._names = args[args.index("--") + 1 :] if args and "--" in args else ()
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False

    def _with_dashes(self, args: Any) -> Any:
        """Put back a "--" that argparse has dropped with the options it has taken first."""
        names = list(self._names)
        options = args[: len(args) - len(names)]
        if names and args[len(options) :] == names and options[-1:] != ["--"]:
            return [*options, "--", *names]
        return args


if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[VerbParser]
else:
    Verbs = object
