"""What ffn init takes for texts, and what for identifiers, names and categories."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path

import pytest

from ffn.profiling.column_profile import Column
from ffn.profiling.scaffold import create_pipeline
from ffn.profiling.text_columns import why_texts

DRAW = random.Random(5)
N = 200
WORDS = ["steel", "bolt", "copper", "wire", "rubber", "seal", "blue", "paint", "cable", "valve"]
FIRST = ["Ada", "Grace", "Edsger", "Alan", "Barbara", "Donald", "Frances", "Niklaus"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words(k: int) -> str:
    return " ".join(DRAW.choices(WORDS, k=k))


def own_word(k: int = 7) -> str:
    return "".join(DRAW.choices(LETTERS, k=k))


def column(cells: list[str]) -> Column:
    return Column(name="c", cells=cells, texts=[cell for cell in cells if cell], decimal=".")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([f"{words(6)} no {i}" for i in range(N)], "200 different texts, mostly of 7 words"),
        # Of which some repeat, and some are missing.
        ([f"{words(5)} {i % 150}" for i in range(N)] + [""] * 20, "different texts, mostly of 5 w"),
        # Half of the texts have three words, the others two.
        ([f"{words(2 + i % 2)} {i}" for i in range(N + 1)], ""),
        ([f"{words(3 - i % 2)} {i}" for i in range(N + 1)], "mostly of 3 words or more"),
        # Capitals, accents and other scripts; punctuation belongs to a word.
        ([f"SCHÖNE Straße, größer! {i}" for i in range(N)], "mostly of 3 words or more"),
        ([f"שלום עולם טוב {i}" for i in range(N)], "mostly of 3 words or more"),
    ],
)
def test_texts(cells: list[str], why: str) -> None:
    found = why_texts(column(cells))
    assert why in found
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    "cells",
    [
        [f"{DRAW.randrange(16**8):08x}" for _ in range(N)],
        [f"order {i}" for i in range(N)],
        [f"AB-{i} {i * 7} {i * 11} {i * 13}" for i in range(N)],
        [f"{DRAW.choice(FIRST)} {own_word().title()}" for _ in range(N)],
        [f"{own_word()}.{own_word()}@mail.example.com" for _ in range(N)],
        [f"https://example.com/{own_word()}/{own_word()}/page" for _ in range(N)],
        # Words of which none comes twice, as in encrypted cells.
        [" ".join(own_word(9) for _ in range(4)) for _ in range(N)],
        # A text that repeats is a category, however long it is.
        [f"{WORDS[i % 10]} and then some more words {i % 60}" for i in range(N)],
        [f"{WORDS[i % 10]} and then some more words {i % 19}" for i in range(19)],
        [str(i) for i in range(N)],
        [""] * N,
        [],
    ],
)
def test_others(cells: list[str]) -> None:
    assert why_texts(column(cells)) == ""


def made(tmp_path: Path, cells: list[str], **given: list[str]) -> tuple[dict[str, dict], list[str]]:
    """Return the settings that init writes, and its notices."""
    rows = [f'"{cell}",{i % 7},{"ab"[i % 2]}' for i, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("\n".join(["c,n,y", *rows, ""]))
    path, notices = create_pipeline(
        "p", source=tmp_path / "t.csv", target="y", root=tmp_path, **given
    )
    return tomllib.loads(path.read_text()), notices


def test_texts_are_written_with_their_reason(tmp_path: Path) -> None:
    cells = [f"{words(6)} no {i}" for i in range(N)]
    settings, notices = made(tmp_path, cells)
    assert settings["data"]["kinds"]["c"] == "text"
    assert settings["data"]["exclude"] == []
    assert settings["features"]["text_components"] == 30
    text = (tmp_path / "data/p/pipeline.toml").read_text()
    assert re.search(r'(?m)^"c" = "text" +# 200 different texts, mostly of 7 words or more$', text)
    assert notices[0] == (
        'column "c" is read as texts: 200 different texts, mostly of 7 words or more'
    )


def test_a_text_that_means_no_value_is_not_learnt_from(tmp_path: Path) -> None:
    cells = [f"{words(6)} no {i}" if i % 4 else "N/A" for i in range(N)]
    settings, _ = made(tmp_path, cells)
    assert settings["data"]["kinds"]["c"] == "text"
    assert "N/A" in settings["data"]["missing_values"]


def test_identifiers_stay_left_out(tmp_path: Path) -> None:
    settings, notices = made(tmp_path, [f"order {i}" for i in range(N)])
    assert settings["data"]["exclude"] == ["c"]
    assert "text_components" not in settings["features"]
    assert notices[0].startswith('column "c" never repeats a text (an id, a name, a note?) and is')


def test_keeping_or_excluding_a_column_of_texts_is_possible(tmp_path: Path) -> None:
    cells = [f"{words(6)} no {i}" for i in range(N)]
    (tmp_path / "kept").mkdir()
    settings, _ = made(tmp_path / "kept", cells, keep=["c"])
    assert settings["data"]["kinds"]["c"] == "text"
    settings, _ = made(tmp_path, cells, exclude=["c"])
    assert settings["data"]["exclude"] == ["c"]
    assert "c" not in settings["data"]["kinds"]
