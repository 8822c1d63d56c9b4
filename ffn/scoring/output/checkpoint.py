"""Checkpoints of a scoring run, from which the next run resumes after a kill.

They are kept in a hidden folder beside the output, which holds the output and the rejects as far as
they are written and, once enough has been done, a journal: the position, the counts, and the
digests of everything up to there. The next run resumes if all digests agree, including those of the
model and the input, and otherwise starts again, so nothing has to be forced to the disk in between.
The journal consists of two files that are overwritten in turn, so that one of them is always
complete. Nothing is renamed, because that would wait for the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ffn.errors import ClusterError, DataError
from ffn.scoring.output.targets import Targets
from ffn.scoring.output.work_folder import (
    UNFINISHED,
    WorkFolder,
    own_work_folder,
    work_folder_path,
)
from ffn.scoring.rows.tally import Tally
from ffn.storage.atomic import publish, remove
from ffn.storage.compression import CompressingWriter, compression_of
from ffn.storage.documents import canonical_json
from ffn.storage.hashed_file import HashedFile
from ffn.storage.locks import locked_folder
from ffn.storage.source import Source
from ffn.tabular.csv.parsing.position import Mark, Place
from ffn.tabular.csv.reader import Records

__all__ = ["Journal", "open_journal", "sweep_journals"]

_FORMAT = 4
_JOURNALS = ("journal.0", "journal.1")
_OUTPUT, _PACKED, _REJECTS, _MANIFEST = "output", "packed", "rejects", "manifest"
_PACKED_AT_ONCE = 1024 * 1024
_KEPT_SECONDS = 7 * 24 * 3600
_NOTES = 40


class Journal:
    """The files of one run until they are published.

    Parameters
    ----------
    folder
        Work folder of the run.
    key
        Everything that determines the output: model, options, size of the input.
    output, rejects
        Files of the work folder, to be written from beginning to end.
    least_bytes
        Of input between checkpoints; by default 4 MiB, as less is scored again sooner than resumed.

    Attributes
    ----------
    folder, output, rejects
        As given.
    """

    def __init__(
        self,
        folder: WorkFolder,
        key: dict[str, Any],
        output: HashedFile,
        rejects: HashedFile,
        *,
        least_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self.folder, self.output, self.rejects = folder, output, rejects
        self._ready = _OUTPUT
        self._account: dict[str, Any] = {}
        self._key = {"format": _FORMAT} | key
        self._least_bytes = least_bytes
        self._next, self._notes = least_bytes, 0

    def resume(self, stream: Source, records: Records, tally: Tally) -> bool:
        """Resume where an earlier run of the same work ended; return whether there is a checkpoint.

        Without a valid one, everything is at the beginning.

        Parameters
        ----------
        stream, records, tally
            Input, reader and counts at the beginning; moved to the checkpoint.
        """
        begin = records.mark
        found = self._read()
        if found and self._agrees(found, stream):
            begin = Mark(found["offset"], Place(*found["place"]))
            tally.add(found["tally"])
        else:
            found = {}
            self.restart()
        stream.go_to(begin.offset)
        records.go_to(begin)
        return bool(found)

    def restart(self) -> None:
        """Discard the checkpoint of an earlier run, if any."""
        for name in _JOURNALS:
            self.folder.unlink(name)
        self.output.restart()
        self.rejects.restart()

    def note(self, stream: Source, records: Records, tally: Tally) -> None:
        """Write a checkpoint, if enough has been done since the last one.

        Parameters
        ----------
        stream, records, tally
            Input, reader and counts after the last record that was scored.
        """
        if records.given_up or records.mark.offset < self._next:
            return
        mark, size = records.mark, stream.size or 0
        self.output.store()
        self.rejects.flush()
        found = {
            "key": self._key,
            "offset": mark.offset,
            "place": list(mark.place),
            "input": {"bytes": stream.hashed, "sha256": stream.sha256},
            "output": self.output.to_json(),
            "rejects": self.rejects.to_json(),
            "tally": tally.state(),
        }
        content = canonical_json(found)
        digest = hashlib.sha256(content).hexdigest().encode()
        self._write_over(_JOURNALS[self._notes % 2], digest + b"\n" + content)
        self._notes += 1
        self._next = mark.offset + max(self._least_bytes, size // _NOTES)

    def pack(self, name: str) -> None:
        """Compress the output if its final name, ``name``, has the suffix of a compressed file."""
        compression = compression_of(name)
        if compression is None:
            return
        self.output.flush()
        with self.folder.read(_OUTPUT) as content, self.folder.write(_PACKED) as file:
            file.truncate()
            hashed = HashedFile(file)
            packer = CompressingWriter(hashed, compression)
            while some := content.read(_PACKED_AT_ONCE):
                packer.write(some)
            packer.finish()
        self._ready, self._account = _PACKED, hashed.to_json()

    def account(self) -> dict[str, Any]:
        """Return sizes and digests of output and rejects, as they will be published."""
        output = self._account or self.output.to_json()
        return {"output": output, "rejects": self.rejects.to_json()}

    def publish(self, targets: Targets, manifest: bytes) -> None:
        """Rename the files to their final names, and write the manifest beside them.

        Parameters
        ----------
        targets
            Final paths of the three files.
        manifest
            Content of the manifest.
        """
        self.output.flush()
        self.rejects.flush()
        self._write_over(_MANIFEST, manifest)
        publish([self._ready, _REJECTS, _MANIFEST], targets, self.folder)

    def publish_rejects(self, targets: Targets) -> None:
        """Publish only the rejects of ``targets``, and remove an older manifest."""
        self.rejects.flush()
        remove(targets.manifest)
        publish([_REJECTS], [targets.rejects], self.folder)

    def _write_over(self, name: str, content: bytes) -> None:
        with self.folder.update(name) as file:
            file.write(content)
            file.truncate()

    def _read(self) -> dict[str, Any]:
        """Return the latest checkpoint of this work; empty if there is none."""
        found: list[dict[str, Any]] = []
        for name in _JOURNALS:
            with contextlib.suppress(OSError):
                with self.folder.read(name) as file:
                    digest, _, content = file.read().partition(b"\n")
                # After a kill or a power cut the file may be incomplete.
                if digest == hashlib.sha256(content).hexdigest().encode():
                    found.append(json.loads(content))
        ours = [note for note in found if note["key"] == self._key]
        return max(ours, key=lambda note: note["offset"], default={})

    def _agrees(self, found: dict[str, Any], stream: Source) -> bool:
        """Return whether output, rejects and input begin as recorded in the journal."""
        return (
            self.output.resume(found["output"])
            and self.rejects.resume(found["rejects"])
            and stream.begins_with(found["input"]["bytes"], found["input"]["sha256"])
        )


@contextlib.contextmanager
def open_journal(targets: Targets, key: dict[str, Any]) -> Iterator[Journal]:
    """Open the work folder of a run while the block runs; no other run can open it meanwhile.

    Afterwards it is removed, unless a checkpoint was written and an interruption or the loss of a
    cluster, rather than an error of the file, ended the block.

    Parameters
    ----------
    targets
        Final paths of the files.
    key
        Everything that determines the output: model, options, size of the input.

    Raises
    ------
    DataError
        Another run is writing to these targets.
    """
    targets.output.parent.mkdir(parents=True, exist_ok=True)
    with own_work_folder(targets.output) as folder, contextlib.ExitStack() as stack:
        output, rejects = (
            HashedFile(stack.enter_context(folder.update(name))) for name in (_OUTPUT, _REJECTS)
        )
        worth_keeping = False
        try:
            yield Journal(folder, key, output, rejects)
        except ClusterError:
            # Nothing is wrong with the file: the next run goes on.
            worth_keeping = bool(folder.noted())
            raise
        except Exception:
            raise
        except BaseException:
            worth_keeping = bool(folder.noted())
            raise
        finally:
            if not worth_keeping:
                folder.remove()


def sweep_journals(folder: Path, done: Path | None = None) -> None:
    """Remove work folders of killed runs from which no run can resume.

    Those are folders without a checkpoint or with one older than a week, and that of ``done``.

    Parameters
    ----------
    folder
        Folder of outputs, in which the work folders are.
    done
        An output that is complete; None, the default, for none.
    """
    # Names alone: the folder may hold the outputs of thousands of files.
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208
    for entry in (folder / name for name in names if _is_work_folder(name)):
        # Folders that belong to others, or that others can write to, are not removed.
        with (
            contextlib.suppress(OSError, DataError),
            locked_folder(folder),
            WorkFolder.opened(entry) as left,
        ):
            useless = done is not None and entry == work_folder_path(done)
            if useless or time.time() - left.noted() >= _KEPT_SECONDS:
                left.remove()


def _is_work_folder(name: str) -> bool:
    return name.startswith(".") and name.endswith(UNFINISHED)
