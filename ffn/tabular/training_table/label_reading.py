"""Resolve the cells of the label column to classes, and find labels that need a decision.

The first rule that applies decides: ``data.labels`` gives the class; blank cells and texts that
the settings list as missing are no label; any other text is its own class. Two kinds of text are
refused until the settings decide, because the choice changes what is learned: texts that usually
mean "no value" (``NA``, ``?``, ``None``), and texts that look like spellings of one class (``no``
and ``NO``, ``1`` and ``1.0``). Spellings that differ only in invisible characters are one class.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ffn.errors import DataError, quote
from ffn.tabular.lookalikes import as_argument, as_toml, escaped, group_spellings, visible

__all__ = ["LabelReading", "Remedy", "Resolved", "cli_remedy", "toml_remedy"]

# Compared without case: words of statistics programs, and error values of Excel.
_NO_VALUE_WORDS = {
    *("na", "n/a", "n.a.", "n.a", "nan", "nat", "nil", "null", "none", "(null)", "(none)"),
    *("<na>", "#na", "#n/a", "#null!", "#value!", "#ref!", "#div/0!", "#name?", "#num!", "\\n"),
    *("missing", "unknown", "undefined", "unlabeled", "unlabelled", "blank", "(blank)", "empty"),
    *("(empty)", "<null>", "no value", "no label", "no data", "not available", "not applicable"),
}
_NO_VALUE_SIGNS = re.compile(r"[?]+|[-\u2010-\u2015\u2212]+|[.]+|[*]+|_+|/+")
_MINUS = re.compile(r"[-\u2010-\u2015\u2212]")
_SPACES = re.compile(r"\s+")
_SHOWN = 5
_REMEDIES_SHOWN = 60

Remedy = Callable[[Sequence[tuple[str, str]]], str]
"""Returns advice on how to map cells to labels, given pairs (cell, label); "" means no label."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Result of resolving the label cells of a table.

    Attributes
    ----------
    classes
        Class by cell text, for every text that is a label.
    notices
        Sentences for the user.
    unlabelled
        Number of rows without a label.
    """

    classes: Mapping[str, str]
    notices: tuple[str, ...]
    unlabelled: int


@dataclass(frozen=True, kw_only=True)
class LabelReading:
    """Rules by which the cells of the label column are read.

    Attributes
    ----------
    labels
        Class by cell text, as in ``data.labels``; an empty class means that the row has no label.
    missing
        Cell texts that mean "no label".
    decimal
        Decimal mark, for comparing numbers.
    """

    labels: Mapping[str, str]
    missing: Collection[str]
    decimal: str = "."

    def is_label(self, text: str) -> bool:
        """Return whether a trimmed cell text is a label."""
        if text in self.labels:
            return self.labels[text] != ""
        return bool(visible(text)) and text not in self.missing

    def resolve(self, counts: Mapping[str, int], where: str, remedy: Remedy) -> Resolved:
        """Return the class of every label.

        Parameters
        ----------
        counts
            Number of rows by trimmed cell text.
        where
            File and column, for errors.
        remedy
            Advice for errors: `cli_remedy` or `toml_remedy`.

        Raises
        ------
        DataError
            No row has a label, or a label needs a decision.
        """
        rows = sum(counts.values())
        texts = {text: n for text, n in counts.items() if self.is_label(text)}
        absent = {text: n for text, n in counts.items() if text not in texts}
        if not texts:
            raise self.no_label(counts, where)
        self._refuse_no_values(texts, rows, where, remedy)
        classes, notices = self._merge_invisible(texts)
        self._refuse_two_spellings(texts, classes, where, remedy)
        unlabelled = sum(absent.values())
        if unlabelled:
            notices.append(
                f"{unlabelled:,} of {rows:,} rows have no label{_listed_absent(absent)} and are "
                "left out"
            )
        return Resolved(classes=classes, notices=tuple(notices), unlabelled=unlabelled)

    def no_label(self, counts: Mapping[str, int], where: str) -> DataError:
        """Return the error for a table without labels; ``counts`` and ``where`` as in `resolve`."""
        return DataError(
            f"{where}: none of the {sum(counts.values()):,} rows has a label"
            f"{_listed_absent(counts)}. Fill labels in, or name another target."
        )

    def _refuse_no_values(
        self, texts: Mapping[str, int], rows: int, where: str, remedy: Remedy
    ) -> None:
        signs = {"+", "\uff0b"} & {visible(text) for text in texts}
        doubtful = {
            text: n
            for text, n in texts.items()
            if text not in self.labels
            and _may_mean_no_value(visible(text))
            # Beside "+", "-" is a class.
            and not (signs and _MINUS.fullmatch(visible(text)))
        }
        if not doubtful:
            return
        listed = _listed(doubtful)
        one = len(doubtful) == 1
        raise DataError(
            f"{where}: {sum(doubtful.values()):,} of {rows:,} labels are {listed}, which may mean "
            f"that the row has no label, or {'be a class' if one else 'be classes'}. To leave "
            f"these rows out, {remedy([(text, '') for text in doubtful])}; to make "
            f"{'it a class' if one else 'them classes'}, "
            f"{remedy([(text, text) for text in doubtful])}."
        )

    def _merge_invisible(self, texts: Mapping[str, int]) -> tuple[dict[str, str], list[str]]:
        """Return the class of each text, and a notice for each class with several spellings."""
        classes, notices = {}, []
        free = [text for text in texts if text not in self.labels]
        groups: dict[str, list[str]] = defaultdict(list)
        for text in free:
            groups[visible(text)].append(text)
        for shown, spellings in groups.items():
            # A single spelling is kept unchanged, as predictions repeat it.
            others = [text for text in spellings if text != shown]
            if len(spellings) == 1 and not self._is_class(shown):
                classes[spellings[0]] = spellings[0]
                continue
            classes |= dict.fromkeys(spellings, shown)
            if others:
                n = sum(texts[text] for text in others)
                cells = ", ".join(map(escaped, others[:_SHOWN]))
                notices.append(
                    f"{n:,} {'label' if n == 1 else 'labels'} {cells} {'is' if n == 1 else 'are'} "
                    f"read as {quote(shown)}, as they differ only in invisible characters"
                )
        classes |= {text: self.labels[text] for text in texts if text in self.labels}
        return classes, notices

    def _is_class(self, text: str) -> bool:
        return text in self.labels.values()

    def _refuse_two_spellings(
        self, texts: Mapping[str, int], classes: Mapping[str, str], where: str, remedy: Remedy
    ) -> None:
        rows: dict[str, int] = defaultdict(int)
        for text, n in texts.items():
            rows[classes[text]] += n
        if len(rows) * 3 > sum(rows.values()):
            # Probably numbers, IDs or dates, which `check_class_sizes` refuses.
            return
        decided = {text for text, label in self.labels.items() if text == label}
        groups = []
        for spellings in group_spellings(rows, self.decimal):
            open_ones = [text for text in spellings if text not in decided]
            if len(open_ones) > 1:
                groups.append(open_ones)
        if not groups:
            return
        told = "; ".join(
            " and ".join(f"{escaped(text)} ({rows[text]:,} rows)" for text in group)
            for group in groups[:_SHOWN]
        )
        more = f"; and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
        same, apart = [], []
        for usual, *others in groups:
            same += [(text, usual) for text in others]
            apart += [(text, text) for text in others]
        one = len(groups) == 1
        raise DataError(
            f"{where}: {'a label is' if one else f'{len(groups)} labels are'} spelled in more than "
            f"one way: {told}{more}. If {'they are one class' if one else 'each is one class'}, "
            f"{remedy(same)}; if they are classes of their own, {remedy(apart)}."
        )


def cli_remedy(pairs: Sequence[tuple[str, str]]) -> str:
    """Return options of ``ffn init`` that read cells as labels, given ``pairs`` as in `Remedy`."""
    # argparse takes a text that begins with "--" for an option, except after an equals sign.
    options = [(text, label) for text, label in pairs if text.startswith("--") or label[:2] == "--"]
    others = [pair for pair in pairs if pair not in options]
    given = [
        *(f"--label {as_argument(text)} {as_argument(label)}" for text, label in _few(others)),
        *(f"--missing={as_argument(text)}" for text, label in options if not label),
    ]
    renamed = [quote(text) for text, label in options if label]
    steps = [f"give {' '.join(given)}{_more(others)}"] if given else []
    steps += [f"rename {', '.join(renamed)} in the file"] if renamed else []
    return " and ".join(steps)


def toml_remedy(pairs: Sequence[tuple[str, str]]) -> str:
    """Return settings in ``pipeline.toml`` for the same purpose, given ``pairs`` as in `Remedy`."""
    shown = ", ".join(f"{as_toml(text)} = {as_toml(label)}" for text, label in _few(pairs))
    return f"set labels = {{{shown}}}{_more(pairs)} in [data]"


def _may_mean_no_value(text: str) -> bool:
    folded = _SPACES.sub(" ", text.casefold())
    return folded in _NO_VALUE_WORDS or bool(_NO_VALUE_SIGNS.fullmatch(text))


def _listed(counts: Mapping[str, int]) -> str:
    """Return the texts, with their numbers of rows if there are several."""
    if len(counts) == 1:
        return quote(next(iter(counts)))
    shown = [f"{quote(text)} ({n:,})" for text, n in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(counts) > _SHOWN else "")


def _listed_absent(absent: Mapping[str, int]) -> str:
    """Return the texts that are not labels, in parentheses; empty if all are blank."""
    texts = {text: n for text, n in absent.items() if visible(text)}
    if not texts:
        return ""
    blank = sum(absent.values()) - sum(texts.values())
    return f" ({_listed(texts)}{f', {blank:,} empty' if blank else ''})"


def _few(pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return pairs[:_REMEDIES_SHOWN]


def _more(pairs: Sequence[tuple[str, str]]) -> str:
    more = len(pairs) - _REMEDIES_SHOWN
    return f" (and so on, {more:,} more)" if more > 0 else ""
