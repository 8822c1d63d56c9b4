"""``FFN_SIGNING_KEY`` on the command line: what is signed scores, and nothing else does."""

from __future__ import annotations

import json
import re
import shutil

ROOT = "--root"


def test_with_a_key_only_signed_versions_score(ffn, registry, monkeypatch):
    monkeypatch.setenv("FFN_SIGNING_KEY", "k" * 32)
    not_signed = r"not signed, and FFN_SIGNING_KEY asks for a signature"
    scoring = ("score", "iris", "--direct", ROOT, registry)
    for arguments in (scoring, ("promote", "iris", "4", ROOT, registry)):
        assert re.search(not_signed, ffn(*arguments).refusal)
    assert ffn("verify", "iris", ROOT, registry).code == 1
    assert ffn("promote", "iris", "4", "--sign", ROOT, registry).code == 0
    assert ffn(*scoring).code == 0
    # Signing vouches for what was registered, not for what stands there now.
    models = registry / "artifacts/iris/models"
    shutil.copytree(models / "0002/bundle", models / "0003/bundle", dirs_exist_ok=True)
    refusal = ffn("promote", "iris", "3", "--sign", ROOT, registry).refusal
    assert "0003/bundle: not the bundle that was registered as version 3" in refusal
    assert not (models / "0003/bundle/manifest.hmac").exists()
    monkeypatch.setenv("FFN_SIGNING_KEY", "another" * 5)
    assert re.search(r"not signed with the key in FFN_SIGNING_KEY", ffn(*scoring).refusal)
    # A retraining signs what it makes, and need not wait for anybody who does.
    found = json.loads(ffn("retrain", "iris", "--direct", "--json", ROOT, registry).out)
    assert (found["version"], found["promoted"]) == (5, True)
    assert "not signed with the key in FFN_SIGNING_KEY" in " ".join(found["notices"])
    assert ffn(*scoring).code == 0


def test_retraining_with_a_key_gives_the_same_model_signed(ffn, root, monkeypatch):
    made = []
    for key in (None, "k" * 32):
        if key:
            monkeypatch.setenv("FFN_SIGNING_KEY", key)
            shutil.rmtree(root / "artifacts")
        found = json.loads(ffn("retrain", "iris", "--direct", "--json", ROOT, root).out)
        made.append(found["bundle_sha256"])
        assert (root / "artifacts/iris/models/0001/bundle/manifest.hmac").exists() is bool(key)
    assert made[0] == made[1]
    assert ffn("verify", "iris", ROOT, root).code == 0
    assert ffn("score", "iris", "--direct", ROOT, root).code == 0
