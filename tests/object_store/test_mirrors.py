"""A registry's version in production, pushed to a bucket and pulled elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ffn
from ffn.errors import BundleError, DataError, RegistryError
from ffn.mirroring.mirror_layout import mirror_at
from ffn.mirroring.pulling import pull
from ffn.mirroring.pushing import push
from ffn.registry.pointer import promote, rollback
from ffn.registry.production_bundle import require_production
from ffn.registry.verification import verify
from ffn.registry.versions import add_version
from tests.helpers.registries import fill, registry
from tests.object_store.conftest import Store


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Versions 1 to 3; 3 is in production."""
    return registry(tmp_path / "here/artifacts/things")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there/artifacts/things"


@pytest.fixture
def mirror(store: Store) -> str:
    return store.address("models/things")


def test_what_is_pulled_is_what_was_pushed(
    here: Path, there: Path, mirror: str, store: Store
) -> None:
    pushed = push(here, mirror)
    assert (pushed.version, pushed.before) == (3, None)
    assert pushed.sentence() == f"{mirror} has version 3 in production now; none was before."
    pulled = pull(there, mirror)
    assert (pulled.version, pulled.before, pulled.files) == (3, None, pushed.files)
    for path in sorted((here / "models/0003").rglob("*")):
        if path.is_file():
            assert (there / path.relative_to(here)).read_bytes() == path.read_bytes()
    assert (there / "history.jsonl").read_bytes() == (here / "history.jsonl").read_bytes()
    assert (there / "production.json").read_bytes() == (here / "production.json").read_bytes()
    assert verify(there).damages == ()
    assert require_production(there).sha256 == require_production(here).sha256
    # Nothing is done twice.
    before = store.names()
    assert (push(here, mirror).files, pull(there, mirror).files) == (0, 0)
    assert store.names() == before


def test_a_program_loads_production_and_keeps_nothing(
    here: Path, mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(here, mirror)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    model = ffn.load(mirror)
    assert (model.version, model.pipeline) == (3, "things")
    rows = pd.DataFrame({"größe": [2.0, 8.0], "c": ["p", "q"]})
    assert (model.predict_proba(rows) == ffn.load(here).predict_proba(rows)).all()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_promotion_and_a_rollback_follow(here: Path, there: Path, mirror: str) -> None:
    push(here, mirror)
    pull(there, mirror)
    promote(here, 2, reason="by hand")
    assert push(here, mirror).before == 3
    assert pull(there, mirror).version == 2
    rollback(here, reason="complaints")
    push(here, mirror)
    assert pull(there, mirror).version == 3
    assert verify(there).damages == ()
    assert (there / "history.jsonl").read_bytes() == (here / "history.jsonl").read_bytes()


def test_another_registry_is_refused_before_a_file_is_written(
    here: Path, mirror: str, store: Store, tmp_path: Path
) -> None:
    push(here, mirror)
    other = registry(tmp_path / "other/things", first_seed=5)
    before = {name: store.get(name) for name in store.names()}
    with pytest.raises(RegistryError, match=r"version 3 in production by a promotion of .* know"):
        push(other, mirror)
    assert {name: store.get(name) for name in store.names()} == before


def test_a_stale_copy_of_the_registry_does_not_move_production_back(
    here: Path, mirror: str, tmp_path: Path
) -> None:
    stale = tmp_path / "stale/things"
    shutil.copytree(here, stale)
    promote(here, 2, reason="by hand")
    push(here, mirror)
    with pytest.raises(RegistryError, match=r"that this registry does not know: it is of another"):
        push(stale, mirror)
    pointer = mirror_at(mirror).pointer()
    assert pointer is not None
    assert pointer.promotion.version == 2


def test_a_number_belongs_to_what_claimed_it(
    here: Path, mirror: str, store: Store, tmp_path: Path
) -> None:
    # As of a push that was killed after its first request.
    store.put("models/things/models/0003/claim", b"0" * 64)
    with pytest.raises(RegistryError, match=r"has another version 3, of another registry\. Push"):
        push(here, mirror)
    assert store.names() == ["models/things/models/0003/claim"]


RACER = """
import sys
from pathlib import Path
from ffn.errors import FFNError
from ffn.mirroring.pushing import push
print("ready", flush=True)
sys.stdin.readline()
try:
    print(push(Path(sys.argv[1]), sys.argv[2]).version)
except FFNError as error:
    print(error)
"""


def race(repository: Path, mirror: str, *registries: Path) -> list[str]:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(artifacts), mirror],
            cwd=repository,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for artifacts in registries
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return [racer.communicate()[0].strip() for racer in racers]


def test_of_two_registries_that_push_at_once_one_wins(
    here: Path, mirror: str, repository: Path, tmp_path: Path, there: Path
) -> None:
    other = registry(tmp_path / "other/things", first_seed=5)
    told = race(repository, mirror, here, other)
    assert sorted(text == "3" for text in told) == [False, True], told
    winner = (here, other)[told.index("3")]
    loser = next(text for text in told if text != "3")
    assert loser.startswith(mirror)
    assert "of another" in loser
    pull(there, mirror)
    assert require_production(there).sha256 == require_production(winner).sha256


