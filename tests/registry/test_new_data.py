"""New training data is found by content, and taken up once."""

from __future__ import annotations

import hashlib
import os

import pytest

from ffn.registry import new_data
from ffn.registry.new_data import new_training_data, take_up
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline


@pytest.fixture
def pipeline(tmp_path):
    settings = check_settings({"data": {"source": "t.csv", "target": "y"}}, "t")
    (tmp_path / "t.csv").write_text("x,y\n1,a\n")
    return Pipeline(name="p", settings=settings, folder=tmp_path, artifacts=tmp_path / "artifacts")


def test_each_content_is_new_until_it_is_taken_up(pipeline):
    data = new_training_data(pipeline)
    assert data.sha256 == hashlib.sha256(b"x,y\n1,a\n").hexdigest()
    assert new_training_data(pipeline) == data
    take_up(pipeline, data)
    assert new_training_data(pipeline) is None
    pipeline.source.write_text("x,y\n2,a\n")
    assert new_training_data(pipeline).sha256 == hashlib.sha256(b"x,y\n2,a\n").hexdigest()


def test_touched_is_not_changed_and_untouched_is_not_read(pipeline, monkeypatch):
    take_up(pipeline, new_training_data(pipeline))
    os.utime(pipeline.source, (1_000_000_000, 1_000_000_000))
    assert new_training_data(pipeline) is None

    def refuse(file):
        raise AssertionError(f"{file} is read")

    monkeypatch.setattr(new_data, "digest_of", refuse)
    assert new_training_data(pipeline) is None


def test_a_change_between_the_look_and_the_taking_up_is_not_lost(pipeline):
    data = new_training_data(pipeline)
    pipeline.source.write_text("x,y\n3,a\n4,b\n")
    take_up(pipeline, data)
    assert new_training_data(pipeline).sha256 != data.sha256


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"stamp": 3, "sha256": []}'])
def test_a_damaged_note_only_costs_a_look(pipeline, damage):
    take_up(pipeline, new_training_data(pipeline))
    (pipeline.artifacts / ".training-data.json").write_text(damage)
    assert new_training_data(pipeline) is not None


def test_where_there_is_no_file_there_is_nothing_new(pipeline):
    pipeline.source.unlink()
    assert new_training_data(pipeline) is None
