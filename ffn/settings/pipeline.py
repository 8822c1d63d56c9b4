"""Find a pipeline and load its settings."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffn.errors import SettingsError, did_you_mean, quote
from ffn.object_stores.object_address import as_path, is_object_address
from ffn.settings.document import PipelineSettings, check_settings
from ffn.storage.real_path import real_path

__all__ = [
    "SETTINGS_FILE",
    "Pipeline",
    "check_name",
    "find_pipeline",
    "is_name",
    "pipeline_at",
    "pipeline_names",
    "reference",
]

SETTINGS_FILE = "pipeline.toml"
# Settings are written by hand; a longer file is something else, or an attack.
_MOST_BYTES = 4 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A checked ``pipeline.toml`` and the folders that belong to it.

    Attributes
    ----------
    name
        Name of the folder that holds the settings.
    settings
        Content of ``pipeline.toml``, validated.
    folder
        ``data/<name>``: settings, training CSV, inbox.
    artifacts
        ``artifacts/<name>``: everything that is written for this pipeline.
    """

    name: str
    settings: PipelineSettings
    folder: Path
    artifacts: Path

    @property
    def source(self) -> Path:
        """The training table: a file, a folder, a pattern, or an address; not for databases."""
        source = self.settings.data.source
        return as_path(source) if is_object_address(source) else self.folder / source

    @property
    def shown_source(self) -> str:
        """What messages call the training table: its path, or the address of its database."""
        source = self.settings.data.source
        given = self.settings.data.query is not None or is_object_address(source)
        return source if given else str(self.source)

    @property
    def test(self) -> Path | None:
        """The user's own held-out rows; None if they are taken from the training CSV."""
        name = self.settings.split.test
        return None if name is None else self.folder / name

    @property
    def predictions(self) -> Path:
        """Default folder of scored files."""
        return self.artifacts / "predictions"

    @property
    def export(self) -> Path:
        """The joblib export for notebooks; the product never loads it."""
        return self.artifacts / f"best_{self.name}_model.pkl"


def check_name(name: str) -> str:
    """Return ``name`` if it can be a pipeline's name.

    Raises
    ------
    SettingsError
        It has other characters than letters, digits, ``-`` and ``_`` (names become folders), or
        is longer than 64.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"pipeline name {quote(name)}: use 1 to 64 ASCII letters, digits, - and _, "
            "the first a letter or digit."
        )
    return name


def is_name(which: str) -> bool:
    """Say whether a pipeline is meant by its name; otherwise by a path."""
    return "/" not in which and Path(which).suffix != ".toml" and which not in (".", "..")


def pipeline_names(root: Path) -> list[str]:
    """Return the names of the pipelines under ``root/data``, sorted."""
    return sorted(path.parent.name for path in (root / "data").glob(f"*/{SETTINGS_FILE}"))


def find_pipeline(which: str, root: Path) -> Pipeline:
    """Return the pipeline called ``which``.

    Parameters
    ----------
    which
        A name under ``root/data``, or the path of a folder or TOML file.
    root
        The folder that holds ``data/`` and ``artifacts/``.

    Raises
    ------
    SettingsError
        There is no such pipeline, or its settings are invalid.
    """
    path, by_name = Path(which), is_name(which)
    if "\0" in which:
        raise SettingsError(f"pipeline {quote(which)}: a path cannot contain NUL.")
    if path.suffix == ".toml":
        file = path
    elif not by_name:
        file = path / SETTINGS_FILE
    else:
        file = root / "data" / check_name(which) / SETTINGS_FILE
        if not file.is_file():
            names = pipeline_names(root)
            there = f"Known: {', '.join(names)}." if names else "There are no pipelines."
            raise SettingsError(
                f"pipeline {quote(which)}: no file {file}. {there}{did_you_mean(which, names)} "
                f"Make one with: ffn init {which} --from FILE --target COLUMN"
            )
    document = _read_toml(file)
    # A pipeline under data/ has the name it was asked for by, wherever a link leads; a path
    # such as ".." has none before it is resolved.
    folder = file.absolute().parent if by_name else file.absolute().resolve().parent
    name = check_name(folder.name)
    at_home = root / "data" / name
    if (at_home / SETTINGS_FILE).is_file() and not at_home.samefile(folder):
        # Both would write artifacts/<name>, and score with each other's models.
        raise SettingsError(
            f"{folder}: {at_home} is another pipeline of the same name, which stores its models in "
            f"{root / 'artifacts' / name}. Rename the folder, or give another --root."
        )
    return Pipeline(
        name=name,
        settings=check_settings(document, str(file)),
        folder=folder,
        artifacts=root / "artifacts" / name,
    )


def pipeline_at(pipeline: str | os.PathLike[str], root: str | os.PathLike[str] | None) -> Pipeline:
    """Return a pipeline by name or path, as the functions of the library find it.

    Parameters
    ----------
    pipeline
        A name under ``data/``, or the path of a pipeline's folder or TOML file.
    root
        The folder with ``data/`` and ``artifacts/``; None for where a path to ``data/<name>``
        leads, otherwise ``$FFN_ROOT``, or the current folder.

    Raises
    ------
    SettingsError
        There is no such pipeline or root, or the settings are invalid.
    """
    which = os.fspath(pipeline)
    place = _root_of(which) if root is None else Path(root)
    if not place.is_dir():
        raise SettingsError(f"the root {quote(place, 300)} is not a folder.")
    return find_pipeline(which, real_path(place))


def _root_of(which: str) -> Path:
    """Return the folder with the ``data/`` to which a path leads, or the default root."""
    if not is_name(which):
        folder = Path(which).parent if which.endswith(".toml") else Path(which)
        # First without resolving links: a pipeline under data/ may be a link to another place.
        for full in (os.path.abspath(folder), os.path.realpath(folder)):  # noqa: PTH100
            data = Path(full).parent
            if data.name == "data":
                return data.parent
    return Path(os.environ.get("FFN_ROOT", "."))


def reference(pipeline: Pipeline, root: Path) -> str:
    """Return an argument for `find_pipeline` that finds ``pipeline`` from any current folder.

    That is its name if it is under ``root/data``, else the absolute path of its folder.
    """
    at_home = pipeline.folder == root / "data" / pipeline.name
    return pipeline.name if at_home else str(pipeline.folder)


def _read_toml(file: Path) -> dict[str, Any]:
    if file.is_fifo():
        # Opening it would block.
        raise SettingsError(f"{file}: cannot be read (a pipe, not a plain file).")
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}).") from None
    if len(content) > _MOST_BYTES:
        raise SettingsError(f"{file}: longer than {_MOST_BYTES:,} bytes, so not a settings file.")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise SettingsError(f"{file}: not valid TOML: nested too deeply.") from None
    except UnicodeDecodeError as error:
        line, byte = content[: error.start].count(b"\n") + 1, content[error.start]
        raise SettingsError(
            f"{file}: line {line} has the byte 0x{byte:02X}, which is not UTF-8. Save it as UTF-8."
        ) from None
    except ValueError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}.") from None
