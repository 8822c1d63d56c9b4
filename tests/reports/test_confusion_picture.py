from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from PIL import Image

from ffn.reports.pictures.canvas import middle_cut, sentence_cut
from ffn.reports.pictures.confusion_matrix import confusion_matrix, draw_confusion_matrix
from tests.helpers.report_inputs import evaluation_of


def random_counts(classes: int, rows: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    predictions = np.where(
        generator.random(rows) < 0.7, labels, generator.integers(0, classes, rows)
    )
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def luminance(colour: object) -> float:
    srgb = np.array(to_rgb(colour))  # type: ignore[arg-type]
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_counts_stand_at_their_label_and_prediction() -> None:
    counts = np.array([[5, 0, 2], [1, 7, 0], [0, 0, 0]])
    (panel,) = draw_confusion_matrix(evaluation_of(counts, "abc")).axes
    written = {text.get_position(): text.get_text() for text in panel.texts}
    assert written == {(0, 0): "5", (2, 0): "2", (0, 1): "1", (1, 1): "7"}
    assert panel.get_xlabel() == "predicted class"
    assert panel.get_ylabel() == "true class"
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "b", "c"]
    bottom, top = panel.get_ylim()
    assert bottom > top  # the first label is the upper row


def test_right_is_blue_wrong_is_orange_and_more_is_stronger() -> None:
    counts = np.array([[90, 10, 0], [500, 400, 100], [1, 0, 99_999]])
    (panel,) = draw_confusion_matrix(evaluation_of(counts, "abc")).axes
    shades = np.asarray(panel.images[0].get_array())
    for label, prediction in np.ndindex(3, 3):
        red, _, blue = shades[label, prediction]
        if counts[label, prediction] == 0:
            assert tuple(shades[label, prediction]) == (1, 1, 1)
        else:
            assert (blue > red) == (label == prediction)
            assert luminance(shades[label, prediction]) < 0.93
    assert luminance(shades[2, 2]) < luminance(shades[0, 0]) < luminance(shades[1, 1])
    assert luminance(shades[1, 0]) < luminance(shades[1, 2])


@pytest.mark.parametrize("share", np.linspace(0.01, 1, 12))
def test_counts_can_be_read_on_their_colour(share: float) -> None:
    right = round(1000 * share)
    counts = [[right, 1000 - right], [right, 1000 - right]]
    (panel,) = draw_confusion_matrix(evaluation_of(counts, ["no", "yes"])).axes
    shades = np.asarray(panel.images[0].get_array())
    for text in panel.texts:
        column, row = text.get_position()
        light, dark = sorted([luminance(text.get_color()), luminance(shades[row, column])])[::-1]
        assert (light + 0.05) / (dark + 0.05) > 3.5


NAMES = {
    "short": str,
    "species": "Iris-versicolor {}".format,
    "long": "a category with a very long name, number {}".format,
    "different in the middle": "one of the classes {} of this table, of many".format,
    "wide": "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW{}".format,
}


@pytest.mark.parametrize("naming", NAMES)
@pytest.mark.parametrize("classes", [2, 3, 4, 7, 12, 30])
def test_all_names_can_be_read(classes: int, naming: str) -> None:
    names = [NAMES[naming](number) for number in range(classes)]
    counts = random_counts(classes, 200 * classes)
    figure = draw_confusion_matrix(evaluation_of(counts, names))
    figure.draw_without_rendering()
    (panel,) = figure.axes
    ticks = [*panel.get_xticklabels(), *panel.get_yticklabels()]
    assert len(ticks) == 2 * classes
    assert len({label.get_text() for label in ticks}) == classes
    texts = [*ticks, panel.xaxis.label, panel.yaxis.label, *figure.texts]
    boxes = [text.get_window_extent() for text in texts]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    left, right = (panel.transData.transform((edge, 0))[0] for edge in (0, 1))
    assert max(text.get_window_extent().width for text in panel.texts) < right - left


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("$a_{$", "$a_{$"),
        ("two\nlines", "two\\nlines"),
        ("\u202eolleh", "\\u202eolleh"),
        ("naïve", "naïve"),
        ("\u540d\u524d", "class 2"),
    ],
)
def test_names_are_drawn_as_text_or_not_at_all(name: str, shown: str) -> None:
    evaluation = evaluation_of([[1, 0], [0, 1]], ["a", name])
    (panel,) = draw_confusion_matrix(evaluation).axes
    assert [label.get_text() for label in panel.get_xticklabels()] == ["a", shown]
    assert confusion_matrix(evaluation)


