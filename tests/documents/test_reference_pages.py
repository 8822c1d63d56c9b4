"""The reference has every verb, option, setting, public name and refusal, and none that is not."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import ffn
from docs.extensions.command_line import UNEXPLAINED, command_line_page
from docs.extensions.decisions import decisions_page
from docs.extensions.public_names import PUBLIC_MODULES, public_names, public_names_page
from docs.extensions.refusals import families, refusals, refusals_page
from docs.extensions.settings_tables import settings_page
from ffn.settings.document import check_settings
from ffn.settings.pipeline import find_pipeline
from tests.helpers.command_line import run_here

ROOT = Path(__file__).parents[2]


def sections(page: str) -> dict[str, str]:
    """Return the text below each heading of the second level."""
    return {part.split("\n")[0]: part for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]}


def test_every_verb_has_a_section_with_all_that_its_help_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = sections(command_line_page())
    assert run_here(["--help"]) == 0
    verbs = re.findall(r"^    ([a-z]+)\b", capsys.readouterr().out, re.MULTILINE)
    assert {"retrain", "score", "serve"} <= set(verbs)
    assert [f"ffn {verb}" for verb in verbs] == list(found)
    for verb in verbs:
        assert run_here([verb, "--help"]) == 0
        told = capsys.readouterr().out
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told)) - {"--help"}
        listed = "\n".join(line for line in found[f"ffn {verb}"].splitlines() if line[:3] == "| `")
        assert options == set(re.findall(r"(?<=`)--[a-z][a-z-]+", listed)), verb
        rows = [row.strip("| ").split(" | ", 1) for row in listed.splitlines()]
        # Each is described, and in the words of the help.
        flat = " ".join(told.split())
        for name, meaning in rows:
            words = meaning.replace("\\|", "|").removesuffix("; required")
            assert words in flat or words in UNEXPLAINED.values(), (verb, name)
            assert words, (verb, name)


def test_every_setting_of_the_settings_page_is_in_the_table_and_no_other() -> None:
    page = (ROOT / "docs/pipeline.md").read_text("utf-8")
    parts = re.split(
        r"^#+ \[([\w.]+)\]\n", page.replace("### A schedule", "### [When]"), flags=re.M
    )
    written = {
        name: re.findall(r"^\| `(\w+)` \|", text.split("\n#")[0], re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
        if name != "optimizers"
    }
    made = {
        name.strip("\\[]"): re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        for name, text in sections(settings_page()).items()
    }
    assert made.pop("schedule.retrain") == made.pop("schedule.score") == written.pop("When")
    assert made == written


def test_a_setting_is_described_as_it_is_checked() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 90
    for row in rows:
        key, kind, default, meaning = re.split(r"(?<!\\) \| ", row.strip("| "), maxsplit=3)
        assert kind, key
        assert default, key
        assert meaning.strip(), key
    (alpha,) = (
        row for row in sections(settings_page())["\\[gate\\]"].splitlines() if "`alpha`" in row
    )
    assert "number, above 0, at most 0.5 | `0.05`" in alpha
    text = (ROOT / "data/iris/pipeline.toml").read_text("utf-8")
    document = tomllib.loads(text)
    check_settings(document, "pipeline.toml")
    document.setdefault("gate", {})["alpha"] = 0.6
    with pytest.raises(
        ffn.FFNError, match=r'"gate.alpha" is 0.6; it must be less than or equal to 0.5'
    ):
        check_settings(document, "pipeline.toml")


def test_every_public_name_has_a_section() -> None:
    page = public_names_page()
    listed = {name for names in public_names().values() for name in names}
    exported = {
        name
        for module in PUBLIC_MODULES
        for name in __import__(module, fromlist=["__all__"]).__all__
        if not name.startswith("__")
    }
    assert listed == exported
    assert {"retrain", "Model", "FFNClassifier", "Network", "BusyError"} <= listed
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [
        name for names in public_names().values() for name in names
    ]


def test_every_error_made_in_the_source_is_listed() -> None:
    names = "|".join(families())
    pattern = re.compile(rf"(?<!class )\b({names})\((?=[^)\s]|\s+\S)")
    counted = Counter(
        {
            path.relative_to(ROOT).as_posix(): found
            for folder in ("ffn", "flows")
            for path in (ROOT / folder).rglob("*.py")
            # Docstrings may speak of one; code calls it.
            if (
                found := len(
                    pattern.findall(re.sub(r'"""(?s:.*?)"""', "", path.read_text("utf-8")))
                )
            )
        }
    )
    texts = refusals()
    listed = Counter(
        module
        for module, _ in {(r.module, (r.line, r.family)) for r in texts if r.family in families()}
    )
    assert sum(counted.values()) > 200
    assert {m: n for m, n in counted.items() if listed[m] < n} == {}


def test_the_page_has_every_refusal_that_has_words_of_its_own() -> None:
    page = refusals_page()
    texts = refusals()
    wordless = [refusal for refusal in texts if not re.search(r"[a-z]{2}", refusal.fixed)]
    # These pass on what was made, and is listed, elsewhere: the reasons of several files, say.
    assert len(wordless) < len(texts) / 15
    assert all(refusal.markdown() in page for refusal in texts if refusal not in wordless)
    assert not re.search(r"^- \S+$", page, re.MULTILINE)


def write(root: Path, name: str, settings: str, table: str) -> None:
    folder = root / "data" / name
    folder.mkdir(parents=True)
    (folder / "pipeline.toml").write_text(settings)
    (folder / "train.csv").write_text(table)


SETTINGS = '[data]\nsource = "train.csv"\ntarget = "kind"\n'
REFUSED = {
    "retrain nobody --direct": "",
    "retrain headed --direct": "a,b,kind\n",
    "retrain other --direct": "a,b\n1,2\n",
    "score headed new.csv --direct": "a,b,kind\n1,2,x\n",
    "promote headed 7": "a,b,kind\n1,2,x\n",
    "rollback headed": "a,b,kind\n1,2,x\n",
    "models headed 3": "a,b,kind\n1,2,x\n",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_the_program_says_is_found_on_the_page(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, name, *_ = line.split()
    if REFUSED[line]:
        write(tmp_path, name, SETTINGS, REFUSED[line])
    (tmp_path / "data").mkdir(exist_ok=True)
    assert run_here([*line.split(), "--root", tmp_path]) == 1
    said = capsys.readouterr().err.strip().removeprefix("ffn: ")
    found = [r for r in refusals() if len(r.fixed.split()) > 3 and r.pattern.fullmatch(said)]
    assert found, f"{verb}: {said}"


@pytest.mark.parametrize(
    "line", ["epochs = 0", "batch_size = 0", 'ensemble = "all"', "epoch = 3", "dropout = 1"]
)
def test_what_a_wrong_setting_gives_begins_as_the_page_says(line: str, tmp_path: Path) -> None:
    write(tmp_path, "headed", f"{SETTINGS}[training]\n{line}\n", "a,kind\n1,x\n")
    with pytest.raises(ffn.FFNError, match=r"pipeline.toml: ") as refused:
        find_pipeline("headed", tmp_path)
    assert any(
        r.module == "ffn/settings/document.py" and r.pattern.fullmatch(str(refused.value))
        for r in refusals()
    )


def test_all_decisions_are_listed_by_their_titles() -> None:
    lines = decisions_page().splitlines()
    assert len(lines) == len(list((ROOT / "docs/decisions").glob("[0-9]*.md")))
    assert lines[2] == "- [3. " + lines[2][6:]
    assert "(../decisions/0003-tie-rule.md)" in lines[2]


def test_the_glossary_is_in_order_and_its_words_are_used() -> None:
    page = (ROOT / "docs/reference/glossary.md").read_text("utf-8")
    words = re.findall(r"^\| ([^|]+?) \| ", page, re.MULTILINE)[1:]
    assert len(words) > 30
    assert words == sorted(words, key=str.lower)
    others = " ".join(
        path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md") if path.is_file()
    ).lower()
    assert [w for w in words if w.split(", ")[0].split()[0].lower() not in others] == []
