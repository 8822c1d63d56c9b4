"""Claims: one run at a time writes the files beside one output in a store.

A store has no locks, and replaces one object at a time. So a run first makes a small object beside
its output, ``.NAME.ffn-unfinished``, on the condition that there is none: of two runs that ask at
once, the store lets one do so. While the run lives, it writes the object anew every few seconds,
and removes it at the end. A claim that nobody has renewed for half a minute is of a run that was
killed, and is taken over, again on a condition: no clock is compared with another's.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator

from ffn.errors import DataError, FFNError, OutputError
from ffn.object_stores.buckets import Bucket, bucket_of
from ffn.object_stores.object_address import ObjectAddress
from ffn.object_stores.store_errors import TakenObjectError
from ffn.storage.documents import canonical_json

__all__ = ["WriteClaim", "claimed"]

_SUFFIX = ".ffn-unfinished"
_RENEWED_EVERY = 5.0
_PATIENCE = 30.0
_LOOKS = 0.5
_MOST_BYTES = 4096


class WriteClaim:
    """The right to write the files beside an output, while it is renewed.

    Parameters
    ----------
    output
        The output.
    patience
        Seconds without a renewal after which the claim of another run counts as left behind.
    """

    def __init__(self, output: ObjectAddress, patience: float = _PATIENCE) -> None:
        self._output, self._patience = output, patience
        self._bucket: Bucket = bucket_of(output)
        self._key = output.with_name(f".{output.name}{_SUFFIX}").key
        self._run, self._renewals = secrets.token_hex(16), 0
        self._mark = ""
        # Of whoever renews it: the thread that does so, or the run before its last step.
        self._turn = threading.Lock()

    def take(self) -> None:
        """Make the claim, or take over one that was left behind.

        Raises
        ------
        DataError
            Another run writes this output.
        OutputError
            The store refuses, or ignores conditions.
        """
        try:
            self._take()
        except DataError as error:
            # Nobody asked for the claim itself.
            beside = self._output.with_name(f".{self._output.name}{_SUFFIX}")
            error.args = (str(error).replace(str(beside), str(self._output)),)
            raise
        self._require_conditions()

    def _take(self) -> None:
        seen, since = "", time.monotonic()
        while not self._make(""):
            found = self._bucket.small(self._key, _MOST_BYTES)
            if found is None:
                continue
            if seen and found[1] != seen:
                raise DataError(
                    f"{self._output} is being written by another run. Wait for it, or give "
                    "another output."
                )
            seen = found[1]
            if time.monotonic() - since > self._patience:
                if self._make(seen):
                    return
                seen, since = "", time.monotonic()
            time.sleep(_LOOKS)

    def renew(self) -> None:
        """Write the claim anew, so that others see that this run lives.

        Raises
        ------
        DataError
            Another run has taken it over, because this one seemed to be dead.
        OutputError
            The store refuses.
        """
        with self._turn:
            if not self._make(self._mark):
                raise DataError(
                    f"{self._output} was taken over by another run, because this one stood still. "
                    "Score again."
                )

    def release(self) -> None:
        """Remove the claim if it is still this run's; never raises what a store refuses."""
        with contextlib.suppress(FFNError), self._turn:
            found = self._bucket.small(self._key, _MOST_BYTES)
            # By its content, because an interrupted run may not have learnt its mark.
            if found is not None and self._run.encode() in found[0]:
                self._bucket.delete(self._key)

    def _make(self, replacing: str) -> bool:
        """Write the claim if its mark is ``replacing``; return whether it is ours now."""
        # With a number, so that each renewal has a mark of its own.
        content = canonical_json({"run": self._run, "renewals": self._renewals})
        try:
            self._mark = self._bucket.put(self._key, content, replacing=replacing)
        except TakenObjectError:
            # An answer that was lost on the way made the library ask twice.
            found = self._bucket.small(self._key, _MOST_BYTES)
            if found is None or found[0] != content:
                return False
            self._mark = found[1]
        self._renewals += 1
        return True

    def _require_conditions(self) -> None:
        """Make sure that the store refuses what must not be written twice."""
        try:
            self._bucket.put(self._key, b"", replacing="")
        except TakenObjectError:
            return
        self._bucket.delete(self._key)
        raise OutputError(
            f"{self._output} cannot be written: this store ignores conditions of writing, so that "
            "two runs could mix their files. Use a store that knows If-None-Match."
        )


@contextlib.contextmanager
def claimed(
    output: ObjectAddress, patience: float = _PATIENCE, every: float = _RENEWED_EVERY
) -> Iterator[WriteClaim]:
    """Claim an output while the block runs, and keep the claim alive.

    Parameters
    ----------
    output
        The output.
    patience
        Seconds without a renewal after which the claim of another run counts as left behind. The
        default, half a minute, is six renewals.
    every
        Seconds between renewals.

    Raises
    ------
    DataError, OutputError
        As for `WriteClaim.take`.
    """
    claim = WriteClaim(output, patience)
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(every):
            # Who writes the last file renews it once more, and learns then what went wrong.
            with contextlib.suppress(FFNError):
                claim.renew()

    thread = threading.Thread(target=keep, name="write-claim", daemon=True)
    try:
        claim.take()
        thread.start()
        yield claim
    finally:
        ended.set()
        if thread.ident is not None:
            thread.join()
        claim.release()
