from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ffn.errors import one_line
from ffn.reports.markup.escaping import escape
from tests.helpers.report_inputs import render

MARKUP = [
    *("a*b*", "**b**", "_e_", "__s__", "`c`", "```", "~~d~~", "~~~", "$", "^", "{x}", "\\", "\\|"),
    *("[l](u)", "![i](u)", "[a]:", "[^1]", "<http://x.y>", "http://x.y", "www.x.y", "me@x.y", ":"),
    *("<b>", "</td>", "<!--", "-->", "<script>alert(1)</script>", "&lt;", "&#42;", "|", ">", "="),
    *("#", "-", "+", "1.", "1)", "---", "===", "\t", "\n", "\r", "\x00", "\x1b[31m"),
    *("\u202e", "\u2028", "\u00a0", "\ud800"),
]
texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([*MARKUP, " ", "  ", "    ", "x", "é", "名"]), max_size=8).map(
        "".join
    ),
    st.lists(st.sampled_from(MARKUP), max_size=5).map(" ".join),
)

# What stands around the text, the tags this makes, and the text before and after it.
PLACES = {
    "alone": ("{}\n", ["p"], "", ""),
    "in a sentence": ("so {}, then\n", ["p"], "so ", ", then"),
    "after a line": ("line\n{}\n", ["p"], "line\n", ""),
    "heading": ("## Of {} x\n", ["h2"], "Of ", " x"),
    "strong": ("so **of {} x** y\n", ["p", "strong"], "so of ", " x y"),
    "bullet": ("- {}\n", ["ul", "li"], "", ""),
    "link": ("[{}](/u)\n", ["p", "a"], "", ""),
    "HTML": ("<p>{}</p>\n", ["p"], "", ""),
}


@pytest.mark.parametrize("place", PLACES)
@given(text=texts)
@example(text="    indented")
@example(text="trailing  ")
@example(text="1. one")
@example(text="---")
@example(text="=")
@example(text="\\")
@example(text="a|b`c`")
def test_the_text_is_shown_and_nothing_else(place: str, text: str) -> None:
    around, tags, before, after = PLACES[place]
    shown = one_line(text)
    if not shown:
        return
    page = render(around.format(escape(text)))
    assert page.names() == tags
    assert page.text.rstrip("\n").strip("\n") == before + shown + after


@given(st.lists(texts, min_size=2, max_size=2))
@example([" ", "|"])
@example(["\\", "\\|"])
def test_a_cell_stays_one_cell(cells: list[str]) -> None:
    row = " | ".join(map(escape, cells))
    page = render(f"| a | b |\n| :-- | --: |\n| {row} |\n")
    assert page.names() == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert page.cells == [["a", "b"], [one_line(cell) for cell in cells]]


@given(texts)
def test_an_attribute_stays_one_attribute(text: str) -> None:
    page = render(f'<b title="{escape(text)}">x</b>\n')
    assert page.tags == [("p", {}), ("b", {"title": one_line(text)})]


@given(texts)
def test_a_picture_shows_the_text_in_its_place(text: str) -> None:
    page = render(f"![{escape(text)}](/u)\n")
    assert page.tags == [("p", {}), ("img", {"src": "/u", "alt": one_line(text)})]


@given(texts)
def test_it_is_one_printable_line(text: str) -> None:
    assert escape(text).isprintable()


@pytest.mark.parametrize(
    "ordinary",
    [
        "Iris-setosa",
        "new_flowers.csv",
        "data/penguins/inbox/new_penguins.csv",
        "petal width (cm)",
        "Adélie, 3.5 %",
        "2026-01-31 10:15",
        "-0.5",
        "10.5",
        "名前",
    ],
)
def test_an_ordinary_name_stays_readable_where_markdown_is_not_rendered(ordinary: str) -> None:
    assert escape(ordinary) == ordinary


@pytest.mark.parametrize(
    "address",
    ["https://a.example/x", "HTTP://A.example", "www.a.example", "WWW.a.b", "me@a.example"],
)
def test_addresses_are_broken_up_for_readers_that_link_them(address: str) -> None:
    escaped = escape(address)
    assert "://" not in escaped
    assert "www." not in escaped.lower()
    assert "@" not in escaped
    assert render(escaped).text.strip() == address
