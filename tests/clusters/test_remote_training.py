"""A candidate that was trained for another process is the one that this process would train."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ffn.checkpoints.candidate_files import write_candidate
from ffn.clusters.parcels import pack, unpack
from ffn.clusters.remote_training import RemoteTraining, train_for_another
from ffn.clusters.workers import RemoteTask
from ffn.errors import ClusterError, DataError, TrainingError
from ffn.settings.document import check_settings
from ffn.settings.pipeline import Pipeline
from ffn.training.candidate_training import train_candidate
from ffn.training.partition import HeldOutPart, TrainingPart
from ffn.training.selection.candidate import Candidate
from tests.helpers.near_workers import Change, NearWorkers, changed, saying
from tests.helpers.retrained import prepare, shipped


def asking(**more: dict[str, Any]) -> NearWorkers:
    """Workers that are asked with something else in these tables of the request."""

    def ask(request: bytes) -> bytes:
        asked = json.loads(request)
        for name, values in more.items():
            asked[name] |= values
        return json.dumps(asked).encode()

    return NearWorkers(ask=ask)


class Answering(NearWorkers):
    """Workers that compute nothing."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer

    def compute(self, task: RemoteTask, check: Any) -> bytes:
        self.sent.append((task.request, b""))
        return self.answer


Made = tuple[Pipeline, TrainingPart, HeldOutPart]


