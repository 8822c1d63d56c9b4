"""With a key in the environment, nothing scores that was not signed with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ffn.bundles.bundle import read_bundle, sign_bundle, write_bundle
from ffn.errors import BundleError, SettingsError
from ffn.registry.pointer import promote
from ffn.registry.verification import verify
from ffn.registry.versions import add_version
from ffn.scoring.model import load
from tests.helpers.bundles import forge, make

KEY = "0123456789abcdef" * 4
OTHER = "f" * 64


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FFN_SIGNING_KEY", KEY)
    return KEY


def hmac_by_hand(secret: bytes, message: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 defines it, for keys of up to a block."""
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


def test_the_signature_is_an_hmac_of_the_manifest(tmp_path: Path, key: str) -> None:
    write_bundle(make(), tmp_path)
    manifest = (tmp_path / "manifest.json").read_bytes()
    expected = hmac_by_hand(key.encode(), b"ffn bundle manifest, 1\n" + manifest)
    assert (tmp_path / "manifest.hmac").read_text() == f"{expected}\n"


def test_a_signature_changes_nothing_else(tmp_path: Path, monkeypatch) -> None:
    plain = write_bundle(make(), tmp_path / "plain")
    monkeypatch.setenv("FFN_SIGNING_KEY", KEY)
    assert write_bundle(make(), tmp_path / "signed") == plain
    for name in ("manifest.json", "model.json", "arrays.safetensors"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "signed" / name).read_bytes()
    assert not (tmp_path / "plain/manifest.hmac").exists()


def test_with_the_key_it_is_read_and_without_one_too(tmp_path: Path, key, monkeypatch) -> None:
    digest = write_bundle(make(), tmp_path)
    assert read_bundle(tmp_path).sha256 == digest
    monkeypatch.delenv("FFN_SIGNING_KEY")
    assert read_bundle(tmp_path).sha256 == digest


def test_an_unsigned_bundle_is_refused(tmp_path: Path, monkeypatch) -> None:
    write_bundle(make(), tmp_path)
    monkeypatch.setenv("FFN_SIGNING_KEY", KEY)
    with pytest.raises(BundleError, match=r"not signed, and FFN_SIGNING_KEY asks for a signature"):
        read_bundle(tmp_path)


def test_a_bundle_signed_with_another_key_is_refused(tmp_path: Path, key, monkeypatch) -> None:
    write_bundle(make(), tmp_path)
    monkeypatch.setenv("FFN_SIGNING_KEY", OTHER)
    with pytest.raises(
        BundleError, match=r"not signed with the key in FFN_SIGNING_KEY: changed, or"
    ):
        read_bundle(tmp_path)


def test_a_forged_bundle_with_right_digests_is_refused(tmp_path: Path, key: str) -> None:
    write_bundle(make(), tmp_path)
    forge(tmp_path, optimizer="mine")
    with pytest.raises(BundleError, match=r"not signed with the key"):
        read_bundle(tmp_path)


def test_the_signature_of_another_bundle_is_refused(tmp_path: Path, key: str) -> None:
    for seed in (0, 1):
        write_bundle(make(seed=seed), tmp_path / str(seed))
    (tmp_path / "0/manifest.hmac").replace(tmp_path / "1/manifest.hmac")
    with pytest.raises(BundleError, match=r"not signed with the key"):
        read_bundle(tmp_path / "1")


def test_no_byte_of_a_signature_can_change(tmp_path: Path, key: str) -> None:
    write_bundle(make(), tmp_path)
    path = tmp_path / "manifest.hmac"
    signature = path.read_bytes()
    changed = [
        *(signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :] for i in range(65)),
        *(signature[:length] for length in range(65)),
        signature + b"\n",
        signature.upper(),
        b"0" * 10**6,
    ]
    for wrong in changed:
        path.write_bytes(wrong)
        with pytest.raises(BundleError, match=r"signature is damaged|not signed with the key"):
            read_bundle(tmp_path)
    path.unlink()
    path.symlink_to("model.json")
    with pytest.raises(BundleError, match=r"its signature cannot be read"):
        read_bundle(tmp_path)


def test_the_key_may_be_in_a_file(tmp_path: Path, key: str, monkeypatch) -> None:
    write_bundle(make(), tmp_path / "bundle")
    (tmp_path / "key").write_text(f"{KEY}\n")
    for name in (str(tmp_path / "key"), "./key", "~/key"):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FFN_SIGNING_KEY", name)
        read_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a key must have 32 to 4,096 bytes, but this one has 0"),
        ("short", r"but this one has 5\. Make one with: python -c .*unset the variable"),
        ("x" * 31, r"but this one has 31\."),
        ("x" * 5000, r"but this one has 5,000\."),
        ("/nowhere/key", r"/nowhere/key cannot be read \(No such file.*A value that begins with /"),
        ("~nobody-here/key", r"~nobody-here/key cannot be read \(Could not determine home"),
        ("./", r"cannot be read \(not a plain file\)"),
        ("/dev/zero", r"cannot be read \(not a plain file\)"),
    ],
)
def test_what_is_no_key_is_refused_and_never_ignored(tmp_path, monkeypatch, text, message) -> None:
    write_bundle(make(), tmp_path)
    monkeypatch.setenv("FFN_SIGNING_KEY", text)
    for use in (lambda: read_bundle(tmp_path), lambda: write_bundle(make(), tmp_path / "new")):
        with pytest.raises(SettingsError, match=message) as refused:
            use()
        assert text in ("", "short", "./") or len(text) < 20 or text not in str(refused.value)


def test_where_there_is_a_key_only_what_is_signed_is_promoted_scored_and_sound(
    tmp_path: Path, monkeypatch
) -> None:
    artifacts = tmp_path / "things"
    add_version(artifacts, lambda folder: write_bundle(make(), folder / "bundle"))  # type: ignore[arg-type, return-value]
    promote(artifacts, 1, reason="before there was a key")
    monkeypatch.setenv("FFN_SIGNING_KEY", KEY)
    for use in (lambda: load(artifacts), lambda: promote(artifacts, 1, reason="")):
        with pytest.raises(BundleError, match=r"0001/bundle: not signed, and FFN_SIGNING_KEY asks"):
            use()
    (damage,) = verify(artifacts).damages
    assert "not signed" in damage.problem
    sign_bundle(artifacts / "models/0001/bundle")
    assert load(artifacts).version == 1
    assert verify(artifacts).damages == ()
    monkeypatch.delenv("FFN_SIGNING_KEY")
    assert verify(artifacts).damages == ()
    (artifacts / "models/0001/bundle/manifest.hmac").write_text("nonsense")
    (damage,) = verify(artifacts).damages
    assert "its signature is damaged" in damage.problem


def test_signing_needs_a_key_and_a_sound_bundle(tmp_path: Path, monkeypatch) -> None:
    write_bundle(make(), tmp_path)
    with pytest.raises(SettingsError, match=r"FFN_SIGNING_KEY is not set"):
        sign_bundle(tmp_path)
    monkeypatch.setenv("FFN_SIGNING_KEY", KEY)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(BundleError, match=r"model\.json: "):
        sign_bundle(tmp_path)
    assert not (tmp_path / "manifest.hmac").exists()
