"""Workers of a cluster write the bytes that one process writes, wherever the cuts fall."""

from __future__ import annotations

import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffn.cluster_scoring.cluster_scoring import ClusterScoring, cluster_scoring, seen_range_length
from ffn.clusters.parcels import pack, unpack
from ffn.errors import ClusterError, DataError, SettingsError
from ffn.scoring.score_file import score_csv
from ffn.settings.service_settings import RunnerSettings
from tests.cluster_scoring.near import SEES, Near
from tests.helpers.explainable import explainable
from tests.helpers.near_workers import saying
from tests.helpers.scorers import TenthsScorer

MODEL = explainable()
HEADER = "id,n0,c0,n1,c1\n"
PLAIN = "{:06d},{},p,2.5,q"
LINES = {
    "plain": {7: "x,y,p,1,q", 11: ",,,,", 13: "9,4,unseen,1,r"},
    "line ends in quotes": {3: '"a\nb\n1,2,p,1,q\n",7.5,p,1,q', 7: "x,y,p,1,q"},
    "nothing but line ends in quotes": dict.fromkeys(range(97), '"\n1,2,\n3,4,p\n",7,p,1,q'),
    "records longer than what is sent": {3: f'"{"x" * 90_000}",7.5,p,1,q'},
    "broken quotes": {3: 'a"b,7.5,p,1,q', 7: '"a"b,1,p,1,q', 11: '1,2,"p",1,q'},
    "stray line ends": {3: "1,2,p,1,q\r4,5,q,1,q", 7: "1,2,p,1,q\r"},
}


def write_rows(path: Path, odd: dict[int, str], *, rows: int = 16_000, end: str = "") -> Path:
    lines = [odd.get(n % 970, PLAIN.format(n, n % 101 / 10)) for n in range(rows)]
    path.write_text(HEADER + "\n".join(lines) + "\n" + end, newline="", encoding="utf-8")
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def score_near(
    source: Path, output: Path, near: Near, *, size: int = 20_000, **options: Any
) -> Any:
    there = partial(near.scoring().score_ranges, least_bytes=0, range_bytes=(size, size))
    return score_csv(MODEL, source, output, elsewhere=there, **options)


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "slots", "length"),
    [
        # 100 MiB for each of twenty ranges, but 32 are the most.
        (2000 * MIB, 2, 32 * MIB),
        # 20 MiB for each of twenty ranges.
        (400 * MIB, 2, 20 * MIB),
        (40 * MIB, 2, 8 * MIB),
        # No worker is there at the moment.
        (160 * MIB, 0, 16 * MIB),
    ],
)
def test_ranges_are_as_long_as_all_workers_have_some(size: int, slots: int, length: int) -> None:
    assert seen_range_length(size, slots) == length


@pytest.mark.parametrize("sees", SEES)
def test_ranges_grow_once_nothing_crosses(tmp_path: Path, sees: str) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    near = Near(**SEES[sees])
    there = partial(near.scoring().score_ranges, least_bytes=0, range_bytes=(5_000, 12_000))
    score_csv(MODEL, source, tmp_path / "out.csv", elsewhere=there)
    asked = [json.loads(unpack(request)["asked.json"]) for request in near.requests]
    lengths = [end - at for at, end in sorted({(one["begin"], one["until"]) for one in asked})]
    assert lengths[0] == 5_000
    # The last one ends with the file.
    assert set(lengths[:-1]) == ({5_000, 12_000} if sees == "all" else {5_000})


@pytest.mark.parametrize("sees", SEES)
@pytest.mark.parametrize(
    ("shape", "end"),
    [*((shape, "") for shape in LINES), ("line ends in quotes", '1,2,"p\n' * 9)],
)
def test_the_same_bytes(tmp_path: Path, shape: str, end: str, sees: str) -> None:
    source = write_rows(tmp_path / "in.csv", LINES[shape], end=end)
    score_csv(MODEL, source, tmp_path / "here/out.csv", probabilities=True)
    near = Near(**SEES[sees])
    result = score_near(source, tmp_path / "there/out.csv", near, probabilities=True)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert result.rows > 1_000
    sent = [request for request in near.requests if "text" in unpack(request)]
    assert len(near.requests) > 10
    assert bool(sent) == near.far


RECORDS = st.sampled_from(
    [
        "1,7,p,1,q",
        "2,x,p,1,q",
        '"a\nb",3,r,1,q',
        '"a""b\n1,2,p,1,q",3,r,1,q',
        "",
        "5,2",
        'p"q,1,p,1,q',
        '"never closed,1,p,1,q',
        "6,4,unseen,1,q",
        "é,1,p,1,q",
    ]
)


@settings(max_examples=25)
@given(
    records=st.lists(RECORDS, min_size=1, max_size=60),
    size=st.integers(20, 300),
    sees=st.sampled_from(list(SEES)),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.sampled_from(["", "\ufeff"]),
)
def test_any_file_gives_the_same_bytes_or_the_same_refusal(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[str],
    size: int,
    sees: str,
    line_end: str,
    bom: str,
) -> None:
    folder = tmp_path_factory.mktemp("ranges")
    text = bom + HEADER + "\n".join(records)
    (folder / "in.csv").write_bytes(text.replace("\n", line_end).encode())
    told = []
    for name in ("here", "there"):
        score: Any = partial(score_csv, MODEL)
        if name == "there":
            score = partial(score_near, near=Near(**SEES[sees]), size=size)
        try:
            score(folder / "in.csv", folder / name / "out.csv")
            told.append("")
        except DataError as error:
            told.append(str(error).replace(str(folder / name), ""))
    assert told[0] == told[1]
    assert files(folder / "there") == files(folder / "here")


