"""A column of texts that carries all the signal, from ``ffn init`` on Parquet to scored tables."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ffn
from ffn.bundles.bundle import read_bundle, write_bundle
from ffn.errors import BundleError, DataError
from tests.helpers.command_line import run_here

GOOD = ["excellent", "friendly", "quickly", "delicious", "recommended"]
BAD = ["broken", "rude", "delayed", "cold", "refund"]
OTHERS = ["the", "order", "service", "was", "really", "again", "delivery", "table", "with", "we"]
FASTER = {
    "epochs": "60",
    "networks": "2",
    "hidden_layers": "[8]",
    "student_layers": "[8]",
    "text_components": "20",
}


def comments(n: int, seed: int) -> pd.DataFrame:
    """Comments that are good or bad by their words; a number and a category that say nothing."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        good = draw.random() < 0.5
        words = draw.choices(OTHERS, k=5) + draw.choices(GOOD if good else BAD, k=3)
        draw.shuffle(words)
        text = " ".join(words).capitalize() + draw.choice(["", ".", "!"])
        rows.append((draw.randint(1, 9), text, draw.choice("xyz"), "yes" if good else "no"))
    return pd.DataFrame(rows, columns=["size", "comment", "shop", "again"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that was made of a Parquet file, and retrained."""
    root = tmp_path_factory.mktemp("texts")
    table = comments(400, 1)
    # Missing in some rows, of which half are of either class.
    table.loc[table.index[::40], "comment"] = None
    table.to_parquet(root / "comments.parquet")
    told = ("init", "shop", "--from", root / "comments.parquet", "--target", "again")
    assert run_here((*told, "--root", root)) == 0
    settings = root / "data/shop/pipeline.toml"
    text = settings.read_text()
    for key, value in FASTER.items():
        text, found = re.subn(rf"(?m)^{key} = \S.*?(?=\s+#)", f"{key} = {value}", text)
        assert found == 1, key
    settings.write_text(text)
    assert run_here(("retrain", "shop", "--direct", "--json", "--root", root)) == 0
    return root


@pytest.fixture(scope="module")
def model(root: Path) -> ffn.Model:
    return ffn.load(root / "artifacts/shop")


def version(root: Path) -> Path:
    return root / "artifacts/shop/models/0001"


def scored(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [[row["predicted_again"], row["confidence"]] for row in csv.DictReader(file)]


def test_init_declares_the_column_and_says_why(root: Path) -> None:
    text = (root / "data/shop/pipeline.toml").read_text()
    assert re.search(
        r'(?m)^"comment" = "text" +# 390 different texts, mostly of 8 words or more$', text
    )
    assert re.search(r"(?m)^exclude = \[\] ", text)


def test_the_signal_is_found_and_the_column_is_named(root: Path) -> None:
    metrics = json.loads((version(root) / "metrics.json").read_bytes())
    assert metrics["test"]["accuracy"]["value"] > 0.9
    features = metrics["examination"]["importance"]["features"]
    assert next(one["name"] for one in features) == "comment"
    card = (version(root) / "model_card.md").read_text()
    assert re.search(r"(?m)^\| comment +\| text +\| texts +\| yes", card)
    report = (root / "artifacts/shop/reports/0001/report.html").read_text()
    assert "comment" in report


def test_every_container_is_scored_alike(root: Path, model: ffn.Model, tmp_path: Path) -> None:
    table = comments(150, 2)
    table.loc[::30, "comment"] = None
    table.loc[1, "comment"] = 'two\r\nlines, "quoted" and excellent'
    rows = table.drop(columns="again")
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        target = tmp_path / f"{name}.out.csv"
        told = ("score", "shop", tmp_path / name, "--direct", "--output", target)
        assert run_here((*told, "--root", root)) == 0
    expected = scored(tmp_path / "t.csv.out.csv")
    assert len(expected) == len(rows)
    assert scored(tmp_path / "t.parquet.out.csv") == expected
    hits = [label == again for (label, _), again in zip(expected, table["again"], strict=True)]
    assert np.mean(hits) > 0.85
    labels = [label for label, _ in expected]
    arrow = pa.Table.from_pandas(rows)
    for frame in (rows, pl.from_pandas(rows), arrow, rows.astype({"comment": "category"})):
        assert model.predict(frame).tolist() == labels
    shares = model.predict_proba(rows)
    assert [f"{share.max():.4f}" for share in shares] == [share for _, share in expected]
    batch = model.predict_batch(arrow.to_batches()[0])
    assert batch.column("predicted_again").to_pylist() == labels
    # A row alone has the answer that it has among others.
    alone = np.concatenate([model.predict_proba(rows.iloc[[i]]) for i in range(20)])
    np.testing.assert_allclose(alone, shares[:20], atol=1e-12)


def test_parts_and_processes_have_no_effect(model: ffn.Model, tmp_path: Path) -> None:
    table = pd.concat([comments(400, 3).drop(columns="again")] * 40)
    table.to_csv(tmp_path / "t.csv", index=False)
    for workers in (1, 2):
        model.score_csv(tmp_path / "t.csv", tmp_path / f"{workers}.csv", workers=workers)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    told = [json.loads((tmp_path / f"{n}.csv.manifest.json").read_text())["drift"] for n in (1, 2)]
    assert told[0] == told[1]


HOSTILE = {
    "empty": "",
    "spaces": " \t ",
    "no-break space": "\u00a0\u3000",
    "long": "excellent friendly " + "x" * 100_000,
    "combining": "e\u0301" * 500 + " excellent",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u200fexcellent \u202efriendly",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600" * 50,
    "expanding": "\ufdfa" * 2_000,
    "formula": '=HYPERLINK("http://x.example")',
    "control": "\x01\x02\x7f\x85",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_cells_have_an_answer_and_the_same_one(
    model: ffn.Model, tmp_path: Path, kind: str
) -> None:
    rows = pd.DataFrame({"size": [3, 4], "comment": [HOSTILE[kind], "excellent"], "shop": "x"})
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.to_parquet(tmp_path / "t.parquet")
    found = []
    for name in ("t.csv", "t.parquet"):
        model.score_csv(tmp_path / name, tmp_path / "out.csv")
        found.append(scored(tmp_path / "out.csv"))
    shares = model.predict_proba(rows)
    assert np.isfinite(shares).all()
    assert found[0] == found[1]
    assert [share for _, share in found[0]] == [f"{share.max():.4f}" for share in shares]


def test_a_nul_is_refused_everywhere(model: ffn.Model, tmp_path: Path) -> None:
    rows = pd.DataFrame({"size": [3, 4], "comment": ["an excellent\0one", "good"], "shop": "x"})
    with pytest.raises(DataError, match=r'^row 1, column "comment": .*NUL'):
        model.predict(rows)
    rows.to_parquet(tmp_path / "t.parquet")
    result = model.score_csv(tmp_path / "t.parquet", tmp_path / "out.csv", max_reject_rate=0.5)
    assert result.reject_reasons == {"nul_byte": 1}
    batch = model.predict_batch(pa.Table.from_pandas(rows))
    assert batch.column("reject_reason").to_pylist() == ["nul_byte", None]


def test_typed_cells_are_the_texts_of_the_same_csv(model: ffn.Model) -> None:
    shared = {"size": [3, 4], "shop": ["x", "y"]}
    typed = pd.DataFrame(shared | {"comment": [20, 31]})
    texts = pd.DataFrame(shared | {"comment": ["20", "31"]})
    in_bytes = pd.DataFrame(shared | {"comment": [b"20", b"31"]})
    for frame in (typed, in_bytes):
        assert model.predict_proba(frame).tobytes() == model.predict_proba(texts).tobytes()
    for cell in ("a lone \udcff surrogate", b"\xff"):
        frame = pd.DataFrame(shared | {"comment": pd.Series([cell, "x"], dtype=object)})
        with pytest.raises(DataError, match=r'^the rows, column "comment": cells of the type'):
            model.predict(frame)
    with pytest.raises(DataError, match=r'column "comment"'):
        model.predict(pd.DataFrame(shared | {"comment": [[1], [2]]}))
    with pytest.raises(DataError, match=r'no column "comment"'):
        model.predict(pd.DataFrame(shared))


def test_the_bundle_is_read_as_it_was_written_and_refused_if_damaged(
    root: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(version(root) / "bundle")
    assert write_bundle(bundle, tmp_path / "same") == bundle.sha256
    # Drift is compared with held-out texts: a fifth of 400 rows.
    assert bundle.reference is not None
    assert [own.rows for own in bundle.reference.texts] == [80] * 4
    assert bundle.preparation.texts is not None
    vars(bundle.preparation.texts)["text_scales"] = -bundle.preparation.texts.text_scales
    write_bundle(bundle, tmp_path / "damaged")
    with pytest.raises(BundleError, match="not positive"):
        read_bundle(tmp_path / "damaged")


def test_the_same_seed_gives_the_same_bytes(root: Path) -> None:
    before = (version(root) / "bundle/manifest.json").read_bytes()
    assert run_here(("retrain", "shop", "--direct", "--json", "--force", "--root", root)) in (0, 1)
    after = root / "artifacts/shop/models/0002/bundle/manifest.json"
    assert after.read_bytes() == before


def test_a_grown_table_is_compared_on_rows_that_neither_model_knows(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_parquet(root / "data/shop/train.parquet")
    pd.concat([table, comments(100, 5)]).to_parquet(root / "data/shop/train.parquet")
    assert run_here(("retrain", "shop", "--direct", "--json", "--root", root)) in (0, 1)
    verdict = json.loads(capsys.readouterr().out)["verdict"]
    assert verdict["rows"]["fit"] > 0
    assert verdict["canary"] == {"rows": 6, "problem": ""}


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A pipeline of texts alone, none of which is missing."""
    comments(150, 4)[["comment", "again"]].to_csv(tmp_path / "t.csv", index=False)
    folder = tmp_path / "data/strict"
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(
        '[data]\nsource = "../../t.csv"\ntarget = "again"\n[data.kinds]\ncomment = "text"\n'
        "[network]\nhidden_layers = [4]\n[training]\nepochs = 5\nnetworks = 2\n[optimizers.adam]\n"
    )
    return tmp_path


def test_a_missing_text_is_rejected_if_training_had_none(strict: Path) -> None:
    assert run_here(("retrain", "strict", "--direct", "--json", "--root", strict)) == 0
    model = ffn.load(strict / "artifacts/strict")
    (strict / "new.csv").write_text('comment\n""\nNA\n excellent friendly order \n\u00a0\n')
    result = model.score_csv(strict / "new.csv", strict / "out.csv", max_reject_rate=0.5)
    # A no-break space is a text without letters, and no missing cell, as in other columns.
    assert (result.scored, result.reject_reasons) == (2, {"missing_value": 2})
    with pytest.raises(DataError, match=r'^row 2, column "comment": no value'):
        model.predict(pd.DataFrame({"comment": ["fine", None]}))
