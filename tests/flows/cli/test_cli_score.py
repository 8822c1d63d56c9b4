"""``ffn score``: files in, files out, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest

import ffn as product
from tests.helpers.command_line import command, environment, listing, run_apart

DIRECT = ("--direct", "--root")
SPECIES = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]


@pytest.fixture
def flowers(trained):
    return (trained / "data/iris/inbox/new_flowers.csv").read_text()


def predictions(root, name="new_flowers.csv"):
    with (root / "artifacts/iris/predictions" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_inbox_is_scored(ffn, trained, flowers):
    done = ffn("score", "iris", *DIRECT, trained)
    assert (done.code, done.err) == (0, "")
    assert re.match(r"iris, version 1: 12 of 12 rows scored, mean confidence 0\.\d+\.\n", done.out)
    found = predictions(trained)
    assert len(found) == len(flowers.splitlines()) - 1
    assert {row["predicted_species"] for row in found} <= set(SPECIES)
    assert all(1 / 3 <= float(row["confidence"]) <= 1 for row in found)


def test_reasons_are_added(ffn, trained):
    done = ffn("score", "iris", "--explain", *DIRECT, trained)
    assert done.code == 0, done.err
    first = predictions(trained)[0]
    columns = {f"reason_{i}{end}" for i in (1, 2, 3) for end in ("", "_value")}
    assert columns <= set(first)
    assert {"sepal_length", "sepal_width", "petal_length", "petal_width"} > {
        first[f"reason_{i}"] for i in (1, 2, 3)
    }
    # The setting says the same, and the option takes it back.
    settings = trained / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + "\n[scoring]\nexplain = 3\n")
    again = ffn("score", "iris", *DIRECT, trained)
    assert "nothing to do" in again.out or "unchanged" in again.out
    ffn("score", "iris", "--explain=0", *DIRECT, trained)
    assert columns.isdisjoint(predictions(trained)[0])


def test_a_file_is_no_number_of_reasons(ffn, trained):
    done = ffn("score", "iris", "--explain", "new.csv", *DIRECT, trained)
    assert done.code == 2
    assert '"new.csv" is not a number of reasons: write --explain=3, or put --explain' in done.err


def test_json_is_one_object_whose_rows_add_up(ffn, trained, flowers):
    spoilt = trained / "spoilt.csv"
    spoilt.write_text(flowers + "x,wide,1,1,1\n")
    done = ffn("score", "iris", spoilt, *DIRECT, trained, "--json")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    found = json.loads(done.out)
    assert {"pipeline", "version", "rows", "scored", "rejected", "output"} <= set(found)
    assert (found["pipeline"], found["version"]) == ("iris", 1)
    assert (found["rows"], found["scored"], found["rejected"]) == (13, 12, 1)
    assert found["output"] == str(trained / "artifacts/iris/predictions/spoilt.csv")
    assert len(predictions(trained, "spoilt.csv")) == 12


def test_the_product_the_export_and_the_file_agree(ffn, trained):
    """Three ways to the same labels: the CSV, ``ffn.load``, and the joblib export."""
    source = trained / "data/iris/train.csv"
    assert ffn("score", "iris", source, *DIRECT, trained).code == 0
    scored = [row["predicted_species"] for row in predictions(trained, "train.csv")]
    frame = pd.read_csv(source)
    export = joblib.load(trained / "artifacts/iris/best_iris_model.pkl")
    features = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert product.load(trained / "artifacts/iris").predict(frame).tolist() == scored
    assert export.predict(frame).tolist() == scored
    assert export.predict(frame[features[::-1]]).tolist() == scored
    assert export.predict(frame[features].to_numpy().tolist()).tolist() == scored
    # Not all one answer, and mostly the right one.
    assert sum(frame["species"] == scored) > 135


def test_the_same_work_is_done_once_unless_forced(ffn, trained, flowers):
    first = ffn("score", "iris", *DIRECT, trained, "--json")
    again = ffn("score", "iris", *DIRECT, trained, "--json")
    unchanged = [json.loads(done.out)["files"][0].pop("unchanged") for done in (first, again)]
    assert unchanged == [False, True]
    told = ffn("score", "iris", *DIRECT, trained)
    assert (told.code, told.err) == (0, "")
    assert "unchanged, skipped. Use --force to score anyway." in told.out.replace("\n", " ")
    assert "skipped" not in ffn("score", "iris", *DIRECT, trained, "--force").out


def test_several_files_in_two_processes(ffn, trained, flowers, monkeypatch):
    # What clusters need would be loaded for nothing.
    monkeypatch.setitem(sys.modules, "ffn.cluster_scoring.cluster_scoring", None)
    folder = trained / "many"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.csv").write_text(flowers)
    (folder / "2.csv").write_text("no,features\n")
    done = ffn("score", "iris", folder, "--workers", "2", *DIRECT, trained)
    assert done.code == 1
    assert re.search(r'1 of 5 files refused: .*2\.csv has no column "sepal_length"', done.err)
    ffn("score", "iris", *DIRECT, trained)
    for number in (0, 1, 3, 4):
        assert predictions(trained, f"{number}.csv") == predictions(trained)


def test_options_stand_anywhere(ffn, trained, flowers):
    (trained / "a.csv").write_text(flowers)
    output = trained / "here/out.csv"
    for arguments in (
        ("score", "iris", *DIRECT, trained, trained / "a.csv", "--output", output),
        ("score", *DIRECT, trained, "--output", output, "iris", trained / "a.csv"),
    ):
        assert ffn(*arguments).code == 0
        assert output.exists()
        shutil.rmtree(output.parent)


def test_semicolons_and_probabilities(ffn, trained, flowers):
    (trained / "a.csv").write_text(flowers.replace(",", ";"))
    wrong = ffn("score", "iris", trained / "a.csv", *DIRECT, trained)
    assert re.search(r'separated by ";": give that as the delimiter', wrong.refusal)
    done = ffn(
        "score", "iris", trained / "a.csv", "--delimiter", ";", "--probabilities", *DIRECT, trained
    )
    assert done.code == 0
    header = (trained / "artifacts/iris/predictions/a.csv").read_text().splitlines()[0]
    assert header.split(";")[-3:] == [f"probability_{name}" for name in SPECIES]


@pytest.mark.parametrize(
    "name",
    [
        "with space.csv",
        "ünï 花.csv",
        "new\nline.csv",
        "[red]x.csv",
        ":cat:.csv",
        "quo'te\".csv",
        "-dash.csv",
        ".hidden.csv",
        "noext",
        "x\\.csv",
        "%s{}.csv",
    ],
)
def test_any_file_name_will_do(ffn, trained, flowers, name, monkeypatch):
    (trained / name).write_text(flowers)
    monkeypatch.chdir(trained)
    done = ffn("score", "iris", "--direct", "--", name)
    assert (done.code, done.err) == (0, "")
    shown = name.replace("\n", r"\n")
    assert f"\n  predictions  artifacts/iris/predictions/{shown}\n" in done.out
    assert len(predictions(trained, name)) == 12


def test_folders_and_patterns_into_a_folder(ffn, trained, flowers):
    for name in ("in/a.csv", "in/b.csv", "more/c.csv", "more/d.txt"):
        (trained / name).parent.mkdir(exist_ok=True)
        (trained / name).write_text(flowers)
    given = (f"{trained}/in/", f"{trained}/more/*.csv", trained / "in/b.csv")
    done = ffn("score", "iris", *given, "--output", f"{trained}/out/", *DIRECT, trained, "--json")
    assert (done.code, done.err) == (0, "")
    outputs = [str(trained / "out" / name) for name in ("a.csv", "b.csv", "c.csv")]
    assert json.loads(done.out)["output"] == outputs
    again = ffn("score", "iris", *given[:2], "--output", trained / "out", *DIRECT, trained)
    assert again.code == 0
    assert len(list((trained / "out").iterdir())) == 9


def test_what_the_settings_say_of_scoring_counts_unless_the_command_says_otherwise(
    ffn, trained, flowers
):
    settings = trained / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + "\n[scoring]\nmax_reject_rate = 0.05\n")
    (trained / "a.csv").write_text(flowers + "x,wide,1,1,1\n")
    refused = ffn("score", "iris", trained / "a.csv", *DIRECT, trained)
    assert "1 of 13 rows was rejected (not_a_number 1), more than the share of 0.05" in (
        refused.refusal
    )
    taken = ("--max-reject-rate", "0.1", "--only-id", "flower_id", "--escape-formulas")
    assert ffn("score", "iris", trained / "a.csv", *taken, *DIRECT, trained).code == 0
    output = (trained / "artifacts/iris/predictions/a.csv").read_text()
    assert output.splitlines()[0] == "flower_id,predicted_species,confidence"
    # Nothing of it is training's business.
    assert "skipped" in ffn("retrain", "iris", *DIRECT, trained).out


def test_a_table_with_commas_is_trained_on_and_scored(ffn, root, tmp_path):
    rows = (root / "data/iris/train.csv").read_text()
    european = tmp_path / "blumen.csv"
    european.write_text(rows.replace(",", ";").replace(".", ","))
    made = ("init", "blumen", "--from", european, "--target", "species", "--delimiter", ";")
    refusal = ffn(*made, "--root", root).refusal
    assert re.search(r'"\d,\d" has a decimal comma; .* Give --decimal ",", leave', refusal)
    assert ffn(*made, "--decimal", ",", "--root", root).code == 0
    settings = root / "data/blumen/pipeline.toml"
    assert 'decimal = ","' in settings.read_text()
    settings.write_text(settings.read_text().replace("epochs = 150", "epochs = 15"))
    assert ffn("retrain", "blumen", *DIRECT, root).code == 0
    done = ffn("score", "blumen", european, *DIRECT, root, "--json")
    assert json.loads(done.out)["scored"] == 150


def test_a_name_that_is_no_text_is_refused(ffn, trained, flowers):
    name = os.fsdecode(b"\xff.csv")
    (trained / name).write_text(flowers)
    before = listing(trained)
    refusal = ffn("score", "iris", trained / name, *DIRECT, trained).refusal
    assert re.search(r'\\udcff\.csv" is not valid UTF-8\. Rename it\.', refusal)
    assert listing(trained) == before


def lacking(root, flowers):
    text = "\n".join(",".join(line.split(",")[:-1]) for line in flowers.splitlines())
    (root / "a.csv").write_text(text)
    return [root / "a.csv"]


def holding(text):
    def make(root, _flowers):
        (root / "a.csv").write_text(text)
        return [root / "a.csv"]

    return make


def onto_itself(root, flowers):
    (root / "a.csv").write_text(flowers)
    return [root / "a.csv", "--output", root / "a.csv"]


def onto_itself_by_a_link(root, flowers):
    (root / "a.csv").write_text(flowers)
    (root / "link.csv").symlink_to("a.csv")
    return [root / "a.csv", "--output", root / "link.csv"]


def onto_itself_through_a_folder_to_be_made(root, flowers):
    (root / "a.csv").write_text(flowers)
    return [root / "a.csv", "--output", root / "new" / ".." / "a.csv"]


def of_one_name(root, flowers):
    for folder in ("one", "two"):
        (root / folder).mkdir()
        (root / folder / "s.csv").write_text(flowers)
    return [root / "one/s.csv", root / "two/s.csv"]


def named_like_rejects(root, flowers):
    (root / "s.csv").write_text(flowers)
    (root / "s.csv.rejects.csv").write_text(flowers)
    return [root / "s.csv", root / "s.csv.rejects.csv"]


def with_one_output(root, flowers):
    return [*of_one_name(root, flowers), "--output", root / "out.csv"]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lacking, r'a\.csv has no column "petal_width", which the model needs\.'),
        (holding(""), r"a\.csv is empty\. Give a CSV file with a header line\."),
        (lambda root, _: [root / "no.csv"], r"no\.csv does not exist\."),
        (lambda root, _: [root / "data"], r"data holds no table \("),
        (lambda root, _: [root / "*.xls"], r"no file matches .*\*\.xls"),
        (onto_itself, r"a\.csv is the file to score\. Give another output\."),
        (onto_itself_by_a_link, r"link\.csv is the file to score\. Give another output\."),
        (onto_itself_through_a_folder_to_be_made, r"a\.csv is the file to score\. Give another"),
        (lambda root, _: ["--output", "/dev/null"], r"null exists and is not a regular file"),
        (of_one_name, r"one/s\.csv and .*two/s\.csv would both be written to .*predictions/s\.csv"),
        (named_like_rejects, r"both be written to .*predictions/s\.csv\.rejects\.csv"),
        (with_one_output, r"the output .*out\.csv is for a single file; 2 were given\."),
        (lambda *_: ["--max-reject-rate", "2"], r"max_reject_rate is 2\.0; give a share"),
        (lambda *_: ["--delimiter", "ab"], r'delimiter "ab" is not one of'),
    ],
)
def test_a_bad_file_is_refused_in_one_line(ffn, trained, flowers, make, expected):
    arguments = make(trained, flowers)
    before = listing(trained)
    done = ffn("score", "iris", *DIRECT, trained, *arguments)
    assert re.search(expected, done.refusal)
    assert listing(trained) == before


def changed(name, old, new):
    def change(bundle):
        content = (bundle / name).read_bytes()
        assert old in content
        (bundle / name).write_bytes(content.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (changed("model.json", b"species", b"Species"), r"model\.json: SHA-256 differs from the"),
        (changed("manifest.json", b'"format": 1', b'"format": 3'), r"format .3.; this version re"),
        (changed("manifest.json", b"{", b"["), r"manifest\.json: not a bundle's manifest"),
        (lambda bundle: (bundle / "arrays.safetensors").unlink(), r"arrays\.safetensors: cannot"),
        (
            lambda bundle: shutil.rmtree(bundle.parent),
            r"version 1 is in production but does not exist",
        ),
    ],
)
def test_a_damaged_model_is_refused_in_one_line(ffn, trained, damage, expected):
    damage(trained / "artifacts/iris/models/0001/bundle")
    before = listing(trained)
    assert re.search(expected, ffn("score", "iris", *DIRECT, trained).refusal)
    assert listing(trained) == before


def test_without_a_model_the_way_to_one_is_said(ffn, root):
    before = listing(root)
    refusal = ffn("score", "iris", *DIRECT, root).refusal
    assert re.search(r"iris: no model in production .*Make one with: ffn retrain iris", refusal)
    assert listing(root) == before


def test_an_empty_inbox_is_told(ffn, trained):
    (trained / "data/iris/inbox/new_flowers.csv").unlink()
    refusal = ffn("score", "iris", *DIRECT, trained).refusal
    assert re.search(r"no file is given, and no table is in .*/data/iris/inbox\.", refusal)


def test_of_three_files_one_refused_leaves_the_others_scored(ffn, trained, flowers):
    inbox = trained / "data/iris/inbox"
    (inbox / "a.csv").write_text(flowers)
    (inbox / "b.csv").write_text("x\n1\n")
    done = ffn("score", "iris", *DIRECT, trained, "--json")
    assert done.code == 1
    assert re.fullmatch(
        r'ffn: 1 of 3 files refused: .*/b\.csv has no column "sepal_length", which the model '
        r'needs\. It has "x"\.\n',
        done.err,
    )
    found = json.loads(done.out)
    assert (found["rows"], found["scored"]) == (24, 24)
    assert [name.rsplit("/")[-1] for name in found["output"]] == ["a.csv", "new_flowers.csv"]
    assert [refused["source"] for refused in found["refused"]] == [str(inbox / "b.csv")]
    assert {path.name for path in (trained / "artifacts/iris/predictions").glob("*.csv")} == {
        "a.csv",
        "a.csv.rejects.csv",
        "new_flowers.csv",
        "new_flowers.csv.rejects.csv",
    }


def test_a_reader_that_leaves_is_no_traceback(trained, tmp_path):
    line = command("score", "iris", *DIRECT, trained)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(
            line, env=environment(tmp_path), stdout=nobody, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_closed_stdout_is_no_traceback(trained, tmp_path):
    line = command("score", "iris", *DIRECT, trained)
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *line],
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(predictions(trained)) == 12


def test_a_full_disk_at_the_end_of_a_pipe_is_one_line(trained, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("score", "iris", *DIRECT, trained),
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "ffn: No space left on device.\n")


def test_links_that_lead_nowhere_are_refused(ffn, trained):
    (trained / "a.csv").symlink_to("a.csv")
    refusal = ffn("score", "iris", trained / "a.csv", *DIRECT, trained).refusal
    assert re.search(r"a\.csv cannot be read: Too many levels of symbolic links\.", refusal)
    (trained / "artifacts/iris/models").rename(trained / "models")
    (trained / "artifacts/iris/models").symlink_to("models")
    assert "models is a link; versions are kept in plain folders" in (
        ffn("score", "iris", *DIRECT, trained).refusal
    )


def test_a_server_that_does_not_answer_is_refused_in_one_line(trained, tmp_path):
    before = listing(trained)
    # Port 9 (discard) of the own machine: nothing listens there.
    done = run_apart(
        tmp_path, "score", "iris", "--root", trained, PREFECT_API_URL="http://127.0.0.1:9/api"
    )
    assert re.search(r"server at http://127\.0\.0\.1:9/api cannot be used .*--direct", done.refusal)
    assert listing(trained) == before


def test_a_prefect_folder_that_cannot_be_is_refused_in_one_line(trained, tmp_path):
    (tmp_path / "file").write_text("")
    done = run_apart(
        tmp_path, "score", "iris", "--root", trained, PREFECT_HOME=str(tmp_path / "file")
    )
    assert re.search(r"Prefect's folder .*/file cannot be used .*Set PREFECT_HOME", done.refusal)
