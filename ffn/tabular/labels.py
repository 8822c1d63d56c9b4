"""Which class a label cell names, which cells name none, and which spellings need a decision.

A label is read in this order: as ``data.labels`` says; blank cells and the texts that the settings
list as missing are no label; any other text is a class of that name. Two kinds of text are refused
until the settings decide, because either reading changes what is learnt: a text that usually means
"no value" (``NA``, ``?``, ``None``), and texts that look like two spellings of one class (``no``
and ``NO``, ``1`` and ``1.0``). Spellings that differ only in characters that nobody sees are one
class.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context

from ffn.errors import DataError, quote
from ffn.tabular.cells import is_number, trim

__all__ = [
    "LabelReading",
    "Remedy",
    "Resolved",
    "cli_remedy",
    "escaped",
    "spelled_alike",
    "toml_remedy",
]

# Compared without case. Beside the words of statistics programs stand the error values of Excel.
_NO_VALUE_WORDS = {
    *("na", "n/a", "n.a.", "n.a", "nan", "nat", "nil", "null", "none", "(null)", "(none)"),
    *("<na>", "#na", "#n/a", "#null!", "#value!", "#ref!", "#div/0!", "#name?", "#num!", "\\n"),
    *("missing", "unknown", "undefined", "unlabeled", "unlabelled", "blank", "(blank)", "empty"),
    *("(empty)", "<null>", "no value", "no label", "no data", "not available", "not applicable"),
}
_NO_VALUE_SIGNS = re.compile(r"[?]+|[-\u2010-\u2015\u2212]+|[.]+|[*]+|_+|/+")
_MINUS = re.compile(r"[-\u2010-\u2015\u2212]")
# Characters without a shape of their own, which say nothing inside a word of any script. The
# joiners U+200C and U+200D do: they are kept, and only the search for similar spellings drops them.
_INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
# Numbers are compared by value, however many digits they have.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
_SHOWN = 5
_REMEDIES_SHOWN = 60

Remedy = Callable[[Sequence[tuple[str, str]]], str]
"""Says how to have cells read as labels, given pairs of both; an empty label means none."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What the label cells of a table come to.

    Attributes
    ----------
    classes
        Class by cell text, for every text that is a label.
    notices
        What the user should know, a sentence each.
    unlabelled
        Rows without a label.
    """

    classes: Mapping[str, str]
    notices: tuple[str, ...]
    unlabelled: int


@dataclass(frozen=True, kw_only=True)
class LabelReading:
    """How the cells of the label column are read.

    Attributes
    ----------
    labels
        Class by cell text, as in ``data.labels``; an empty class means that the row has no label.
    missing
        Cell texts that the user listed as "no value".
    decimal
        Mark in numbers.
    """

    labels: Mapping[str, str]
    missing: Collection[str]
    decimal: str = "."

    def is_label(self, text: str) -> bool:
        """Say whether a trimmed cell names a class."""
        if text in self.labels:
            return self.labels[text] != ""
        return bool(_visible(text)) and text not in self.missing

    def resolve(self, counts: Mapping[str, int], where: str, remedy: Remedy) -> Resolved:
        """Return the class of every text.

        Parameters
        ----------
        counts
            Rows by trimmed cell text.
        where
            Begins the message of an error: the file and the column.
        remedy
            How the user is to decide.

        Raises
        ------
        DataError
            No row has a label, or a decision is missing.
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
        """Return the refusal of a table in which no row has a label."""
        return DataError(
            f"{where}: none of the {sum(counts.values()):,} rows has a label"
            f"{_listed_absent(counts)}. Fill labels in, or name another target."
        )

    def _refuse_no_values(
        self, texts: Mapping[str, int], rows: int, where: str, remedy: Remedy
    ) -> None:
        signs = {"+", "\uff0b"} & {_visible(text) for text in texts}
        doubtful = {
            text: n
            for text, n in texts.items()
            if text not in self.labels
            and _may_mean_no_value(_visible(text))
            # Of "+" and "-", the minus is a class like the plus.
            and not (signs and _MINUS.fullmatch(_visible(text)))
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
        """Return the class by text, and a notice for each class of several such spellings."""
        classes, notices = {}, []
        free = [text for text in texts if text not in self.labels]
        groups: dict[str, list[str]] = defaultdict(list)
        for text in free:
            groups[_visible(text)].append(text)
        for shown, spellings in groups.items():
            # A spelling that stands alone is kept as it is: it comes back in predictions.
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
                    f"read as {quote(shown)}, for only invisible characters tell them apart"
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
            # Too few rows of each to learn from: numbers, ids or dates, and refused as such.
            return
        decided = {text for text, label in self.labels.items() if text == label}
        groups = []
        for spellings in spelled_alike(rows, self.decimal):
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


def spelled_alike(rows: Mapping[str, int], decimal: str) -> Iterator[list[str]]:
    """Yield texts that look like spellings of one thing, the most frequent first.

    They differ in case, in spaces, in how a character is encoded, or in how a number is written.
    """
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for text in rows:
        groups[_key(text, decimal)].append(text)
    for spellings in groups.values():
        if len(spellings) > 1:
            yield sorted(spellings, key=lambda text: (-rows[text], len(text), text))


def cli_remedy(pairs: Sequence[tuple[str, str]]) -> str:
    """Return how ``ffn init`` is told, as in `Remedy`."""
    shown = " ".join(
        # argparse takes "--" for an option, unless it stands behind an equals sign.
        f"--missing={_argument(text)}"
        if not label and text.startswith("-") and len(text) > 1
        else f"--label {_argument(text)} {_argument(label)}"
        for text, label in _few(pairs)
    )
    return f"give {shown}{_more(pairs)}"


def toml_remedy(pairs: Sequence[tuple[str, str]]) -> str:
    """Return how ``pipeline.toml`` is told, as in `Remedy`."""
    shown = ", ".join(f"{_toml(text)} = {_toml(label)}" for text, label in _few(pairs))
    return f"set labels = {{{shown}}}{_more(pairs)} in [data]"


def _may_mean_no_value(text: str) -> bool:
    folded = _SPACES.sub(" ", text.casefold())
    return folded in _NO_VALUE_WORDS or bool(_NO_VALUE_SIGNS.fullmatch(text))


def _visible(text: str) -> str:
    """Return what a reader sees of a text: composed, with plain spaces, and none around it."""
    shown = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    # Every space of Unicode, the no-break one above all.
    return "".join(" " if c.isspace() else c for c in shown).strip(" \u200c\u200d")


def _key(text: str, decimal: str) -> Hashable:
    if is_number(text, decimal):
        return _EXACT.create_decimal(trim(text).replace(decimal, ".")).normalize(_EXACT)
    folded = unicodedata.normalize("NFKC", _visible(text)).casefold()
    letters = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    return _SPACES.sub(" ", letters).strip()


def _listed(counts: Mapping[str, int]) -> str:
    """Return texts, with their rows where there are several."""
    if len(counts) == 1:
        return quote(next(iter(counts)))
    shown = [f"{quote(text)} ({n:,})" for text, n in list(counts.items())[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(counts) > _SHOWN else "")


def _listed_absent(absent: Mapping[str, int]) -> str:
    """Return in brackets which cells are no labels; nothing where all are blank."""
    texts = {text: n for text, n in absent.items() if _visible(text)}
    if not texts:
        return ""
    blank = sum(absent.values()) - sum(texts.values())
    return f" ({_listed(texts)}{f', {blank:,} empty' if blank else ''})"


def _few(pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return pairs[:_REMEDIES_SHOWN]


def _more(pairs: Sequence[tuple[str, str]]) -> str:
    more = len(pairs) - _REMEDIES_SHOWN
    return f" (and so on, {more:,} more)" if more > 0 else ""


def escaped(text: str) -> str:
    """Return a text in quotes, with an escape for whatever cannot be told apart by eye."""
    plain = unicodedata.normalize("NFC", text) == text
    shown = text if plain else text.encode("ascii", "backslashreplace").decode()
    return quote(re.sub(r"[\u200c\u200d]", lambda found: ascii(found[0])[1:-1], shown))


def _toml(text: str) -> str:
    return '"' + "".join(map(_toml_character, text)) + '"'


def _toml_character(c: str) -> str:
    if c in '"\\':
        return "\\" + c
    if (c.isprintable() and not unicodedata.combining(c)) or c == " ":
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 2**16 else f"\\U{ord(c):08x}"


def _argument(text: str) -> str:
    """Return a text as an argument of a shell; of bash, where it cannot be seen."""
    escaped = "".join(map(_toml_character, text))
    if "\\u" not in escaped.lower():
        return shlex.quote(text)
    return "$'" + escaped.replace("'", "\\'") + "'"
