"""A challenger that cannot score is named in one line, and production is as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

import ffn
from ffn.registry.pointer import promote
from ffn.scoring.inputs import expand_inputs
from ffn.settings.pipeline import find_pipeline
from ffn.shadow.challengers import kept_back, load_challengers
from ffn.shadow.disagreements import read_shadowed
from tests.monitoring.conftest import change_settings
from tests.shadow.test_shadow_scoring import ROWS, disagreements, score, told, write


def damage(root: Path, part: str) -> None:
    path = root / "artifacts/flow/models/0002/bundle" / part
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("part", ["model.json", "arrays.safetensors"])
def test_a_damaged_version_is_named_and_left_out(root: Path, plain: Path, part: str) -> None:
    damage(root, part)
    outcome, without = score(root), score(plain)
    (why,) = told(outcome).left_out
    assert why.startswith("version 2 cannot be loaded: ")
    assert "\n" not in why
    assert told(outcome).tables == ()
    assert outcome.results[0].output.read_bytes() == without.results[0].output.read_bytes()
    assert str(outcome).endswith(f"; left out of the shadow: {why}.")
    assert not outcome.results[0].output.with_name("new.csv.disagreements.csv").exists()


def test_a_bundle_that_is_not_the_registered_one_is_left_out(root: Path) -> None:
    """Whole by its own digests, but of version 1."""
    models = root / "artifacts/flow/models"
    for path in (models / "0001/bundle").iterdir():
        (models / "0002/bundle" / path.name).write_bytes(path.read_bytes())
    (why,) = told(score(root)).left_out
    assert why.startswith("version 2 cannot be loaded: ")


def test_a_version_that_needs_another_column_is_left_out(root: Path, plain: Path) -> None:
    narrow = "id,p\n" + "".join(f"{one},{p}\n" for one, p, _, _ in ROWS)
    outcome, without = score(root, narrow), score(plain, narrow)
    assert told(outcome).left_out == (
        'version 2, new.csv: it needs columns that are not in the file: "q"',
    )
    assert told(outcome).tables == ()
    assert outcome.results[0].output.read_bytes() == without.results[0].output.read_bytes()


def test_an_output_of_ids_alone_cannot_be_scored_again(root: Path) -> None:
    assert told(score(root, only_id="id")).left_out == (
        "version 2, new.csv: the output has only the id column (--only-id), and it needs the "
        "features",
    )


def test_rows_that_it_cannot_score_are_counted(root: Path) -> None:
    outcome = score(root, "id,p,q\nr1,1,1\nr2,,1\nr3,1,words\n")
    # Production reads one column, and has never seen it empty.
    assert outcome.results[0].scored == 2
    (table,) = told(outcome).tables
    assert (table.rows, table.challengers[0].rows, table.challengers[0].rejected) == (2, 1, 1)
    assert table.challengers[0].sentence.endswith(" of 1 row differently and cannot score 1")
    nothing = told(score(root, "id,p,q\nr3,1,words\n"))
    assert nothing.tables == ()
    assert nothing.left_out[0].startswith("version 2, new.csv: ")
    assert told(score(root, "id,p,q\n")).tables == ()


def test_the_versions_are_those_that_were_kept_back_since(three: Path) -> None:
    artifacts = three / "artifacts/flow"
    assert kept_back(artifacts, 1) == [3, 2]
    promote(artifacts, 3, reason="by hand")
    assert kept_back(artifacts, 3) == []
    assert kept_back(artifacts, 1) == [2]
    # Version 2 is older than production now.
    assert load_challengers(find_pipeline("flow", three), 3).bundles == ()
    outcome = told(score(three))
    assert (outcome.tables, outcome.left_out, outcome.note) == ((), (), "")


def test_of_two_a_damaged_one_does_not_keep_the_other(three: Path) -> None:
    change_settings(three, 'versions = "latest"', "versions = 2")
    damage(three, "model.json")
    outcome = told(score(three))
    assert [one.version for one in outcome.tables[0].challengers] == [3]
    assert [why.split(":")[0] for why in outcome.left_out] == ["version 2 cannot be loaded"]


def test_a_later_output_of_the_same_name_does_not_keep_the_file(root: Path) -> None:
    output = score(root).results[0].output
    assert read_shadowed(output) is not None
    change_settings(root, '\n[shadow]\nversions = "latest"\n', "")
    again = score(root)
    assert again.shadow is None
    assert again.results[0].unchanged
    assert read_shadowed(output) is not None
    outcome = score(root, force=True)
    assert "shadow" not in outcome.to_json()
    assert read_shadowed(output) is None
    assert sorted(path.name for path in output.parent.iterdir() if path.name[0] != ".") == [
        "new.csv",
        "new.csv.manifest.json",
        "new.csv.rejects.csv",
    ]


def test_a_file_of_somebody_else_stays(plain: Path) -> None:
    output = score(plain).results[0].output
    mine, mark = (output.with_name(f"new.csv{s}") for s in (".disagreements.csv", ".shadow.json"))
    mine.write_text("mine")
    mark.write_text('{"mine": 1}')
    score(plain, force=True)
    assert (mine.read_text(), mark.read_text()) == ("mine", '{"mine": 1}')


def test_the_same_again_is_not_scored_again(root: Path) -> None:
    first = score(root)
    path = first.results[0].output.with_name("new.csv.disagreements.csv")
    before = path.stat()
    again = score(root)
    assert again.results[0].unchanged
    assert told(again).tables == told(first).tables
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    # A damaged one is made again.
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert told(score(root)).tables == told(first).tables
    assert path.read_bytes() == content


def test_files_beside_an_output_are_no_tables_to_score(root: Path) -> None:
    output = score(root).results[0].output
    assert output.with_name("new.csv.disagreements.csv").is_file()
    assert expand_inputs([output.parent]) == [output]


def test_the_inbox_is_scored_beside_production_too(root: Path) -> None:
    inbox = root / "data/flow/inbox"
    inbox.mkdir()
    write(inbox / "march.csv", ROWS, "id p q")
    outcome = ffn.score("flow", root=root, new=True)
    (table,) = told(outcome).tables
    assert table.challengers[0].rows == 60
    assert disagreements(outcome.results[0].output)
