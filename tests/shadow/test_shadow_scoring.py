"""Challengers score beside production, whose bytes stay the same."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import ffn
from ffn.pipelines.outcomes import ScoreOutcome
from ffn.reports.score_page import score_page
from ffn.shadow.shadow_scoring import ShadowPass
from flows.cli.display.summary import print_scoring
from tests.monitoring.conftest import change_settings, rows, write

ROWS = rows(60, 5, first=1000)


def score(root: Path, text: str | None = None, **options: object) -> ScoreOutcome:
    path = root / "new.csv"
    if text is None:
        write(path, ROWS, "id p q")
    else:
        path.write_text(text)
    return ffn.score("flow", path, root=root, **options)


def told(outcome: ScoreOutcome) -> ShadowPass:
    assert outcome.shadow is not None
    return outcome.shadow


def disagreements(output: Path) -> list[dict[str, str]]:
    with output.with_name(output.name + ".disagreements.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def differing(root: Path) -> list[tuple[str, str, str, str, str, str]]:
    """What `ffn.load` says of the same rows: row, id, and both labels and confidences."""
    frame = pd.DataFrame(
        [(one, float(p), float(q)) for one, p, q, _ in ROWS], columns=["id", "p", "q"]
    )
    models = [ffn.load(root / f"artifacts/flow/models/{number:04d}") for number in (1, 2)]
    labels = [model.predict(frame) for model in models]
    shares = [model.predict_proba(frame).max(axis=1) for model in models]
    return [
        (
            str(i + 1),
            frame["id"][i],
            labels[0][i],
            f"{shares[0][i]:.4f}",
            labels[1][i],
            f"{shares[1][i]:.4f}",
        )
        for i in range(len(frame))
        if labels[0][i] != labels[1][i]
    ]


def test_the_bytes_of_production_are_the_same_with_and_without(root: Path, plain: Path) -> None:
    with_shadow, without = score(root).results[0], score(plain).results[0]
    assert without.output.with_name("new.csv.disagreements.csv").exists() is False
    for one, other in (
        (with_shadow.output, without.output),
        (with_shadow.rejects, without.rejects),
    ):
        assert one.read_bytes() == other.read_bytes()
    manifests = [json.loads(path.read_text()) for path in (with_shadow.manifest, without.manifest)]
    for manifest in manifests:
        del manifest["input"]["path"]
    assert manifests[0] == manifests[1]


def test_the_file_has_every_row_on_which_they_differ(root: Path) -> None:
    outcome = score(root)
    found = disagreements(outcome.results[0].output)
    expected = differing(root)
    assert 0 < len(expected) < 60
    assert [
        (
            row["row"],
            row["id"],
            row["label"],
            row["confidence"],
            row["challenger_label"],
            row["challenger_confidence"],
        )
        for row in found
    ] == expected
    assert {(row["version"], row["challenger"]) for row in found} == {("1", "2")}
    (table,) = told(outcome).tables
    assert [(c.version, c.rows, c.rejected, c.differing) for c in table.challengers] == [
        (2, 60, 0, len(expected))
    ]
    sentence = f"version 2 labels {len(expected)} of 60 rows differently"
    assert told(outcome).sentences == [sentence]
    assert str(outcome).endswith(f"; beside production: {sentence}.")
    shown = json.loads(json.dumps(outcome.to_json()))["shadow"]
    assert shown["left_out"] == []
    assert shown["files"][0]["challengers"][0]["differing"] == len(expected)
    assert Path(shown["files"][0]["disagreements"]).is_file()


def test_parquet_decimal_commas_and_guarded_cells_say_the_same(root: Path) -> None:
    expected = differing(root)
    frame = pd.DataFrame(
        [(one, float(p), float(q)) for one, p, q, _ in ROWS], columns=["id", "p", "q"]
    )
    frame.to_parquet(root / "typed.parquet")
    typed = ffn.score("flow", root / "typed.parquet", root=root)
    assert pq.read_table(typed.results[0].output).num_rows == 60
    frame.to_csv(root / "german.csv", sep=";", decimal=",", index=False)
    german = ffn.score("flow", root / "german.csv", root=root, delimiter=";", decimal=",")
    guarded = frame.assign(id="=" + frame["id"])
    guarded.to_csv(root / "guarded.csv", index=False)
    safe = ffn.score("flow", root / "guarded.csv", root=root, escape_formulas=True)
    for outcome, before in ((typed, ""), (german, ""), (safe, "'=")):
        found = disagreements(outcome.results[0].output)
        assert [(row["row"], row["id"], row["challenger_confidence"]) for row in found] == [
            (row, before + one, share) for row, one, _, _, _, share in expected
        ]


def test_rows_are_numbered_as_in_the_input(root: Path) -> None:
    lines = ["id,p,q"]
    for one, p, q, _ in ROWS:
        lines += [f"bad{one},words,{q}", f"{one},{p},{q}"]
    outcome = score(root, "\n".join([*lines, "bad,none,1"]) + "\n")
    assert outcome.results[0].rejected == 61
    expected = [(2 * int(row), one) for row, one, *_ in differing(root)]
    found = disagreements(outcome.results[0].output)
    assert [(int(row["row"]), row["id"]) for row in found] == expected


@pytest.mark.parametrize(("most", "every"), [(20, 3), (7, 9)])
def test_of_a_longer_file_rows_at_equal_distances_are_taken(
    root: Path, most: int, every: int
) -> None:
    change_settings(root, 'versions = "latest"\n', f'versions = "latest"\nmost_rows = {most}\n')
    outcome = score(root)
    (table,) = told(outcome).tables
    taken = range(1, 61, every)
    assert (table.every, table.challengers[0].rows) == (every, len(taken))
    found = [int(row["row"]) for row in disagreements(outcome.results[0].output)]
    assert found == [int(row) for row, *_ in differing(root) if int(row) in taken]
    frame = pd.DataFrame([(p, q) for _, p, q, _ in ROWS], columns=["p", "q"]).astype(float)
    frame.to_parquet(root / "typed.parquet")
    typed = ffn.score("flow", root / "typed.parquet", root=root).results[0].output
    assert [int(row["row"]) for row in disagreements(typed)] == found


def test_the_page_and_the_terminal_tell_what_challengers_say(root: Path, capsys) -> None:
    outcome = score(root)
    (sentence,) = told(outcome).sentences
    page = score_page(outcome.results, {}, {}, None, outcome.shadow)
    assert f"Beside production: {sentence}." in page
    print_scoring(outcome, sys.stdout)
    printed = capsys.readouterr().out
    assert f"Beside production: {sentence}." in printed
    assert "new.csv.disagreements.csv" in printed.replace("\n", "")
    many = ShadowPass(left_out=tuple(f"version {n} cannot be loaded: no" for n in range(9, 2, -1)))
    print_scoring(replace(outcome, shadow=many), sys.stdout)
    printed = capsys.readouterr().out
    assert "Warning: left out of the shadow: version 9 cannot be loaded: no." in printed
    assert "Warning: 2 more were left out." in printed
    assert "Left out of the shadow: version 3 cannot" in score_page(
        outcome.results, {}, {}, None, many
    )
