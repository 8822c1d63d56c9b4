"""One model in memory, used by many threads at once: every answer is that of one alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import ffn as product

THREADS, ROUNDS = 8, 5


def test_threads_that_share_a_model_get_what_each_would_get_alone(trained, tmp_path):
    model = product.load(trained / "artifacts/iris")
    frame = pd.read_csv(trained / "data/iris/train.csv")
    parts = [frame.iloc[start::THREADS] for start in range(THREADS)]
    for n, part in enumerate(parts):
        part.to_csv(tmp_path / f"{n}.csv", index=False)

    def work(n, where):
        labels = [model.predict(parts[n]) for _ in range(ROUNDS)]
        shares = [model.predict_proba(parts[n]) for _ in range(ROUNDS)]
        result = model.score_csv(tmp_path / f"{n}.csv", tmp_path / where / f"{n}.csv")
        return labels, shares, result.output.read_bytes(), result.class_counts

    alone = [work(n, "alone") for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(work, range(THREADS), ["together"] * THREADS))
    for ours, theirs in zip(together, alone, strict=True):
        for found, expected in zip(ours[0] + ours[1], theirs[0] + theirs[1], strict=True):
            np.testing.assert_array_equal(found, expected)
        assert ours[2:] == theirs[2:]
    assert len({output for *_, output, _ in alone}) == THREADS


def test_the_frame_the_csv_and_the_parquet_file_of_one_table_have_one_answer(
    ffn, trained, tmp_path
):
    frame = pd.read_csv(trained / "data/iris/train.csv")
    frame.to_csv(tmp_path / "one.csv", index=False)
    frame.to_parquet(tmp_path / "two.parquet")
    out = tmp_path / "out"
    done = ffn("score", "iris", tmp_path, "--output", f"{out}/", "--direct", "--root", trained)
    assert (done.code, done.err) == (0, "")
    by_csv = pd.read_csv(out / "one.csv")
    by_parquet = pq.read_table(out / "two.parquet").to_pandas()
    pd.testing.assert_frame_equal(by_csv, by_parquet[by_csv.columns], check_dtype=False)
    labels = product.load(trained / "artifacts/iris").predict(frame)
    assert by_parquet["predicted_species"].tolist() == labels.tolist()
    pd.testing.assert_frame_equal(by_parquet[frame.columns], frame, check_dtype=False)
