"""``ffn init``: a user's own CSV is a pipeline in two commands."""

from __future__ import annotations

import csv
import json
import os
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import sklearn.datasets

from tests.helpers.command_line import listing

DIRECT = ("--direct", "--root")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def write(path, header, rows, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def settings_of(root, name):
    return tomllib.loads((root / "data" / name / "pipeline.toml").read_text())


def quicken(root, name, *, distilled=False):
    """Settings are the user's to edit; fewer epochs and networks only save time here."""
    path = root / "data" / name / "pipeline.toml"
    text = path.read_text()
    assert "epochs = 150" in text
    quick, found = re.subn(r"\nnetworks = \d+", "\nnetworks = 3", text)
    assert found == 1
    assert '"distilled"' in text
    if not distilled:
        quick = quick.replace('"distilled"', '"resamples"')
    path.write_text(quick.replace("epochs = 150", "epochs = 40"))


@pytest.mark.parametrize(
    ("name", "every", "rows", "features", "least"),
    [("wine", 1, 178, 13, 0.85), ("digits", 3, 599, 64, 0.85), ("breast_cancer", 1, 569, 30, 0.9)],
)
def test_tables_of_scikit_learn_train_and_score(
    ffn, root, tmp_path, name, every, rows, features, least
):
    data = getattr(sklearn.datasets, f"load_{name}")()
    labels = [str(data.target_names[label]) for label in data.target[::every]]
    header = list(map(str, data.feature_names))
    inputs = data.data[::every].tolist()
    table = [[*row, label] for row, label in zip(inputs, labels, strict=True)]
    source = write(tmp_path / f"{name}.csv", [*header, "answer"], table)
    done = ffn("init", name, "--from", source, "--target", "answer", "--root", root)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"\nNext: ffn retrain {name} --root {root}\n")
    text = (root / "data" / name / "pipeline.toml").read_text()
    assert f"{rows:,} rows, {features} features." in text
    quicken(root, name, distilled=name == "wine")
    done = ffn("retrain", name, *DIRECT, root, "--json")
    assert json.loads(done.out)["test"]["accuracy"]["value"] >= least

    unlabelled = write(tmp_path / "new.csv", header, inputs)
    done = ffn("score", name, unlabelled, *DIRECT, root, "--json")
    found = json.loads(done.out)
    assert (found["rows"], found["scored"], found["rejected"]) == (rows, rows, 0)
    with Path(found["output"]).open(newline="") as file:
        predicted = [row["predicted_answer"] for row in csv.DictReader(file)]
    hits = sum(guess == label for guess, label in zip(predicted, labels, strict=True))
    assert hits / rows >= least


def shop(n=60):
    """Ids, a category, gaps in both kinds, a constant, and a number that tells the answer."""
    header = ["Customer ID", "colour", "size", "weight", "unit", "bought"]
    rows = [
        [
            f"c{i:03}",
            ("red", "blue", "", "green")[i % 4],
            f"{i % 30}.5",
            "?" if i % 15 == 7 else f"{i * 7 % 11}",
            "kg",
            "yes" if i % 30 >= 15 else "no",
        ]
        for i in range(n)
    ]
    return header, rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_ids_categories_gaps_and_a_constant(ffn, root, tmp_path, delimiter):
    source = write(tmp_path / "shop.csv", *shop(), delimiter=delimiter)
    arguments = ("init", "shop", "--from", source, "--target", "bought", "--root", root)
    if delimiter != ",":
        before = listing(tmp_path)
        refusal = ffn(*arguments).refusal
        assert re.search(r"has only one column\..*delimiter", refusal)
        assert listing(tmp_path) == before
    done = ffn(*arguments, "--delimiter", delimiter, "--json")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    found = json.loads(done.out)
    assert found["pipeline"] == "shop"
    assert found["settings"] == str(root / "data/shop/pipeline.toml")
    assert found["notices"] == [
        'column "Customer ID" looks like an id and is left out (--keep "Customer ID" keeps it)',
        'cells "?" are read as missing',
        'constant or empty in the training rows and left out: "unit"',
    ]
    settings = settings_of(root, "shop")
    assert settings["data"].get("delimiter", ",") == delimiter
    assert settings["data"]["exclude"] == ["Customer ID"]
    assert settings["data"]["missing_values"] == ["", "?"]
    assert settings["data"]["kinds"] == {
        "colour": "categorical",
        "size": "numeric",
        "weight": "numeric",
        "unit": "categorical",
    }
    assert (root / "data/shop/train.csv").read_bytes() == source.read_bytes()
    quicken(root, "shop")
    assert ffn("retrain", "shop", *DIRECT, root).code == 0
    done = ffn("score", "shop", source, "--delimiter", delimiter, *DIRECT, root, "--json")
    assert json.loads(done.out)["scored"] == 60


