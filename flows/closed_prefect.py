"""Changes to Prefect against untrusted current folders and untrusted servers.

Prefect reads settings from ``.env``, ``prefect.toml`` and ``pyproject.toml`` in the current folder:
anyone who can write there could set another server, or a logging configuration that runs code. It
also imports flows and migrates its database with that folder first on the path. If the server
reports a run as completed, Prefect's client loads the result from the place and with the serialiser
that the server names, such as a pickle. There are no settings against any of this, so Prefect is
changed when it is imported; its version is pinned.

Settings come from the environment and from Prefect's profile. ffn stores no results: tasks and
flows return objects in memory.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from ffn.errors import FFNError

__all__ = ["ForeignResultError", "close", "unread_settings"]

_TOML = (Path("prefect.toml"), Path("pyproject.toml"))


class ForeignResultError(FFNError):
    """Somebody else ended a run on the server or gave it a result."""


def close() -> None:
    """Apply the changes, now or when Prefect is imported."""
    if not any(isinstance(finder, _Closing) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Closing())
    for name, change in _CHANGES.items():
        if name in sys.modules:
            change(sys.modules[name])


class _Closing:
    """A meta path finder that changes modules of Prefect as they are imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        change = _CHANGES.get(fullname)
        spec = PathFinder.find_spec(fullname, path, target) if change else None
        if change is None or spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_change(module: ModuleType) -> None:
            load(module)
            change(module)

        setattr(spec.loader, "exec_module", load_and_change)  # noqa: B010
        return spec


def _close_settings(sources: Any) -> None:
    """Keep ``prefect.settings.sources`` from reading files of the current folder."""
    read = sources._read_toml_file
    if hasattr(read, "closed"):
        return

    def read_elsewhere(path: Path) -> dict[str, Any]:
        return {} if path in _TOML else read(path)

    read_elsewhere.closed = True  # type: ignore[attr-defined]
    sources._read_toml_file = read_elsewhere
    sources.FilteredDotEnvSettingsSource._read_env_files = lambda _self: {}
    sources.dotenv = SimpleNamespace(dotenv_values=lambda *_: {})


def _close_serializers(serializers: Any) -> None:
    """Disable reading in all of ``prefect.serializers``.

    JSON is no exception: the server that names this serialiser also names its decoding function.
    """
    from prefect.utilities.dispatch import get_registry_for_type

    unknown = serializers.UnknownSerializer
    registry = get_registry_for_type(serializers.Serializer) or {}
    for name in registry:
        registry[name] = unknown
    for kind in ("PickleSerializer", "JSONSerializer", "CompressedSerializer"):
        getattr(serializers, kind).loads = unknown.loads


def _close_results(results: Any) -> None:
    """Keep ``prefect.results`` from reading stored results."""

    def refuse(*_arguments: Any, **_named: Any) -> NoReturn:
        raise ForeignResultError(
            "Prefect's server says that the run has ended, and names a stored result. Runs of ours "
            "store none; it was not read. See who else may use that server, and run again."
        )

    async def refuse_later(*_arguments: Any, **_named: Any) -> NoReturn:
        refuse()

    store = results.ResultStore
    store.read, store.aread = refuse, refuse_later
    store._from_metadata = refuse_later


def _close_imports(importtools: Any) -> None:
    """Keep ``prefect.utilities.importtools`` from importing flows from the current folder."""
    importtools.load_module = importlib.import_module


def _close_migrations(commands: Any) -> None:
    """Keep ``prefect.server.database.alembic_commands`` from importing from the current folder.

    Its configuration puts that folder first on the path, for the rest of the process.
    """
    configuration = commands.alembic_config

    def closed_configuration() -> Any:
        found = configuration()
        found.set_main_option("prepend_sys_path", "")
        return found

    commands.alembic_config = closed_configuration


_CHANGES: dict[str, Callable[[Any], None]] = {
    "prefect.settings.sources": _close_settings,
    "prefect.serializers": _close_serializers,
    "prefect.results": _close_results,
    "prefect.utilities.importtools": _close_imports,
    "prefect.server.database.alembic_commands": _close_migrations,
}


def unread_settings() -> list[str]:
    """Return files in the current folder whose settings an unchanged Prefect would read."""
    marks = {
        ".env": b"PREFECT_",
        "prefect.toml": b"",
        "pyproject.toml": b"[tool.prefect",
    }
    return [name for name, mark in marks.items() if _holds(Path(name), mark)]


def _holds(path: Path, mark: bytes) -> bool:
    try:
        return path.is_file() and mark in path.read_bytes()
    except OSError:
        return False
