"""A pipeline from a CSV to scored files, labels and status; open it as a notebook, or run it."""

# %% [markdown]
# # A scheduled pipeline, end to end
#
# Penguins are measured, and a pipeline says their species. It is made from a CSV, retrains at
# night, scores files that are put into its inbox, and is told later how it did. `ffn serve` does
# all of it by itself. Here each step is taken by hand, so that you can see what it does.
#
# Everything is written to a folder of its own.

# %%
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pandas as pd

import ffn

root = Path(tempfile.mkdtemp(prefix="penguins-"))
penguins = pd.read_csv("data/penguins/train.csv", dtype=str, keep_default_na=False)
penguins["ring"] = [f"ring-{number:03}" for number in range(len(penguins))]
shuffled = penguins.sample(frac=1, random_state=1)
first, later = shuffled[:260], shuffled[260:]
first.to_csv(root / "first.csv", index=False)
print(len(first), "penguins to begin with,", len(later), "come later")


def command(*arguments):
    """Run `ffn` as in a terminal, and print what it prints."""
    line = [sys.executable, "-m", "flows", *map(str, arguments), "--root", root]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    print(done.stdout.replace(str(root), "…"))


# %% [markdown]
# ## Make it
#
# `ffn init` looks at the table and writes `pipeline.toml`. The year of the study is no property
# of a penguin, and the ring is its name, so neither is a feature.

# %%
command(
    *("init", "penguins", "--from", root / "first.csv", "--target", "species"),
    *("--exclude", "year", "--exclude", "ring", "--missing", "NA"),
)
settings = root / "data/penguins/pipeline.toml"
text = settings.read_text()

# %% [markdown]
# A notebook should not take long: three networks instead of sixteen. The schedule is every night
# at three, and whenever the table has changed. The ring joins predictions with labels that come
# later.

# %%
text = text.replace("networks = 16", "networks = 3").replace("epochs = 150", "epochs = 30")
schedule = 'retrain = [{ cron = "0 3 * * *", timezone = "UTC" }]\nretrain_on = ["data"]\n'
text = text.replace("[schedule]\n", f"[schedule]\n{schedule}")
text = text.replace("[outcomes]\n", '[outcomes]\nid = "ring"\n')
settings.write_text(text)
print(tomllib.loads(text)["schedule"])
command("serve", "--check")

# %% [markdown]
# ## Retrain, as every night
#
# The second time nothing has changed, so nothing is trained.

# %%
outcome = ffn.retrain("penguins", root=root)
print(outcome)
print(ffn.retrain("penguins", root=root))

# %% [markdown]
# ## Score what is in the inbox
#
# Later penguins arrive without their species. A file is scored once; the service looks every few
# seconds.

# %%
inbox = root / "data/penguins/inbox"
inbox.mkdir(exist_ok=True)
later.drop(columns="species").to_csv(inbox / "march.csv", index=False)
scored = ffn.score("penguins", root=root, new=True)
print(scored)
print(ffn.score("penguins", root=root, new=True))
labelled = pd.read_csv(scored.results[0].output)
print(labelled[["ring", "predicted_species", "confidence"]].head(3).to_string(index=False))

# %% [markdown]
# ## The labels arrive
#
# Someone has looked at the birds. What was promised on held-out rows is compared with what came
# true.

# %%
later[["ring", "species"]].to_csv(root / "labels.csv", index=False)
print(ffn.evaluate("penguins", root / "labels.csv", root=root))
right = labelled.merge(later[["ring", "species"]], on="ring")
accuracy = (right["predicted_species"] == right["species"]).mean()
print(f"{accuracy:.1%} of {len(right)} were right")

# %% [markdown]
# ## The status
#
# The page of every morning: what scores, what ran, what drifted.

# %%
command("status", "penguins")

# %% [markdown]
# `ffn serve` keeps doing this until it is stopped, with a dashboard:
# [operations](../docs/operations.md).
