"""What is known of a version, and how to check it; open it as a notebook, or run it."""

# %% [markdown]
# # The audit of a version
#
# An auditor asks of a model that decides: what was it made from, who put it into production and
# why, is it still what was examined, and could it be made again? Everything needed is in the
# version's folder. This notebook makes a small version, answers the questions, and then damages
# the version to see it noticed.

# %%
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ffn

root = Path(tempfile.mkdtemp(prefix="audit-"))
shutil.copytree("data/iris", root / "data/iris")
settings = root / "data/iris/pipeline.toml"
small = settings.read_text().replace("networks = 16", "networks = 2")
settings.write_text(small.replace("epochs = 150", "epochs = 30"))
outcome = ffn.retrain("iris", root=root)
print(outcome)
folder = root / "artifacts/iris/models/0001"
print(*sorted(path.name for path in folder.iterdir()), sep="\n")


def command(*arguments):
    """Run `ffn` as in a terminal, and print what it prints."""
    line = [sys.executable, "-m", "flows", *map(str, arguments), "--root", root]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    print((done.stdout + done.stderr).replace(str(root), "…"))
    return done.returncode


# %% [markdown]
# ## What was it made from?
#
# `provenance.json` names the table by its digest, the settings, the seed, the code and the
# packages. The digest can be checked without any of our code:

# %%
provenance = json.loads((folder / "provenance.json").read_bytes())
digest = hashlib.sha256((root / "data/iris/train.csv").read_bytes()).hexdigest()
print("recorded", provenance["source_sha256"])
print("computed", digest)
assert digest == provenance["source_sha256"]
print("seed", provenance["settings"]["training"]["seed"])

# %% [markdown]
# ## Who put it into production, and why?
#
# `verdict.json` is the gate's decision with its evidence, `history.jsonl` every promotion and
# rollback.

# %%
verdict = json.loads((folder / "verdict.json").read_bytes())
print("promoted:", verdict["promote"], "because", verdict["reason"])
for line in (root / "artifacts/iris/history.jsonl").read_text().splitlines():
    entry = json.loads(line)
    print(sorted(entry), entry["version"])

# %% [markdown]
# ## What is claimed of it?
#
# Every figure has an interval, and was measured on rows that chose nothing. The model card says
# it in words.

# %%
test = json.loads((folder / "metrics.json").read_bytes())["test"]
accuracy = test["accuracy"]
print(f"accuracy {accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}]")
card = (folder / "model_card.md").read_text()
print(*(line for line in card.splitlines() if line.startswith("#")), sep="\n")

# %% [markdown]
# ## Is it still what was examined?
#
# The bundle is what scores. Its SHA-256 is that of its manifest, which has the digests of the
# other files, so the chain can be followed by hand:

# %%
manifest = (folder / "bundle/manifest.json").read_bytes()
for name, part in json.loads(manifest)["parts"].items():
    assert hashlib.sha256((folder / "bundle" / name).read_bytes()).hexdigest() == part["sha256"]
    print("as recorded:", name)
pointer = json.loads((root / "artifacts/iris/production.json").read_bytes())
print(hashlib.sha256(manifest).hexdigest() in json.dumps(pointer))
assert command("verify", "iris") == 0

# %% [markdown]
# ## Could it be made again?
#
# Its table was kept, so it can be trained again with the recorded settings. On this machine every
# byte is the same.

# %%
assert command("reproduce", "iris", 1) == 0

# %% [markdown]
# ## Would damage be noticed?
#
# One bit of one weight is turned. The model is not loaded any more, and `ffn verify` names the
# file.

# %%
arrays = folder / "bundle/arrays.safetensors"
content = bytearray(arrays.read_bytes())
content[-1] ^= 1
arrays.write_bytes(content)
code = command("verify", "iris")
assert code == 1
try:
    ffn.load(root / "artifacts/iris")
except ffn.FFNError as error:
    print(str(error).replace(str(root), "…"))