def test_the_settings_are_a_recipe_for_the_table(ffn, root, tmp_path):
    source = write(tmp_path / "shop.csv", *shop())
    assert ffn("init", "shop", "--from", source, "--target", "bought", "--root", root).code == 0
    settings = settings_of(root, "shop")
    assert settings["features"] == {"numbers": "piecewise", "bins": 16, "most_categories": 50}
    assert settings["training"] == {
        "epochs": 150,
        "batch_size": 64,
        "networks": 16,
        "test_share": 0.2,
        "validation_share": 0.2,
        "seed": 42,
        "patience": 20,
        "dropout": 0.15,
        "ensemble": "distilled",
    }
    assert settings["network"] == {"hidden_layers": [64, 64], "student_layers": [32, 32]}
    assert settings["optimizers"] == {"adamw": {"learning_rate": 0.001, "weight_decay": 0.3}}


def test_any_column_name_makes_valid_settings(ffn, root, tmp_path):
    names = ['a "quoted" one', "back\\slash", "x\ty", "[red]", "🐧", "del\x7f", "a.b", "#", "="]
    header, rows = shop()
    header[2:3] = names
    # The same numbers turned a little further in each, since no two columns of a table are alike.
    numbers = [f"{(i * 7 + i // 4) % 30}.5" for i in range(len(rows))]
    turned = [numbers[-n:] + numbers[:-n] for n in range(1, len(names) + 1)]
    rows = [[*row[:2], *cells, *row[3:]] for row, *cells in zip(rows, *turned, strict=True)]
    source = write(tmp_path / "shop.csv", header, rows)
    assert ffn("init", "shop", "--from", source, "--target", "bought", "--root", root).code == 0
    kinds = settings_of(root, "shop")["data"]["kinds"]
    assert {name: kinds[name] for name in names} == dict.fromkeys(names, "numeric")
    quicken(root, "shop")
    assert ffn("retrain", "shop", *DIRECT, root).code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"pipeline": "../x"}, r'pipeline name "\.\./x": use 1 to 64'),
        ({"pipeline": ""}, r'pipeline name "": use 1 to 64'),
        ({"pipeline": "there"}, r"data/there exists already\."),
        ({"target": "bougth"}, r'no column "bougth"; its columns .* Did you mean "bought"\?'),
        ({"target": "unit"}, r'"unit": every row has the label "kg"'),
        ({"target": "Customer ID"}, r"too few distinct rows to split"),
        ({"source": "no.csv"}, r"no\.csv does not exist\."),
        ({"source": "root"}, r"root holds no table"),
        ({"root": "none"}, r'--root ".*none" is not a folder\.'),
        ({"keep": "bougth"}, r'no column "bougth"; its columns'),
        ({"keep": "bought"}, r'--keep and --target both name "bought"\. Take out one\.'),
        ({"exclude": "colour"}, r'--keep and --exclude both name "colour"\. Take out one\.'),
        ({"delimiter": "x"}, r'delimiter "x" is not one of'),
    ],
)
def test_what_cannot_be_a_pipeline_is_refused(ffn, root, tmp_path, arguments, expected):
    write(tmp_path / "shop.csv", *shop())
    given = {"pipeline": "shop", "source": "shop.csv", "target": "bought", "root": "root"}
    given |= {"delimiter": ",", "keep": "colour", "exclude": "size"} | arguments
    if given["pipeline"] == "there":
        (root / "data/there").mkdir(parents=True)
    before = listing(tmp_path)
    done = ffn(
        "init",
        given["pipeline"],
        *("--from", tmp_path / given["source"], "--target", given["target"]),
        *("--root", tmp_path / given["root"], "--delimiter", given["delimiter"]),
        *("--keep", given["keep"], "--exclude", given["exclude"]),
    )
    assert re.search(expected, done.refusal)
    assert listing(tmp_path) == before


