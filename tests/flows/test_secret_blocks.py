"""Passwords of databases from Secret blocks of a real Prefect server, and never anywhere else."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from ffn.databases.address import parse_address
from ffn.databases.connections import database_session
from ffn.databases.secret_blocks import block_secret, read_blocks_with
from ffn.errors import DataError, SettingsError
from flows.blocks.prefect_secrets import prefect_secret
from tests.helpers.command_line import run_here

BLOCK, FILE = "shop-file", "shop-9f2c.db"


@pytest.fixture(autouse=True)
def _unread() -> Iterator[None]:
    read_blocks_with(None)
    yield
    read_blocks_with(None)


@pytest.fixture
def blocks(server: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: server, PREFECT_LOGGING_TO_API_ENABLED: False}):
        Secret(value=FILE).save(BLOCK, overwrite=True, _sync=True)
        Secret(value="").save("empty", overwrite=True, _sync=True)
        yield


@pytest.fixture
def shop(root: Path) -> Path:
    """The Iris pipeline, with its rows in a database whose place only the block names."""
    folder = root / "data/iris"
    table = pd.read_csv(folder / "train.csv")
    with sqlite3.connect(folder / FILE) as database:
        table.to_sql("iris", database, index=False)
    toml = folder / "pipeline.toml"
    source = f'source = "sqlite:///${{prefect:{BLOCK}}}"\nquery = "SELECT * FROM iris"'
    text = toml.read_text().replace('source = "train.csv"', source)
    # A database is not watched.
    toml.write_text(re.sub("(?m)^retrain_on = .*$", "", text))
    (folder / "train.csv").unlink()
    return root


def test_a_password_is_that_of_the_block() -> None:
    address = parse_address("postgresql://ada:${prefect:shop-password}@db.example/shop")
    assert address.blocks == ("shop-password",)
    with pytest.raises(SettingsError, match=r"block shop-password, and this command runs without"):
        address.login()
    read_blocks_with({"shop-password": "p@ss/w:ord"}.__getitem__)
    login = address.login()
    assert login.arguments == {
        "host": "db.example",
        "user": "ada",
        "password": "p@ss/w:ord",
        "dbname": "shop",
    }
    assert set(login.secrets) == {"p@ss/w:ord"}
    assert "p@ss" not in repr(address)


def test_a_connection_asks_for_each_block_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def value_of(name: str) -> str:
        asked.append(name)
        return {"folder": "there", "file": "shop.db"}[name]

    read_blocks_with(value_of)
    (tmp_path / "there").mkdir()
    sqlite3.connect(tmp_path / "there/shop.db").close()
    address = parse_address("sqlite:///${prefect:folder}/${prefect:file}", tmp_path)
    with database_session(address) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    assert sorted(asked) == ["file", "folder"]


def test_no_message_shows_the_value_of_a_block(tmp_path: Path) -> None:
    read_blocks_with({BLOCK: FILE}.__getitem__)
    address = parse_address(f"sqlite:///${{prefect:{BLOCK}}}", tmp_path)
    with (
        pytest.raises(DataError, match=r"there is no file .*/\*\*\*\. Give the path") as found,
        database_session(address),
    ):
        pass
    assert FILE not in str(found.value)


@pytest.mark.usefixtures("blocks")
def test_blocks_of_a_server_are_read_and_what_is_wrong_is_one_line() -> None:
    assert prefect_secret(BLOCK) == FILE
    with pytest.raises(SettingsError, match=r"no Secret block nowhere that can be read"):
        prefect_secret("nowhere")
    with pytest.raises(SettingsError, match=r"the Prefect block empty holds no text"):
        prefect_secret("empty")
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(DataError, match=r"block shop-file cannot be read: \w+\. Is Prefect"),
    ):
        prefect_secret(BLOCK)


@pytest.mark.usefixtures("blocks")
def test_training_and_scoring_reach_the_database_and_nothing_records_its_value(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--json", "--root", shop)
    assert run_here(("retrain", "iris", "--direct", *where)) == 1
    refused = json.loads(capsys.readouterr().out)["error"]
    assert "names the Prefect block shop-file, and this command runs without" in str(refused)
    assert run_here(("retrain", "iris", *where)) == 0
    assert json.loads(capsys.readouterr().out)["promoted"]
    query = "SELECT * FROM iris LIMIT 20"
    read_blocks_with(None)
    assert run_here(("score", "iris", "--query", query, "--table", "scored", *where)) == 0
    assert json.loads(capsys.readouterr().out)["table"]["rows"] == 20
    with sqlite3.connect(shop / "data/iris" / FILE) as database:
        assert database.execute("SELECT count(*) FROM scored").fetchone() == (20,)
    # A block that this command did not have to read is asked for.
    with pytest.raises(SettingsError, match=r"^the Prefect block empty holds no text"):
        block_secret("empty")
    read_blocks_with(None)
    # The kept table would do without a database.
    (kept,) = (shop / "artifacts/iris").rglob("training-data")
    shutil.rmtree(kept)
    assert run_here(("reproduce", "iris", "1", *where)) == 0
    assert json.loads(capsys.readouterr().out)["same"]
    for file in (shop / "artifacts").rglob("*"):
        if file.is_file():
            assert FILE.encode() not in file.read_bytes(), file


@pytest.mark.usefixtures("blocks")
def test_verbs_that_run_without_prefect_read_blocks_as_well(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--json", "--root", shop)
    monkeypatch.chdir(shop / "data/iris")
    source = ("--from", f"sqlite:///${{prefect:{BLOCK}}}", "--query", "SELECT * FROM iris")
    assert run_here(("init", "again", *source, "--target", "species", *where)) == 0
    text = Path(json.loads(capsys.readouterr().out)["settings"]).read_text()
    assert f"${{prefect:{BLOCK}}}" in text
    assert FILE not in text
    # What the table lacks is only seen once it has been read.
    toml = shop / "data/iris/pipeline.toml"
    toml.write_text(f'{toml.read_text()}\n[split]\ntime = "nowhere"\n')
    assert run_here(("backtest", "iris", *where)) == 1
    assert '"nowhere"' in str(json.loads(capsys.readouterr().out)["error"])
