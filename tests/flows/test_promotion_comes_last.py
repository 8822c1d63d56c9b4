"""A new version scores only when all that speaks of it is written."""

from __future__ import annotations

import pytest

from ffn.models.versions.registry import production_version, versions
from flows import direct


@pytest.mark.parametrize("step", ["export_for_notebooks", "write_report"])
def test_where_a_later_step_fails_the_old_version_goes_on_scoring(ffn, trained, monkeypatch, step):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    artifacts = trained / "artifacts" / "iris"
    with (trained / "data/iris/pipeline.toml").open("a") as settings:
        settings.write('\n[gate]\nmode = "always"\n')
    with monkeypatch.context() as patched:
        patched.setattr(direct, step, fail)
        done = ffn("retrain", "iris", "--direct", "--root", trained)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert (versions(artifacts), production_version(artifacts)) == ([1, 2], 1)
    assert ffn("retrain", "iris", "--direct", "--root", trained).code == 0
    assert (versions(artifacts), production_version(artifacts)) == ([1, 2, 3], 3)