def make(repository: Path, name: str, folder: Path) -> Made:
    pipeline = shipped(repository, name, folder, epochs=2, networks=2)
    prepared = prepare(pipeline)
    return pipeline, prepared.training, prepared.held_out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Made:
    return make(repository, "iris", tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def answers(made: Made) -> dict[str, bytes]:
    """What a worker sends back, by optimizer."""
    pipeline, part, _ = made
    found = {}
    for optimizer in ("sgd", "adam"):
        workers = NearWorkers()
        RemoteTraining(workers, 1).train_until(part, pipeline, optimizer, None, None, nothing)
        found[optimizer] = train_for_another(*workers.sent[0])
    return found


def files(candidate: Candidate, folder: Path) -> dict[str, bytes]:
    """A candidate as bytes, but for the time that it took."""
    folder.mkdir()
    write_candidate(replace(candidate, seconds=0.0), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing() -> None:
    """Do not end the wait."""


@pytest.mark.parametrize("name", ["iris", "penguins"])
@pytest.mark.parametrize("payload_mb", [1, 0])
def test_it_is_the_same_to_the_byte_sent_or_on_a_shared_disk(
    name: str, payload_mb: int, repository: Path, tmp_path: Path
) -> None:
    pipeline, part, _ = make(repository, name, tmp_path / "made")
    workers = NearWorkers()
    remote = RemoteTraining(workers, payload_mb)
    there, _ = remote.train_until(part, pipeline, "adamw", None, None, nothing)
    here = train_candidate(part, pipeline, "adamw")
    assert not there.taken
    assert files(there, tmp_path / "there") == files(here, tmp_path / "here")
    ((_, rows),) = workers.sent
    assert (len(rows) > 1_000) == (payload_mb == 1)


@pytest.mark.parametrize("payload_mb", [1, 0], ids=["sent", "trained again"])
def test_a_race_goes_on_from_the_networks_of_the_last_stage(
    payload_mb: int, made: Made, tmp_path: Path
) -> None:
    pipeline, part, _ = made
    training = pipeline.settings.training.model_copy(update={"networks": 4})
    settings = pipeline.settings.model_copy(update={"training": training})
    pipeline = replace(pipeline, settings=settings)
    workers = NearWorkers()
    remote = RemoteTraining(workers, payload_mb)
    _, earlier = remote.train_until(part, pipeline, "adam", 2, None, nothing)
    assert earlier is not None
    assert earlier.resamples == 2
    there, nothing_more = remote.train_until(part, pipeline, "adam", None, earlier, nothing)
    assert nothing_more is None
    assert (b"stage.json" in workers.sent[1][0]) == (payload_mb == 1)
    here = train_candidate(part, pipeline, "adam")
    assert files(there, tmp_path / "there") == files(here, tmp_path / "here")


def test_what_is_sent_is_bounded_and_holds_no_held_out_row(made: Made) -> None:
    pipeline, part, held_out = made
    workers = NearWorkers()
    RemoteTraining(workers, 1).train_until(part, pipeline, "sgd", None, None, nothing)
    ((request, rows),) = workers.sent
    assert len(request) < 10_000
    assert len(rows) < 1_000_000
    assert not [name for name in unpack(rows) if name.startswith("test")]
    training = {row.tobytes() for row in part.x}
    unseen = [row.tobytes() for row in held_out.x if row.tobytes() not in training]
    assert unseen
    assert all(row in rows for row in training)
    assert not any(row in rows for row in unseen)


def test_secrets_of_the_settings_are_not_sent(made: Made) -> None:
    pipeline, part, _ = made
    notify = pipeline.settings.notify.model_copy(update={"webhook": "https://example/secret"})
    settings = pipeline.settings.model_copy(update={"notify": notify})
    workers = NearWorkers()
    RemoteTraining(workers, 1).train_until(
        part, replace(pipeline, settings=settings), "sgd", None, None, nothing
    )
    assert b"secret" not in b"".join(workers.sent[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda pieces: pack(pieces)[:-1],
        lambda pieces: pickle.dumps(pack(pieces)),
        lambda _: {"answer.json": b"[]"},
        lambda _: {"answer.json": b'{"worker": "w"}'},
        lambda pieces: {**pieces, "candidate.safetensors": b"x"},
        lambda pieces: {**pieces, "candidate.json": b"{}"},
        saying(refusal="SystemExit", text="x"),
    ],
)
def test_an_answer_that_is_no_candidate_is_refused(
    change: Change, made: Made, answers: dict[str, bytes]
) -> None:
    pipeline, part, _ = made
    workers = Answering(changed(answers["sgd"], change))
    with pytest.raises(ClusterError, match=r"^the cluster: what a worker sent back is no candidat"):
        RemoteTraining(workers, 1).train_until(part, pipeline, "sgd", None, None, nothing)


def test_another_candidate_than_the_one_that_was_asked_for_is_refused(
    made: Made, answers: dict[str, bytes]
) -> None:
    pipeline, part, _ = made
    right = RemoteTraining(Answering(answers["adam"]), 1)
    assert right.train_until(part, pipeline, "adam", None, None, nothing)[0].optimizer == "adam"
    with pytest.raises(ClusterError, match="no candidate"):
        right.train_until(part, pipeline, "sgd", None, None, nothing)


@pytest.mark.parametrize(
    ("said", "error", "text"),
    [
        ({"refusal": "TrainingError", "text": "it diverged."}, TrainingError, "^it diverged"),
        ({"refusal": "DataError", "text": "the disk is full."}, DataError, "^the disk is full"),
        (
            {"failure": "MemoryError: no room"},
            ClusterError,
            r"^the cluster: the worker on .+, process \d+ failed: MemoryError: no room\.$",
        ),
        ({"likeness": {}}, ClusterError, 'has ffn-pipeline "unknown" and this process'),
    ],
)
def test_what_a_worker_says_instead_is_raised(
    said: dict[str, object],
    error: type[Exception],
    text: str,
    made: Made,
    answers: dict[str, bytes],
) -> None:
    pipeline, part, _ = made
    workers = Answering(changed(answers["sgd"], saying(**said)))
    with pytest.raises(error, match=text):
        RemoteTraining(workers, 1).train_until(part, pipeline, "sgd", None, None, nothing)


def test_a_worker_that_is_asked_by_another_version_does_not_train(made: Made) -> None:
    pipeline, part, _ = made
    workers = asking(likeness={"python": "3.9.1"})
    with pytest.raises(ClusterError, match=r"the cluster: the worker on .+ would compute someth"):
        RemoteTraining(workers, 1).train_until(part, pipeline, "sgd", None, None, nothing)


@pytest.mark.parametrize(
    "folder", [{"path": "/nowhere/at/all"}, {"manifest": "0" * 64}], ids=["missing", "other rows"]
)
def test_a_worker_without_the_rows_names_the_folder(folder: dict[str, str], made: Made) -> None:
    pipeline, part, _ = made
    path = folder.get("path", str(part.entry.path.resolve()))
    with pytest.raises(
        ClusterError, match=f"does not have the folder {path}, and the rows to trai"
    ):
        RemoteTraining(asking(folder=folder), 0).train_until(
            part, pipeline, "sgd", None, None, nothing
        )


def test_a_broken_request_is_answered() -> None:
    said = json.loads(unpack(train_for_another(b"{", b""))["answer.json"])
    assert said["failure"].startswith("JSONDecodeError: ")


def test_settings_that_were_sent_are_the_settings(made: Made) -> None:
    pipeline, part, _ = made
    document = {
        "data": {
            "source": "t.csv",
            "target": "y",
            "exclude": ["a", ""],
            "kinds": {"x": "categorical", "n": "numeric"},
            "formats": {"n": "1.234,5"},
            "labels": {"yes": "ja"},
            "weight": "w",
        },
        "split": {"time": "when", "embargo": "2d", "group": "who", "ignore": ["x"]},
        "features": {"numbers": "piecewise", "bins": 4, "most_categories": 3},
        "network": {"hidden_layers": [8, 2], "student_layers": [3]},
        "training": {"time_budget": "1h", "ensemble": "distilled", "members": 2, "dropout": 0.1},
        "optimizers": {"adam": {"learning_rate": [0.001, 0.01]}, "sgd": {"learning_rate": "auto"}},
        "decision": {"costs": {"a": {"b": 2}}, "abstain_below": 0.25},
        "gate": {"min_recalls": {"a": 0.5}},
    }
    settings = check_settings(document, "t")
    seen = Answering(b"")
    with pytest.raises(ClusterError, match="no candidate"):
        RemoteTraining(seen, 1).train_until(
            part, replace(pipeline, settings=settings), "adam", None, None, nothing
        )
    sent = json.loads(seen.sent[0][0])["settings"]
    assert check_settings(sent, "sent") == settings