def test_what_is_kept_is_trained_on_and_told_of_no_more(ffn, root, tmp_path):
    header, rows = shop()
    source = write(
        tmp_path / "shop.csv", header, [[*row[:3], i, *row[4:]] for i, row in enumerate(rows)]
    )
    arguments = ("init", "shop", "--from", source, "--target", "bought", "--root", root)
    done = ffn(
        *arguments, "--keep", "Customer ID", "--keep", "weight", "--exclude", "unit", "--json"
    )
    assert json.loads(done.out)["notices"] == []
    data = settings_of(root, "shop")["data"]
    assert data["exclude"] == ["unit"]
    assert data["kinds"] == {
        "Customer ID": "categorical",
        "colour": "categorical",
        "size": "numeric",
        "weight": "numeric",
    }
    quicken(root, "shop")
    assert ffn("retrain", "shop", *DIRECT, root).code == 0


def test_a_pipe_is_called_one(ffn, root, tmp_path):
    """As the shell hands a command's output over, ``<(…)``: a link whose target is no path."""
    reading, writing = os.pipe()
    os.close(writing)
    path = tmp_path / "rows"
    path.symlink_to(f"/proc/self/fd/{reading}")
    done = ffn("init", "shop", "--from", path, "--target", "bought", "--root", root)
    os.close(reading)
    assert done.refusal == f"{path} is a device or pipe. Give the path of a CSV file."


def test_a_wide_header_is_shown_in_part(ffn, root, tmp_path):
    source = write(tmp_path / "wide.csv", ["x" * 100_000, "y"], [["1", "a"]] * 9)
    done = ffn("init", "wide", "--from", source, "--target", "z", "--root", root)
    assert len(done.refusal) < 500
    assert done.refusal.endswith("x…, y.")


def test_a_bad_cell_is_found_in_the_users_own_file(ffn, root, tmp_path):
    header, rows = shop()
    rows[4][2] = "broad"
    source = write(tmp_path / "shop.csv", header, rows)
    done = ffn("init", "shop", "--from", source, "--target", "bought", "--root", root)
    assert re.search(r'shop\.csv row 5 \(line 6\), column "size": "broad" is not', done.refusal)
    assert list(root.iterdir()) == []


def test_formatted_numbers_are_read_and_scored(ffn, root, tmp_path):
    rows = [[f"${1000 + 40 * i:,.2f}", f"{i % 50}%", "yes" if i > 60 else "no"] for i in range(120)]
    write(tmp_path / "shop.csv", ["amount", "rate", "bought"], rows)
    done = ffn(
        "init", "shop", "--from", tmp_path / "shop.csv", "--target", "bought", "--root", root
    )
    assert 'column "amount" is read as numbers in "$": "$1,000.00" is 1000 (data.fo' in done.out
    assert 'column "rate" is read as numbers in "%": "0%" is 0 (data.formats)' in done.out
    settings = settings_of(root, "shop")
    assert settings["data"]["formats"] == {"amount": "$1,234.50", "rate": "1234.5%"}
    assert settings["data"]["kinds"] == {"amount": "numeric", "rate": "numeric"}
    quicken(root, "shop")
    ffn("retrain", "shop", *DIRECT, root)
    write(tmp_path / "new.csv", ["rate", "amount"], [["5%", "$5,900"], ["5%", "1000"], ["5", "$9"]])
    output = tmp_path / "out.csv"
    ffn("score", "shop", tmp_path / "new.csv", *DIRECT, root, "--output", output)
    with output.open(newline="") as file:
        assert [row["predicted_bought"] for row in csv.DictReader(file)] == ["yes", "no"]
    with (tmp_path / "out.csv.rejects.csv").open(newline="") as file:
        (reject,) = csv.DictReader(file)
    assert (reject["row"], reject["column"], reject["reason"]) == ("3", "rate", "not_a_number")


