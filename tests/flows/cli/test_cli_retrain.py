"""``ffn retrain``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest

from tests.helpers.command_line import listing, run_apart

DIRECT = ("--direct", "--root")


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


def table(cells: list[list[str]]) -> str:
    return "\n".join(",".join(row) for row in cells) + "\n"


def test_json_is_one_object_that_names_the_bundle(ffn, root):
    done = ffn("retrain", "iris", *DIRECT, root, "--json")
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    found = json.loads(done.out)
    assert {"pipeline", "version", "winner", "optimizers", "test", "bundle", "bundle_sha256"} <= (
        set(found)
    )
    assert (found["pipeline"], found["version"]) == ("iris", 1)
    assert set(found["optimizers"]) == {"sgd", "momentum", "adam", "adamw"}
    assert found["winner"] in found["optimizers"]
    # 20 % of 150 rows.
    assert found["test"]["rows"] == 30
    assert found["test"]["accuracy"]["low"] <= found["test"]["accuracy"]["value"]
    manifest = root / "artifacts/iris/models/0001/bundle/manifest.json"
    assert found["bundle"] == str(manifest.parent)
    assert found["bundle_sha256"] == hashlib.sha256(manifest.read_bytes()).hexdigest()


def test_one_seed_gives_one_bundle_and_another_seed_another(ffn, root):
    bundles = []
    for seed in (42, 42, 43):
        settings = root / "data/iris/pipeline.toml"
        settings.write_text(re.sub(r"seed = \d+", f"seed = {seed}", settings.read_text()))
        done = ffn("retrain", "iris", *DIRECT, root, "--force", "--json")
        bundles.append(json.loads(done.out)["bundle"])
    first, second, other = (
        {path.name: path.read_bytes() for path in (root / bundle).iterdir()} for bundle in bundles
    )
    assert len({*bundles}) == 3
    assert set(first) == {
        "manifest.json",
        "model.json",
        "arrays.safetensors",
        "reference.json",
    }
    assert first == second
    assert first["arrays.safetensors"] != other["arrays.safetensors"]


def test_the_terminal_gets_a_table_a_sentence_and_paths_that_exist(ffn, root, monkeypatch):
    monkeypatch.chdir(root)
    done = ffn("retrain", "iris", "--direct")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("iris, version 1: validation of the optimizers\n")
    for optimizer in ("sgd", "momentum", "adam", "adamw"):
        assert re.search(rf"^ {optimizer} +[\d.]+ +\d\.\d+ \[\d\.\d+, \d\.\d+\]", done.out, re.M)
    assert re.search(r"On 30 held-out rows, .* accuracy \d\.\d+ \[\d\.\d+, \d\.\d+\]", done.out)
    paths = re.findall(r"^  (?:model|report|for notebooks) +(\S+)$", done.out, re.M)
    assert paths == [
        "artifacts/iris/models/0001/bundle",
        "artifacts/iris/reports/0001/report.html",
        "artifacts/iris/best_iris_model.pkl",
    ]
    assert all((root / path).exists() for path in paths)
    # No line is folded: the sentence that gives the reason is one line.
    assert len([line for line in done.out.splitlines() if "validation log-loss" in line]) == 1


def test_a_terminal_that_knows_ascii_alone_is_served(tmp_path, root):
    done = run_apart(tmp_path, "retrain", "iris", *DIRECT, root, PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"\badamw +\|? *[\d.]+ +\|? *\d\.\d+ \[", done.out)


@pytest.mark.parametrize("given", ["folder", "toml"])
def test_a_pipeline_is_also_a_path(ffn, root, tmp_path, given):
    away = tmp_path / "elsewhere/my"
    shutil.copytree(root / "data/iris", away)
    which = away if given == "folder" else away / "pipeline.toml"
    done = ffn("retrain", which, *DIRECT, root, "--json")
    found = json.loads(done.out)
    assert found["pipeline"] == "my"
    assert found["bundle"].startswith(str(root / "artifacts/my"))
    assert ffn("score", which, *DIRECT, root).code == 0
    assert not (away / "artifacts").exists()


def test_fewer_rows_than_a_batch_simply_work(ffn, root):
    source = root / "data/iris/train.csv"
    cells = rows(source.read_text())
    source.write_text(table([cells[0], *cells[1:6], *cells[51:56], *cells[101:106]]))
    assert "batch_size = 32" in (root / "data/iris/pipeline.toml").read_text()
    done = ffn("retrain", "iris", *DIRECT, root, "--json")
    assert done.code == 0
    assert json.loads(done.out)["test"]["rows"] == 3


def test_a_constant_column_is_told_and_left_out(ffn, root):
    source = root / "data/iris/train.csv"
    cells = rows(source.read_text())
    source.write_text(table([cells[0], *([row[0], "3.0", *row[2:]] for row in cells[1:])]))
    done = ffn("retrain", "iris", *DIRECT, root)
    assert done.code == 0
    assert 'Note: constant or empty in the training rows and left out: "sepal_width".\n' in done.out
    new = root / "data/iris/inbox/new_flowers.csv"
    cells = rows(new.read_text())
    left_out = cells[0].index("sepal_width")
    new.write_text(table([[*row[:left_out], *row[left_out + 1 :]] for row in cells]))
    assert ffn("score", "iris", *DIRECT, root).code == 0


def test_an_optimizer_that_diverged_is_told(ffn, root):
    settings = root / "data/iris/pipeline.toml"
    old = '[optimizers.adamw]\nlearning_rate = "auto"'
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, old.replace('"auto"', "1e30")))
    done = ffn("retrain", "iris", *DIRECT, root)
    assert done.code == 0
    assert not re.search(r"^ adamw ", done.out, re.M)
    assert re.search(r"^Note: adamw is not in the comparison: every network.*\.$", done.out, re.M)
    found = json.loads(ffn("retrain", "iris", *DIRECT, root, "--force", "--json").out)
    assert set(found["optimizers"]) == {"sgd", "momentum", "adam"}
    assert set(found["failures"]) == {"adamw"}


def cell(row: int, column: int, text: str):
    def change(cells):
        cells[row][column] = text
        return cells

    return change


def column(place: int, text: str):
    return lambda cells: [
        [*row[:place], text if i else row[place], *row[place + 1 :]] for i, row in enumerate(cells)
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda cells: [], r"train\.csv is empty\. Give a CSV file with a header line\."),
        (lambda cells: cells[:1], r"has a header and no rows\."),
        (cell(0, 4, "kind"), r'no column "species", which data\.target names'),
        (column(4, "a"), r'"species": every row has the label "a"; at least two classes'),
        (
            lambda cells: [*cells, ["1", "2", "3", "4", "rare"], ["1", "2", "3", "5", "rare"]],
            r'too few distinct rows to split: class "rare" has 2; each class needs 3',
        ),
        (column(1, ""), r'column "sepal_width": no values to learn from'),
        (cell(7, 1, "wide"), r'row 7 \(line 8\), column "sepal_width": "wide" is not a finite num'),
        (cell(7, 1, "inf"), r'row 7 \(line 8\), column "sepal_width": "inf" is not a finite numb'),
        (cell(7, 1, "1e300"), r'row 7 \(line 8\), column "sepal_width": "1e300" is beyond'),
        (cell(7, 4, "N/A"), r'"species": 1 of 150 labels are "N/A", which may mean that the row'),
        (cell(7, 4, "iris-setosa"), r"spelled in more than one way: .* set labels = \{\"iris-set"),
        (cell(0, 4, "Species "), r'no column "species", .* Did you mean "Species"\?'),
        (cell(0, 1, "sepal_length"), r'2 columns are named "sepal_length"'),
        (
            lambda cells: [*cells, ["1", "2"]],
            r"row 151 \(line 152\): 2 cells where the header",
        ),
        (lambda cells: [["\0PNG"]], r"train\.csv line 1: .*NUL"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(ffn, root, change, expected):
    source = root / "data/iris/train.csv"
    cells = change(rows(source.read_text()))
    source.write_text(table(cells) if cells else "")
    before = listing(root)
    done = ffn("retrain", "iris", *DIRECT, root)
    assert re.search(expected, done.refusal)
    assert listing(root) == before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("optimizers.adamw", "optimizers.adamax", r'unknown optimizer .*adamax.* mean "adam'),
        ("batch_size", "batchsize", r'unknown key "training\.batchsize".*mean "batch_size"\?'),
        ('learning_rate = "auto"', "learning_rate = -1", r"learning_rate. is -1.*number above 0"),
        ('learning_rate = "auto"', "learning_rate = inf", r"learning_rate. is inf.*number above"),
        (
            'learning_rate = "auto"',
            "learning_rate = 1e30",
            r"every network diverged \(sgd: .*adamw",
        ),
        ('target = "species"', 'target = "specie"', r'no column "specie".*mean "species"\?'),
        ('source = "train.csv"', 'source = "trian.csv"', r"trian\.csv does not exist\."),
        ('source = "train.csv"', 'source = ".."', r"holds no table"),
        ("[data]", "[data", r"pipeline\.toml: not valid TOML:"),
        ("epochs = 15 ", "epochs = 0 ", r"epochs. is 0; it must be greater than or equal to 1"),
    ],
)
def test_bad_settings_are_refused_in_one_line(ffn, root, old, new, expected):
    settings = root / "data/iris/pipeline.toml"
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new))
    before = listing(root)
    done = ffn("retrain", "iris", *DIRECT, root)
    assert re.search(expected, done.refusal)
    assert listing(root) == before


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("irsi", r'no file .*irsi/pipeline\.toml\. Known: iris\. Did you mean "iris"\?'),
        ("../x", r"\.\./x/pipeline\.toml: cannot be read"),
        ("..", r"\.\./pipeline\.toml: cannot be read"),
        ("", r'pipeline name "": use 1 to 64'),
        ("[red]x", r'pipeline name "\[red\]x": use'),
        ("a\nb", r'pipeline name "a\\nb": use'),
        ("a\0b", r"cannot contain NUL"),
        ("x" * 5000, r'pipeline name "x{59}…": use'),
    ],
)
def test_a_pipeline_that_is_not_there_is_refused(ffn, root, which, expected, monkeypatch):
    monkeypatch.chdir(root)
    before = listing(root.parent)
    assert re.search(expected, ffn("retrain", which, "--direct").refusal)
    assert listing(root.parent) == before


def test_a_root_that_is_no_folder_is_refused(ffn, root):
    for wrong in (root / "none", root / "data/iris/train.csv"):
        assert re.search(
            r'--root ".*" is not a folder\.', ffn("retrain", "iris", *DIRECT, wrong).refusal
        )


def test_artifacts_that_cannot_be_written_are_refused(ffn, root):
    (root / "artifacts").write_text("in the way")
    assert "artifacts" in ffn("retrain", "iris", *DIRECT, root).refusal


def test_the_root_can_come_from_the_environment(root, tmp_path, monkeypatch, ffn):
    monkeypatch.setenv("FFN_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    assert ffn("retrain", "iris", "--direct").code == 0
    assert (root / "artifacts/iris/production.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("train",),
        ("retrain",),
        ("retrain", "iris", "--runner", "spark"),
        ("retrain", "iris", "--workers", "0"),
        ("retrain", "iris", "--workers", "two"),
        ("retrain", "iris", "--workers", "٣"),
        ("retrain", "iris", "--workers", "9" * 5000),
        ("retrain", "iris", "penguins"),
        ("score", "iris", "--outptu", "x.csv"),
        ("score", "iris", "--max-reject-rate", "many"),
        ("score", "iris", "--max-reject-rate", "\u0660.\u0665"),
        ("score", "iris", "--max-reject-rate", "nan"),
        ("init", "mine", "--from", "x.csv"),
    ],
)
def test_wrong_usage_exits_2(ffn, wrong):
    done = ffn(*wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("usage: ffn")
    assert "_count" not in done.err
