"""``ffn score PIPELINE --new``, by somebody who has just put a file into the inbox."""

from __future__ import annotations

import os

DIRECT = ("--direct", "--root")


def test_a_file_that_was_just_put_there_is_scored_and_then_nothing_is_new(ffn, trained):
    settings = trained / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[inbox]\nsettle = "1s"\n')
    os.utime(trained / "data/iris/inbox/new_flowers.csv")
    done = ffn("score", "iris", "--new", *DIRECT, trained)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("iris, version 1: 12 of 12 rows scored")
    done = ffn("score", "iris", "--new", *DIRECT, trained)
    assert (done.code, done.out) == (
        0,
        "iris, version 1: nothing new in the inbox (1 scored before, 0 refused before).\n",
    )


def test_a_file_for_which_nobody_can_wait_is_named(ffn, trained):
    settings = trained / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[inbox]\nsettle = "1h"\n')
    os.utime(trained / "data/iris/inbox/new_flowers.csv")
    done = ffn("score", "iris", "--new", *DIRECT, trained)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 file was changed only a moment ago and skipped for now")
    assert "new_flowers.csv. Run again in 3,600 s." in done.out
    assert not (trained / "artifacts/iris/predictions").exists()
