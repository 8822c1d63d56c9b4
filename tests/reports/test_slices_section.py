"""What the report says of slices."""

from __future__ import annotations

from dataclasses import replace

from ffn.evaluation.inference.statistics import Interval
from ffn.reports.slices.slices_section import slice_sections, slices_markdown, slices_sentence
from ffn.slices.slice_search import SliceFigures, SliceSearch
from tests.helpers.report_inputs import render

FIGURES = SliceFigures(
    column="region",
    value="north",
    rows=1_200,
    accuracy=Interval(0.8, 0.7, 0.9),
    log_loss=Interval(0.5, 0.4, 0.6),
    less_accurate=0.2,
    higher_loss=0.3,
    recalls={},
)
FOUND = SliceSearch(rows=5_000, searched=12, too_small=3, left_out=0, slices=(FIGURES,))


def test_nothing_is_named_without_evidence() -> None:
    assert slices_sentence(FOUND) == (
        "Of 12 slices of at least 30 of these 5,000 held-out rows, none is shown to be served "
        "worse than all other rows."
    )
    page = render(slices_markdown(FOUND))
    assert page.cells[1] == [
        *("region: north", "1,200", "0.800 [0.700, 0.900]", "0.500 [0.400, 0.600]"),
        *("0.200", "0.300"),
    ]
    assert "Not shown: 11 slices" in page.text
    assert "for all 24 comparisons" in page.text
    assert "Not compared: 3 with too few rows." in page.text
    more = render(slices_markdown(replace(FOUND, left_out=1_234)))
    assert "3 with too few rows and 1,234 with the fewest rows." in more.text


def test_what_is_worse_is_named_with_the_figure_that_shows_it() -> None:
    accuracy, loss = replace(FIGURES, less_accurate=0.05), replace(FIGURES, higher_loss=0.001)
    assert slices_sentence(replace(FOUND, slices=(accuracy, FIGURES))) == (
        "**Of 12 slices of at least 30 of these 5,000 held-out rows, 1 is shown to be served worse "
        "than all other rows:** region: north (accuracy 0.800 [0.700, 0.900])."
    )
    many = slices_sentence(replace(FOUND, slices=(loss,) * 5))
    assert "5 are shown" in many
    assert many.count("(log-loss 0.500 [0.400, 0.600])") == 3
    assert many.endswith("; and 2 others.")


def test_hostile_names_are_text() -> None:
    bad = replace(FIGURES, column="<b>|x", value="*y*\n# z", higher_loss=0.01)
    page = render(slices_markdown(replace(FOUND, slices=(bad,))))
    assert page.cells[1][0] == "<b>|x: *y*\\n# z"
    assert "b" not in page.names()


def test_no_slice_to_compare_and_no_search() -> None:
    assert slice_sections(None) == []
    none = SliceSearch(rows=20, searched=0, too_small=7, left_out=0, slices=())
    heading, text = slice_sections(none)
    assert heading == "## Slices"
    assert text.startswith("No slice was compared with the other rows: none of 7 has at least 30 ")