def test_of_two_promotions_that_are_pushed_at_once_the_later_stays(
    here: Path, mirror: str, repository: Path, tmp_path: Path, there: Path
) -> None:
    push(here, mirror)
    stale = tmp_path / "stale/things"
    promote(here, 2, reason="by hand")
    shutil.copytree(here, stale)
    promote(here, 1, reason="by hand")
    told = race(repository, mirror, here, stale)
    assert told[0] == "1"
    assert told[1] == "2" or "does not know" in told[1]
    assert pull(there, mirror).version == 1
    assert verify(there).damages == ()


@pytest.mark.parametrize("name", ["bundle/arrays.safetensors", "metrics.json", "files.json"])
def test_what_was_changed_in_the_bucket_is_not_pulled(
    name: str, here: Path, there: Path, mirror: str, store: Store
) -> None:
    push(here, mirror)
    key = f"models/things/models/0003/{name}"
    content = bytearray(store.get(key))
    content[len(content) // 2] ^= 1
    store.put(key, bytes(content))
    with pytest.raises((RegistryError, BundleError), match=r"^s3://.*0003|^s3://.*version 3"):
        pull(there, mirror)
    assert not (there / "models/0003").exists()
    assert not (there / "production.json").exists()
    if name != "metrics.json":
        with pytest.raises((RegistryError, BundleError), match=r"^s3://"):
            ffn.load(mirror)


def test_another_bundle_than_was_promoted_is_not_loaded(
    here: Path, mirror: str, store: Store
) -> None:
    push(here, mirror)
    key = "models/things/production.json"
    pointer = json.loads(store.get(key))
    pointer["bundle_sha256"] = "0" * 64
    store.put(key, json.dumps(pointer).encode())
    with pytest.raises(BundleError, match=r"version 3: not the bundle that was promoted\."):
        ffn.load(mirror)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil", "a\\b", "a\nb"])
def test_names_in_the_list_never_lead_out_of_the_folder(
    name: str, here: Path, there: Path, mirror: str, store: Store
) -> None:
    push(here, mirror)
    key = "models/things/models/0003/files.json"
    document = json.loads(store.get(key))
    document["files"][name] = {"bytes": 1, "sha256": "0" * 64}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    store.put(key, text.encode())
    with pytest.raises(RegistryError, match=r"has (an empty part|a backslash)"):
        pull(there, mirror)
    assert not list(there.parents[2].rglob("evil*"))


def test_a_registry_of_its_own_is_not_pulled_into(
    here: Path, mirror: str, tmp_path: Path, there: Path
) -> None:
    push(here, mirror)
    other = registry(tmp_path / "other/things", first_seed=5)
    before = (other / "production.json").read_bytes()
    with pytest.raises(RegistryError, match=r"has promotions that s3://.* does not know"):
        pull(other, mirror)
    assert (other / "production.json").read_bytes() == before
    add_version(there, fill(9))
    with pytest.raises(RegistryError, match=r"has versions of its own\. Use another --root\.$"):
        pull(there, mirror)


def test_a_pull_that_was_killed_before_the_pointer_is_finished(
    here: Path, there: Path, mirror: str
) -> None:
    push(here, mirror)
    shutil.copytree(here / "models/0003", there / "models/0003")
    assert pull(there, mirror).files == 0
    assert verify(there).damages == ()


def test_the_signature_goes_along(
    here: Path, there: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(here, mirror)
    monkeypatch.setenv("FFN_SIGNING_KEY", "a" * 64)
    with pytest.raises(BundleError, match="sign"):
        ffn.load(mirror)
    from ffn.bundles.contents import sign_version

    sign_version(here / "models/0003", pipeline="things", version=3)
    assert push(here, mirror).files == 1
    assert ffn.load(mirror).version == 3
    assert pull(there, mirror).version == 3
    monkeypatch.setenv("FFN_SIGNING_KEY", "b" * 64)
    with pytest.raises(BundleError, match="sign"):
        ffn.load(mirror)


def test_nothing_was_pushed(mirror: str, there: Path, here: Path) -> None:
    told = r"has no version in production \(production\.json does not exist\)\. Push one: ffn push"
    with pytest.raises(RegistryError, match=told):
        ffn.load(mirror)
    with pytest.raises(RegistryError, match=told):
        pull(there, mirror)
    assert not there.exists()
    with pytest.raises(DataError, match="there is no bucket no-such"):
        ffn.load("s3://no-such/models/things")
    with pytest.raises(RegistryError, match=r"is a whole bucket\. Give a folder in it"):
        push(here, mirror.partition("/models")[0])


def test_a_damaged_version_is_not_pushed(here: Path, mirror: str, store: Store) -> None:
    (here / "models/0003/metrics.json").write_bytes(b"{}\n")
    with pytest.raises(RegistryError, match=r"metrics\.json has .* See: ffn verify things$"):
        push(here, mirror)
    assert store.names() == []
