"""``ffn.retrain(verbose=True)`` prints how far it is, and trains the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ffn


def test_stages_and_epochs_are_lines_on_stderr(
    untrained: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    outcome = ffn.retrain("sizes", root=untrained, verbose=True)
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    # The settings of this pipeline ask for six epochs.
    epochs = [re.fullmatch(r"(?:\w[\w ,.=()-]*): (\d+) of 6", line) for line in lines]
    done = [int(one[1]) for one in epochs if one]
    assert done.count(6) >= 1
    assert set(done) <= {1, 2, 3, 4, 5, 6}
    assert len(lines) > len(done)
    kept = trained / "artifacts/sizes/models/0001/bundle/manifest.json"
    made = untrained / "artifacts/sizes/models/0001/bundle/manifest.json"
    assert made.read_bytes() == kept.read_bytes()
    ffn.retrain("sizes", root=untrained)
    assert capsys.readouterr().err == ""
    assert str(outcome).startswith("Version 1 is promoted")
