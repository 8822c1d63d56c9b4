"""What a training publishes, to whom, and that its result is the same."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ffn.nn import SGD, History, Network, spawn_generators
from ffn.settings.optimizer_settings import OptimizerSearch
from ffn.training import fit
from ffn.training.network_groups import Sight
from ffn.watching.live_view import LiveView
from ffn.watching.publication import Publication, forget_snapshots, is_watched, watching
from ffn.watching.snapshots import (
    MOST_POINTS,
    WATCH_FOLDER,
    Curve,
    Snapshot,
    read_snapshots,
    snapshot_path,
)
from tests.helpers.command_line import REPOSITORY
from tests.helpers.retrained import prepare, shipped

NAN = float("nan")


@pytest.fixture
def iris(repository, tmp_path):
    return shipped(repository, "iris", tmp_path, epochs=9, networks=4)


def train(pipeline, part, rates, observe=None):
    search = OptimizerSearch(SGD(), tuple(rates))
    return fit.train_stack(part, pipeline, search, rates, branch=2, epochs=9, observe=observe)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_published_is_the_first_network_at_the_best_rate(
    iris, monkeypatch, threads: int
) -> None:
    part = prepare(iris).training
    monkeypatch.setattr(fit, "training_threads", lambda *_: threads)
    published = Publication(iris.artifacts, "sgd", part.entry.path.name)
    with watching(iris.artifacts):
        network, history = train(iris, part, [1e-5, 0.1], published)
        (found,) = read_snapshots(iris.artifacts)
    # Four networks at each rate: the first at 0.1 is number four.
    assert history.train_loss[-1, 4] < history.train_loss[-1, 0]
    assert (found.label, found.rate, found.epoch, found.epochs) == ("sgd", 0.1, 9, 9)
    assert found.part == part.entry.path.name
    assert_array_equal(found.network.parameters, network.parameters[4:5])
    for rate, place in ((1e-5, 0), (0.1, 4)):
        assert_array_equal(found.curves[rate].epochs, np.arange(1, 10))
        assert_array_equal(found.curves[rate].train, history.train_loss[:, place])
        assert np.isnan(found.curves[rate].validation).all()


def test_without_a_watcher_nothing_is_written(iris) -> None:
    part = prepare(iris).training
    train(iris, part, [0.1], Publication(iris.artifacts, "sgd", part.entry.path.name))
    assert not (iris.artifacts / WATCH_FOLDER).exists()
    with watching(iris.artifacts):
        assert is_watched(iris.artifacts)
    train(iris, part, [0.1], Publication(iris.artifacts, "sgd", part.entry.path.name))
    assert read_snapshots(iris.artifacts) == []


def test_a_watcher_that_was_killed_watches_no_more(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from ffn.watching.publication import watching\n"
        "with watching(pathlib.Path(sys.argv[1])):\n"
        "    print('watching', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_watched(tmp_path)
        process.kill()
        process.wait()
    assert not is_watched(tmp_path)


def sight(epoch: int, losses: list[float], rates: list[float], **more: object) -> Sight:
    """Networks of these rates whose validation loss is the same after each epoch."""
    k = len(rates)
    history = History.empty(8, k)
    history.train_loss[:epoch] = 9.0
    history.validation_loss[:epoch] = losses
    network = Network.create((2, 3, 2), spawn_generators(0, k))
    network.parameters[:, 0] = np.arange(k)
    defaults = {"stage": 0, "first": 0, "members": range(k), "epochs": 8}
    return Sight(epoch=epoch, rates=rates, network=network, history=history, **{**defaults, **more})


def ticking():
    """A clock that a publication reads twice, at its beginning and end, ten seconds apart each."""
    reads = itertools.count()
    return lambda: 10.0 * (next(reads) // 2)


def published(artifacts: Path) -> Snapshot:
    (found,) = read_snapshots(artifacts)
    return found


def test_it_is_published_four_times_a_second_and_after_the_last_epoch(tmp_path: Path) -> None:
    now = [100.0]
    publication = Publication(tmp_path, "sgd", "part", clock=lambda: now[0])
    with watching(tmp_path):
        publication(sight(1, [1.0], [0.1]))
        assert published(tmp_path).epoch == 1
        now[0] += 0.2
        publication(sight(2, [1.0], [0.1]))
        assert published(tmp_path).epoch == 1
        now[0] += 0.1
        publication(sight(3, [1.0], [0.1]))
        assert published(tmp_path).epoch == 3
        publication(sight(8, [1.0], [0.1]))
        assert published(tmp_path).epoch == 8


def test_what_takes_long_to_write_is_written_rarely(tmp_path: Path) -> None:
    times = iter([0.0, 2.0, 50.0, 99.0, 101.0, 101.0])
    publication = Publication(tmp_path, "sgd", "part", clock=lambda: next(times))
    with watching(tmp_path):
        publication(sight(1, [1.0], [0.1]))  # takes two seconds
        for epoch in (2, 3):  # 50 and 99 seconds later: more than a fiftieth of the time
            publication(sight(epoch, [1.0], [0.1]))
            assert published(tmp_path).epoch == 1
        publication(sight(4, [1.0], [0.1]))
        assert published(tmp_path).epoch == 4


def test_the_later_stage_of_a_race_is_shown_wherever_it_lies(tmp_path: Path) -> None:
    publication = Publication(tmp_path, "sgd", "part", clock=ticking())
    with watching(tmp_path):
        publication(sight(8, [0.9, 0.9, 0.5, 0.5], [0.1, 0.1, 0.3, 0.3]))
        found = published(tmp_path)
        assert (found.rate, found.network.parameters[0, 0]) == (0.3, 2)
        publication(sight(1, [0.9] * 4 + [0.7], [0.2] * 4 + [0.3], stage=2))
        found = published(tmp_path)
        assert (found.rate, found.epoch, found.network.parameters[0, 0]) == (0.3, 1, 4)
        assert list(found.curves) == [0.1, 0.2, 0.3]
        # Another group has a later network of the same rate.
        publication(sight(2, [0.1], [0.3], stage=2, first=5))
        assert published(tmp_path).network.parameters[0, 0] == 4
        assert published(tmp_path).curves[0.3].validation.tolist() == [0.7]


def test_a_network_that_stopped_stays_as_it_was_seen_last(tmp_path: Path) -> None:
    publication = Publication(tmp_path, "sgd", "part", clock=ticking())
    with watching(tmp_path):
        publication(sight(2, [0.5, 0.9], [0.1, 0.3]))
        later = sight(4, [0.5, 0.9], [0.1, 0.3], members=[1])
        publication(later)
    found = published(tmp_path)
    assert (found.rate, found.epoch, found.network.parameters[0, 0]) == (0.1, 2, 0)


def test_a_rate_that_diverged_is_not_the_best(tmp_path: Path) -> None:
    publication = Publication(tmp_path, "sgd", "part")
    seen = sight(2, [0.5, 0.1], [0.1, 9.0])
    seen.history.diverged[1] = "loss not finite after epoch 2"
    with watching(tmp_path):
        publication(seen)
    assert published(tmp_path).rate == 0.1


def test_a_disk_that_takes_nothing_does_not_end_a_training(tmp_path: Path) -> None:
    publication = Publication(tmp_path, "sgd", "part")
    with watching(tmp_path):
        snapshot_path(tmp_path, "sgd").mkdir()
        publication(sight(2, [0.5], [0.1]))
        assert sorted(path.name for path in (tmp_path / WATCH_FOLDER).iterdir()) == [
            "sgd.safetensors",
            "watched",
        ]


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    losses = np.linspace(1, 0, 10_001)
    curve = Curve.thinned(losses, losses)
    assert len(curve.epochs) == MOST_POINTS
    assert (curve.epochs[0], curve.epochs[-1]) == (1, 10_001)
    assert_array_equal(curve.train, losses[curve.epochs - 1])
    assert (np.diff(curve.epochs) > 0).all()


def test_who_comes_first_removes_what_is_old(tmp_path: Path) -> None:
    publication = Publication(tmp_path, "sgd", "part")
    with watching(tmp_path):
        publication(sight(2, [0.5], [0.1]))
        with watching(tmp_path):
            assert published(tmp_path).epoch == 2
    with watching(tmp_path):
        assert read_snapshots(tmp_path) == []
    forget_snapshots(tmp_path / "nowhere")


def content(tmp_path: Path) -> bytes:
    with watching(tmp_path):
        Publication(tmp_path, "sgd", "part")(sight(2, [0.5], [0.1]))
        return snapshot_path(tmp_path, "sgd").read_bytes()


def test_what_is_no_snapshot_is_left_out(tmp_path: Path) -> None:
    good = content(tmp_path)
    assert Snapshot.from_bytes(good).to_bytes() == good
    for bad in (
        b"",
        good[:-1],
        good.replace(b'"part": "part"', b'"part": "../x"'),
        good.replace(b'"part": "part"', b'"part": ".abc"'),
        good.replace(b'"rate": 0.1,', b'"rate": 0.2,'),
        good.replace(b"parameters", b"paramete_s"),
    ):
        assert bad != good
        with pytest.raises(ValueError, match="not a snapshot of a training"):
            Snapshot.from_bytes(bad)
        snapshot_path(tmp_path, "sgd").write_bytes(bad)
        assert read_snapshots(tmp_path) == []


def test_a_view_of_it_has_map_gradients_and_rows(iris) -> None:
    part = prepare(iris).training
    live = LiveView(iris.artifacts)
    assert live.read("nothing yet") is None
    with watching(iris.artifacts):
        for label, rate in (("adam", 0.001), ("sgd", 0.1)):
            observe = Publication(iris.artifacts, label, part.entry.path.name)
            train(iris, part, [rate], observe)
        view = live.read("iris")
        assert view is not None
        # Of the two the one with the lower loss is shown, until there is a refit.
        assert [one.label for one in view.trainings] == ["adam", "sgd"]
        assert view.trainings[1].judged < view.trainings[0].judged
        assert (view.shown, view.title, view.classes) == ("sgd", "iris", part.schema.classes)
        assert view.map is not None
        assert set(np.unique(view.map.rows)) == {-1, 0, 1, 2}
        assert [layer.units for layer in view.trainings[0].layers] == [16, 4, 0]
        assert view.notes[-1] == "gradients and dead units: on 120 training rows"
        train(iris, part, [0.001], Publication(iris.artifacts, "refit", part.entry.path.name))
        view = live.read("iris")
        assert view is not None
        assert view.shown == "refit"


def test_without_rows_there_are_the_curves(iris) -> None:
    part = prepare(iris).training
    with watching(iris.artifacts):
        train(iris, part, [0.1], Publication(iris.artifacts, "sgd", "gone"))
        view = LiveView(iris.artifacts).read("iris")
    assert view is not None
    assert (view.map, view.trainings[0].layers) == (None, ())
    assert view.notes == ["the rows of this training cannot be read, so there is no map"]