def test_what_is_sent_is_bounded_and_the_model_goes_once(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", {}, rows=30_000)
    near = Near(far=True)
    score_near(source, tmp_path / "out.csv", near, size=50_000)
    ((_, model),) = near.shared.items()
    assert len(model) < 20_000
    assert b"fingerprints" in model
    assert near.requests[1:]
    # The range, the record behind it, the header, and what is asked.
    assert max(map(len, near.requests)) < 50_000 + 64 * 1024 + 17 * 1024 + 4_000


def test_reasons_and_options_cross(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", LINES["plain"])
    source.write_text(source.read_text().replace(",", ";").replace(".", ","))
    options = {
        "explain": 2,
        "delimiter": ";",
        "decimal": ",",
        "only_id": "id",
        "escape_formulas": True,
        "on_unknown": "reject",
    }
    score_csv(MODEL, source, tmp_path / "here/out.csv", **options)
    score_near(source, tmp_path / "there/out.csv", Near(far=True), **options)
    assert files(tmp_path / "there") == files(tmp_path / "here")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda pieces: pack(pieces)[:-1],
        lambda pieces: pickle.dumps(pieces),
        lambda _: {"answer.json": b"[]"},
        lambda pieces: {name: pieces[name] for name in ("answer.json", "output")},
        lambda pieces: {**pieces, "rejects": b"[1, 2]\n"},
        saying(part=lambda part: {**part, "tally": {}}),
        saying(part=lambda part: {**part, "begin": "0"}),
        saying(part=lambda part: {**part, "end": 10**12}),
        saying(part=lambda part: {**part, "place": [1, 1, 0, False]}),
        saying(part=lambda part: {**part, "place": [part["place"][0], 2**62, *part["place"][2:]]}),
        saying(part=lambda part: {**part, "tally": {**part["tally"], "confidence_units": -1}}),
        saying(part=lambda part: {**part, "tally": {**part["tally"], "per_class": 1.5}}),
        saying(part=lambda part: {**part, "tally": {**part["tally"], "recognised": [1, 1]}}),
        saying(part=lambda part: {**part, "place": [part["place"][0], True, *part["place"][2:]]}),
        saying(part=lambda part: {**part, "tally": {**part["tally"], "unseen": {"colour": 1}}}),
        saying(part=lambda part: {**part, "tally": {**part["tally"], "examples": {"colour": [1]}}}),
    ],
)
def test_an_answer_that_is_no_part_is_refused_and_leaves_nothing(
    tmp_path: Path, change: Any
) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    told = rf"^the cluster: what a worker sent back is no part of {source}\. Check what else runs"
    with pytest.raises(ClusterError, match=told):
        score_near(source, tmp_path / "out/out.csv", Near(change=change, apart=True))
    assert files(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("near", "told"),
    [
        (Near(asked={"likeness": {"python": "3.9.1"}}), "the cluster: the worker on .+ would comp"),
        (
            Near(change=saying(likeness={})),
            'has ffn-pipeline "unknown" and this process ".+", so it might compute other bytes',
        ),
        (Near(change=saying(failure="MemoryError: no room")), "failed: MemoryError: no room"),
        (Near(asked={"options": {"delimiter": "#"}}), r"failed: delimiter \"#\" is not one of"),
    ],
)
def test_a_worker_that_cannot_be_used_is_refused(tmp_path: Path, near: Near, told: str) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    with pytest.raises(ClusterError, match=told):
        score_near(source, tmp_path / "out/out.csv", near)
    assert files(tmp_path / "out") == {}


def test_a_lost_cluster_leaves_no_output_and_the_next_run_goes_on(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", LINES["plain"], rows=600_000)
    score_csv(MODEL, source, tmp_path / "here/out.csv")
    lost = Near(error=ClusterError("it is gone."), lost=20)
    with pytest.raises(ClusterError, match=r"^it is gone\.$"):
        score_near(source, tmp_path / "there/out.csv", lost, size=400_000)
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".out.csv.ffn-unfinished"]
    again = Near()
    score_near(source, tmp_path / "there/out.csv", again, size=400_000)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    begins = [json.loads(unpack(request)["asked.json"])["begin"] for request in again.requests]
    assert min(begins) > 4_000_000


def test_a_model_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,size,colour\n" + "1,2,red\n" * 100)
    there = partial(Near().scoring().score_ranges, least_bytes=0)
    with pytest.raises(ClusterError, match=r"^a model of the type TenthsScorer cannot be sent"):
        score_csv(TenthsScorer(), source, tmp_path / "out/out.csv", elsewhere=there)


def test_a_cluster_that_cannot_be_had_is_refused_for_each_file_alike(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    tls = dict.fromkeys(("tls_ca", "tls_certificate", "tls_key"), "missing.pem")
    runner = RunnerSettings(kind="dask", dask_address="tls://127.0.0.1:1", **tls)
    told = []
    with cluster_scoring(runner, tmp_path, at_once=False) as scoring:
        assert scoring is not None
        there = partial(scoring.score_ranges, least_bytes=0)
        for name in ("one", "two"):
            with pytest.raises(SettingsError, match=r"missing\.pem|is not installed") as refused:
                score_csv(MODEL, source, tmp_path / name / "out.csv", elsewhere=there)
            told.append(str(refused.value))
    assert told[0] == told[1]


def test_a_cluster_that_does_not_answer_is_asked_once(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    calls = []

    def gone() -> Near:
        calls.append(1)
        raise ClusterError("no scheduler answers.")

    there = partial(ClusterScoring(gone, 1).score_ranges, least_bytes=0)
    for name in ("one", "two"):
        with pytest.raises(ClusterError, match=r"^no scheduler answers\.$"):
            score_csv(MODEL, source, tmp_path / name / "out.csv", elsewhere=there)
    assert len(calls) == 1
