"""Parts of an installation that may be missing; `tests/test_wheel.py` tries one without them."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from ffn.errors import InstallationError
from ffn.extras import Extra, how_to_install, is_installed, require

INSTALLED: tuple[Extra, ...] = ("pandas", "report", "service")


def test_each_extra_is_one_of_the_project(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(get_args(Extra)) <= set(project["optional-dependencies"])
    for name in INSTALLED:
        assert is_installed(name)
    require("service", "this runs on Prefect")


def test_what_is_missing_is_refused_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder without a module, such as that of somebody's pictures, is no installation.
    (tmp_path / "matplotlib").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    for name in ("matplotlib", "PIL", "prefect"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert not is_installed("report")
    with pytest.raises(
        InstallationError,
        match=r"^drawing uses matplotlib, which is not installed\. Install it: pip install "
        r"'ffn-pipeline\[report\]'; or draw by hand\.$",
    ):
        require("report", "drawing uses matplotlib", "draw by hand")
    with pytest.raises(InstallationError, match=r"\[service\]'\.$"):
        require("service", "this runs on Prefect")


def test_a_tool_of_uv_is_told_the_command_of_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert how_to_install("service") == "pip install 'ffn-pipeline[service]'"
    (tmp_path / "uv-receipt.toml").touch()
    assert how_to_install("service") == "uv tool install 'ffn-pipeline[service]'"