def test_a_format_that_the_look_cannot_know_is_given(ffn, root, tmp_path):
    rows = [[f"{24 + i},{100 + i}", "yes" if i > 60 else "no"] for i in range(120)]
    write(tmp_path / "towns.csv", ["people", "big"], rows)
    given = ("--from", tmp_path / "towns.csv", "--target", "big", "--root", root)
    assert "If it does, give --format people=1,234.5" in ffn("init", "towns", *given).refusal
    assert "no column" in ffn("init", "towns", *given, "--format", "peple=1,234.5").refusal
    wrong = ffn("init", "towns", *given, "--format", "people=12%").err
    assert '"people=12%": must be 1234.5 as the column writes it, such as' in wrong
    ffn("init", "towns", *given, "--format", "people=1,234.5")
    settings = settings_of(root, "towns")
    assert settings["data"]["formats"] == {"people": "1,234.5"}


def labelled(path, labels, n=60):
    rows = [[f"{i % 2 * 3 + i % 7 / 10}", f"{i % 11}", labels[i % len(labels)]] for i in range(n)]
    return write(path, ["a", "b", "label"], rows)


def test_a_doubtful_label_is_decided_and_the_decision_travels(ffn, root, tmp_path):
    source = labelled(tmp_path / "t.csv", ["no", "yes", "NO", "yes", "NA", "yes"])
    arguments = ("init", "t", "--from", source, "--target", "label", "--root", root)
    before = listing(root)
    refusal = ffn(*arguments).refusal
    assert '10 of 60 labels are "NA"' in refusal
    assert "give --label NA ''; to make it a class, give --label NA NA." in refusal
    refusal = ffn(*arguments, "--label", "NA", "").refusal
    assert '"no" (10 rows) and "NO" (10 rows)' in refusal
    assert "give --label NO no; if they are classes of their own, give --label NO NO." in refusal
    assert re.search('--label "Na": no cell .* "NA"', ffn(*arguments, "--label", "Na", "x").refusal)
    two = ("--label", "NO", "no", "--label", "NO", "yes")
    assert '--label reads "NO" as "no" and as "yes"' in ffn(*arguments, *two).refusal
    assert listing(root) == before

    done = ffn(*arguments, "--label", "NA", "", "--label", "NO", "no", "--json")
    assert json.loads(done.out)["notices"][0] == (
        '10 of 60 rows have no label ("NA") and are left out'
    )
    assert settings_of(root, "t")["data"]["labels"] == {"NA": "", "NO": "no"}
    quicken(root, "t")
    done = ffn("retrain", "t", *DIRECT, root)
    assert 'Note: 10 of 60 rows have no label ("NA") and are left out.' in done.out
    version = root / "artifacts/t/models/0001"
    made = json.loads((version / "provenance.json").read_text())
    assert made["rows"]["test"] + made["rows"]["train"] + made["rows"]["unlabelled"] == 60
    assert made["rows"]["unlabelled"] == 10
    assert made["settings"]["data"]["labels"] == {"NA": "", "NO": "no"}
    assert json.loads((version / "bundle/model.json").read_text())["schema"]["classes"] == [
        "no",
        "yes",
    ]
    assert "10 without a label left out" in (version / "model_card.md").read_text()
    assert "10 without a label" in ffn("models", "t", "1", "--root", root).out


