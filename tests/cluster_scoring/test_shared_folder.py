"""Workers that see the work folder write there, each attempt files of its own, and nothing else."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ffn.cluster_scoring.shared_folder import OfferedFolder, range_key, shared_folder
from ffn.clusters.parcels import unpack
from ffn.clusters.workers import RemoteTask
from ffn.errors import ClusterError, DataError
from ffn.scoring.output.work_folder import WorkFolder, own_work_folder
from ffn.scoring.partitioned.score_dataset import score_dataset
from ffn.scoring.score_file import score_csv
from tests.cluster_scoring.near import Near
from tests.cluster_scoring.test_ranges import HEADER, LINES, MODEL, files, score_near, write_rows
from tests.helpers.near_workers import Change, saying
from tests.scoring.partitioned.lakes import published

KEY = range_key(7)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[WorkFolder]:
    with own_work_folder(tmp_path / "out.csv") as found:
        yield found


def left(folder: WorkFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def of_bytes(output: Any, rejects: Any) -> str:
    output.write(b"labelled")
    rejects.write(b"rejected")
    return "scored"


def test_attempts_of_one_task_write_different_files(folder: WorkFolder) -> None:
    with OfferedFolder.offered(folder) as offered, shared_folder(offered.offer) as seen:
        assert seen is not None
        first, second = (seen.write(KEY, of_bytes, durable=True) for _ in range(2))
        assert (first[0], second[0]) == ("scored", "scored")
        assert first[1] is not None
        assert second[1] is not None
        assert not set(first[1]) & set(second[1])
        assert offered.found(first[1], KEY, (8, 8)) == tuple(first[1])
        # As long as they are said to be, or they are not what was written.
        assert offered.found(first[1], KEY, (9, 8)) is None
        folder.unlink(first[1][1])
        assert offered.found(first[1], KEY, (8, 8)) is None
    # What nobody has taken is deleted when the next run begins.
    assert set(second[1]) < set(left(folder))
    with OfferedFolder.offered(folder):
        assert [name.rpartition(".")[2] for name in left(folder)] == ["shared"]
    assert left(folder) == []


def test_files_have_the_permissions_of_this_process(folder: WorkFolder) -> None:
    before = os.umask(0o027)
    try:
        with OfferedFolder.offered(folder) as offered:
            os.umask(0o077)
            with shared_folder(offered.offer) as seen:
                assert seen is not None
                _, names = seen.write(KEY, of_bytes, durable=False)
    finally:
        os.umask(before)
    assert names is not None
    modes = {stat.S_IMODE((folder.path / name).stat().st_mode) for name in names}
    assert modes == {0o640}


def test_an_attempt_that_fails_leaves_nothing(folder: WorkFolder) -> None:
    def fails(output: Any, rejects: Any) -> str:
        of_bytes(output, rejects)
        raise DataError("wrong.")

    with OfferedFolder.offered(folder) as offered, shared_folder(offered.offer) as seen:
        assert seen is not None
        with pytest.raises(DataError, match=r"^wrong\.$"):
            seen.write(KEY, fails, durable=False)
        assert seen.write(KEY, lambda *_: None, durable=False) == (None, None)
        assert len(left(folder)) == 1


def test_an_attempt_that_outlives_its_run_deletes_what_it_wrote(folder: WorkFolder) -> None:
    with OfferedFolder.offered(folder) as offered:
        offer = offered.offer
        with shared_folder(offer) as seen:
            assert seen is not None

            def ends(output: Any, rejects: Any) -> str:
                folder.sweep_workers()
                return of_bytes(output, rejects)

            with pytest.raises(DataError, match=r"^the run that has asked for these rows has ende"):
                seen.write(KEY, ends, durable=False)
        assert left(folder) == []
    with shared_folder(offer) as seen:
        assert seen is None


@pytest.mark.parametrize("damage", ["another content", "no folder", "a link", "others may write"])
def test_another_folder_is_not_taken_for_it(
    tmp_path: Path, folder: WorkFolder, damage: str
) -> None:
    with OfferedFolder.offered(folder) as offered:
        assert offered.offer is not None
        offer = dict(offered.offer)
        if damage == "another content":
            offer["content"] = "0" * 64
        if damage == "no folder":
            offer["path"] = str(tmp_path / "nothing")
        if damage == "a link":
            (tmp_path / "link").symlink_to(folder.path)
            offer["path"] = str(tmp_path / "link")
        if damage == "others may write":
            folder.path.chmod(0o777)
        with shared_folder(offer) as seen:
            assert seen is None


class Elsewhere(Near):
    """Workers that write where the command does not see it, as to a copy of its disk."""

    def compute(self, task: RemoteTask, check: Callable[[], None]) -> bytes:
        answer = super().compute(task, check)
        for path in self.folder.glob("*.*.output"):
            # Another thread may be quicker.
            path.unlink(missing_ok=True)
        return answer

    folder = Path()


@pytest.mark.parametrize("parts", [False, True], ids=["ranges", "parts"])
def test_files_that_are_not_seen_here_come_back_as_bytes(tmp_path: Path, parts: bool) -> None:
    source = write_rows(tmp_path / "in.csv", LINES["plain"])
    near = Elsewhere()
    for name in ("here", "there"):
        output = tmp_path / name / "out"
        near.folder = output.with_name(".out.ffn-unfinished")
        if parts:
            there = near.scoring().score_parts if name == "there" else None
            (tmp_path / name).mkdir()
            score_dataset(MODEL, source, output, part_bytes=200_000, elsewhere=there)
        elif name == "there":
            score_near(source, output, near, size=200_000)
        else:
            score_csv(MODEL, source, output)
    found = published if parts else files
    at = "out" if parts else ""
    assert found(tmp_path / "there" / at) == found(tmp_path / "here" / at)
    asked = [json.loads(unpack(request)["asked.json"])["folder"] for request in near.requests]
    assert asked[0] is not None
    assert asked[-1] is None


def test_what_comes_back_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    answers: list[int] = []

    def weighed(pieces: dict[str, bytes]) -> dict[str, bytes]:
        answers.append(sum(map(len, pieces.values())))
        return pieces

    for rows in (4_000, 16_000):
        source = write_rows(tmp_path / "in.csv", LINES["plain"], rows=rows)
        near = Near(change=weighed)
        score_near(source, tmp_path / f"{rows}.csv", near, size=10**9)
        score_dataset(
            MODEL,
            source,
            tmp_path / f"{rows}",
            part_bytes=10**9,
            elsewhere=near.scoring().score_parts,
        )
    short, short_part, long, long_part = answers
    assert long < short + 500
    assert long_part < short_part + 500


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["../out", "../rejects"],
        [f"{KEY}.0123456789abcdef.output", f"{KEY}.0123456789abcdef.rejects"],
        ["output", "rejects"],
        3,
    ],
)
def test_names_that_are_no_files_of_the_task_are_refused(tmp_path: Path, names: Any) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    change: Change = saying(stored=lambda found: {**found, "names": names})
    with pytest.raises(ClusterError, match=r"^the cluster: what a worker sent back is no part of"):
        score_near(source, tmp_path / "out/out.csv", Near(change=change))
    assert files(tmp_path / "out") == {}


def test_files_that_nobody_has_asked_for_are_refused(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", {})
    attempt = f"{range_key(len(HEADER))}.0123456789abcdef"
    stored = {"names": [f"{attempt}.output", f"{attempt}.rejects"], "sizes": [1, 1]}
    near = Near(apart=True, change=saying(stored=stored))
    with pytest.raises(ClusterError, match=r"^the cluster: what a worker sent back is no part of"):
        score_near(source, tmp_path / "out/out.csv", near, size=10**9)
    # Once with the folder, and once without it.
    assert len(near.requests) == 2