def test_names_whose_cuts_are_the_same_become_numbers() -> None:
    middles = [f"a name with {word} in the middle of it" for word in ("one", "two")]
    names = [*middles, "short", "a name with another in the middle of one"]
    (panel,) = draw_confusion_matrix(evaluation_of(np.eye(4, dtype=int), names)).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == [
        "class 1",
        "class 2",
        "short",
        "a name with…dle of one",
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (9, "9"),
        (9_999, "9999"),
        (10_000, "10k"),
        (12_345, "12k"),
        (999_400, "999k"),
        (3_440_000, "3.4M"),
        (44_000_000, "44M"),
        (5_100_000_000, "5.1G"),
    ],
)
def test_large_counts_are_rounded_to_fit(count: int, shown: str) -> None:
    (panel,) = draw_confusion_matrix(evaluation_of([[count, 0], [0, 1]], "ab")).axes
    assert panel.texts[0].get_text() == shown


def test_beyond_what_can_be_read_classes_are_numbered_from_one() -> None:
    counts = random_counts(120, 2000)
    figure = draw_confusion_matrix(evaluation_of(counts, list(map(str, range(120)))))
    figure.draw_without_rendering()
    (panel,) = figure.axes
    assert not panel.texts
    shown = zip(panel.get_xticks(), panel.get_xticklabels(), strict=True)
    assert all(label.get_text() == f"{place + 1:.0f}" for place, label in shown)


@pytest.mark.parametrize("classes", [2, 3, 10, 30, 120])
def test_the_picture_is_small_crisp_and_always_the_same(classes: int) -> None:
    names = [f"class number {number}" for number in range(classes)]
    evaluation = evaluation_of(random_counts(classes, 2000), names)
    png = confusion_matrix(evaluation)
    assert png == confusion_matrix(evaluation)
    assert len(png) < 120_000
    figure = draw_confusion_matrix(evaluation)
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        width, height = figure.get_size_inches() * 150
        assert image.size == (pytest.approx(width, abs=1), pytest.approx(height, abs=1))
        assert max(image.size) < 2400


def test_the_title_counts() -> None:
    figure = draw_confusion_matrix(evaluation_of([[1200, 3], [0, 7]], "ab"))
    assert figure.texts[0].get_text() == "1,207 of 1,210 held-out rows right"


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abc…fg"), ("abcdefg", 5, "ab…fg"), ("abc", 1, "…")],
)
def test_a_cut_keeps_both_ends(text: str, limit: int, cut: str) -> None:
    assert middle_cut(text, limit) == cut


def test_a_sentence_is_cut_between_words() -> None:
    text = "bad.csv: the file ends within a record, after 1,234 rows. Send the whole file again."
    assert sentence_cut(text, len(text)) == text
    assert sentence_cut(text, 60) == "bad.csv: the file ends within … Send the whole file again."
    assert sentence_cut("x" * 50, 20) == "xxxxxxxxx … xxxxxxxx"


@given(st.lists(st.text("abc", min_size=1, max_size=9)), st.integers(40, 80))
def test_a_cut_sentence_is_short_and_of_whole_words(words: list[str], limit: int) -> None:
    text = " ".join(words)
    first, _, last = sentence_cut(text, limit).partition(" … ")
    assert len(sentence_cut(text, limit)) <= limit
    if len(text) > limit:
        assert text.startswith(f"{first} ")
        assert text.endswith(f" {last}")
