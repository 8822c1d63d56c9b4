"""The user's page says what the program does."""

import json
import re

from ffn.scoring.score_file import score_csv
from ffn.tabular.csv.parsing.rejects import Reason
from tests.helpers.scorers import TenthsScorer


def rows_of_table(page, heading):
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]


def test_every_reason_is_documented(repository):
    page = (repository / "docs" / "scoring.md").read_text("utf-8")
    documented = [cell.strip(" `") for cell in rows_of_table(page, "Rejected rows")]
    assert documented == [str(reason) for reason in Reason]


def test_every_key_of_the_manifest_is_documented(repository, tmp_path):
    page = (repository / "docs" / "scoring.md").read_text("utf-8")
    documented = {
        key for cell in rows_of_table(page, "Manifest") for key in re.findall(r"`(\w+)`", cell)
    }
    (tmp_path / "in.csv").write_text("size,colour\n1,red\n")
    result = score_csv(TenthsScorer(), tmp_path / "in.csv", tmp_path / "out.csv")
    assert documented == set(json.loads(result.manifest.read_bytes()))
