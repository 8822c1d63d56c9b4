"""The same work on the same input is done once."""

import dataclasses
import json
import os

import pytest

from ffn.scoring.score_file import score_csv
from tests.helpers.scorers import TenthsScorer

CONTENT = b"id,size,colour\n1,7,red\n2,x,red\n3,2,\n"


@pytest.fixture
def scored(tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(CONTENT)
    return source, score_csv(TenthsScorer(), source, tmp_path / "out.csv")


def stamps(result):
    return [path.stat().st_mtime_ns for path in (result.output, result.rejects, result.manifest)]


def test_nothing_is_done_and_the_same_is_told(scored, tmp_path):
    source, first = scored
    before = stamps(first)
    # What counts is the content, not the name or the time.
    copy = tmp_path / "copy.csv"
    copy.write_bytes(CONTENT)
    os.utime(source)
    for again in (source, copy):
        second = score_csv(TenthsScorer(), again, first.output)
        assert second.unchanged
        told = dataclasses.replace(second, unchanged=False, seconds=first.seconds)
        assert dataclasses.replace(told, blocks=first.blocks) == first
    assert stamps(first) == before


def test_force_does_it_all_the_same(scored):
    source, first = scored
    before = stamps(first)
    assert not score_csv(TenthsScorer(), source, first.output, force=True).unchanged
    assert all(now > then for now, then in zip(stamps(first), before, strict=True))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (dataclasses.replace(TenthsScorer(), version=8), {}),
        (dataclasses.replace(TenthsScorer(), sha256="cd" * 32), {}),
        (TenthsScorer(), {"probabilities": True}),
        (TenthsScorer(), {"max_reject_rate": 0.5}),
    ],
)
def test_other_work_is_done(scored, model, options):
    source, first = scored
    assert not score_csv(model, source, first.output, **options).unchanged


@pytest.mark.parametrize("key", ["classes", "rejects", "mean_confidence", "drift", "files"])
def test_a_manifest_that_does_not_tell_all_is_made_again(scored, key):
    source, first = scored
    told = json.loads(first.manifest.read_bytes())
    del told[key]
    first.manifest.write_text(json.dumps(told))
    assert not score_csv(TenthsScorer(), source, first.output).unchanged
    assert key in json.loads(first.manifest.read_bytes())


@pytest.mark.parametrize("changed", ["input", "output", "rejects", "manifest", "no output"])
def test_files_that_are_not_those_of_the_manifest_are_made_again(scored, changed):
    source, first = scored
    good = first.output.read_bytes()
    if changed == "no output":
        first.output.unlink()
    elif changed == "manifest":
        first.manifest.write_bytes(b"{}")
    else:
        path = {"input": source, "output": first.output, "rejects": first.rejects}[changed]
        content = path.read_bytes()
        path.write_bytes(content.replace(b"3", b"4", 1))
        assert len(path.read_bytes()) == len(content)
    assert not score_csv(TenthsScorer(), source, first.output).unchanged
    assert (first.output.read_bytes() == good) == (changed != "input")
    assert score_csv(TenthsScorer(), source, first.output).unchanged