def test_parquet_files_and_folders_are_copied_as_they_are(ffn, root, tmp_path):
    frame = pd.read_csv(labelled(tmp_path / "t.csv", ["no", "yes"]))
    # What loses its kind on the way through floats, or has none that every writer knows.
    frame["count"] = pd.array([None if i == 7 else i % 5 for i in range(60)], dtype="Int64")
    frame["colour"] = pd.Categorical(["red", "blue", "green"] * 20)
    frame["flag"] = frame["a"] > 2
    source = tmp_path / "it's a table.parquet"
    frame.to_parquet(source)
    folder = tmp_path / "history"
    folder.mkdir()
    frame[:35].to_parquet(folder / "1.parquet")
    frame[35:].to_csv(folder / "2.csv", index=False)

    def written(name, given):
        done = ffn("init", name, "--from", given, "--target", "label", "--root", root)
        assert (done.code, done.err) == (0, "")
        found = settings_of(root, name)
        files = [path for path in (root / "data" / name).rglob("*") if path.is_file()]
        copies = {str(path.relative_to(root / "data" / name)): path.read_bytes() for path in files}
        del copies["pipeline.toml"]
        return found["data"].pop("source"), found, copies

    frame.to_csv(tmp_path / "t.csv", index=False)
    name, expected, _ = written("csv", tmp_path / "t.csv")
    assert name == "train.csv"
    both = {f"train/{path.name}": path.read_bytes() for path in folder.iterdir()}
    assert written("one", source) == (
        "train.parquet",
        expected,
        {"train.parquet": source.read_bytes()},
    )
    assert written("all", folder) == ("train", expected, both)
    assert written("some", folder / "[12].*") == ("train/[12].*", expected, both)
    before = listing(root)
    frame.rename(columns={"label": "Label"}).to_parquet(source)
    refusal = ffn("init", "x", "--from", source, "--target", "label", "--root", root).refusal
    assert refusal.startswith(f'{source} has no column "label"')
    refusal = ffn("init", "x", "--from", folder / "3*", "--target", "l", "--root", root).refusal
    assert refusal.startswith("no file matches ")
    assert listing(root) == before


def test_a_renamed_column_is_the_contracts_to_refuse(ffn, root, tmp_path):
    source = labelled(tmp_path / "t.csv", ["no", "yes"])
    ffn("init", "t", "--from", source, "--target", "label", "--root", root)
    quicken(root, "t")
    assert ffn("retrain", "t", *DIRECT, root).code == 0
    table = root / "data/t/train.csv"
    table.write_text(table.read_text().replace("a,", "A,", 1))
    refusal = ffn("retrain", "t", *DIRECT, root).refusal
    assert (
        'differs from what version 1 in production was trained on: column "a" is missing. '
        in refusal
    )
    assert 'Did you mean "A"?' in refusal
    assert "Take it out of [data.kinds]" not in refusal


def test_a_table_of_cp1252_names_its_encoding_and_keeps_it(ffn, root, tmp_path):
    path = tmp_path / "towns.csv"
    rows = [f"{('Bern', 'Zürich')[i % 2]},{i % 7},{('nein', 'groß')[i % 2]}" for i in range(60)]
    content = "\r\n".join(["Stadt,Größe,Urteil", *rows, ""]).encode("cp1252")
    path.write_bytes(content)
    make = ("init", "towns", "--from", path, "--target", "Urteil", "--root", root)
    refused = ffn(*make)
    assert (refused.code, list((root).iterdir())) == (1, [])
    advice = re.search(r'In cp1252 it reads "Größe".* give (--encoding cp1252)', refused.err)
    assert ffn(*make, *advice[1].split()).code == 0
    assert settings_of(root, "towns")["data"]["encoding"] == "cp1252"
    quicken(root, "towns")
    assert ffn("retrain", "towns", *DIRECT, root).code == 0
    assert ffn("score", "towns", path, "--output", tmp_path / "out.csv", *DIRECT, root).code == 0
    with (tmp_path / "out.csv").open(encoding="cp1252", newline="") as file:
        labels = [row["predicted_Urteil"] for row in csv.DictReader(file)]
    assert labels == ["nein", "groß"] * 30
    # The same table from elsewhere, in UTF-8.
    (tmp_path / "utf8.csv").write_bytes(content.decode("cp1252").encode())
    score = ("score", "towns", tmp_path / "utf8.csv", "--output", tmp_path / "utf8-out.csv")
    assert "Give --encoding utf-8" in ffn(*score, *DIRECT, root).err
    assert ffn(*score, "--encoding", "utf-8", *DIRECT, root).code == 0
    assert (tmp_path / "utf8-out.csv").read_text("utf-8").count("groß,groß") == 30
