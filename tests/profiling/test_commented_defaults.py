"""What a new pipeline leaves to defaults stands in its file, and is what the settings say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ffn.profiling.commented_defaults import with_defaults
from ffn.profiling.scaffold import create_pipeline
from ffn.profiling.setting_examples import EXAMPLES
from ffn.settings.document import PipelineSettings, check_settings

MINIMAL = '# Mine\n\n[data]\nsource = "t.csv"\ntarget = "y"\n'
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


def uncommented(text: str) -> str:
    return re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)


def read(text: str) -> PipelineSettings:
    return check_settings(tomllib.loads(text), "pipeline.toml")


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that a table with a date, a group and a blank cell gets."""
    folder = tmp_path_factory.mktemp("new")
    rows = [
        f"2024-0{1 + i % 9}-11,c{i % 30},{'' if i == 4 else i * 37 % 50},{'ab'[i % 2]}\n"
        for i in range(120)
    ]
    (folder / "t.csv").write_text("day,customer,n,y\n" + "".join(rows))
    settings, _ = create_pipeline("mine", source=folder / "t.csv", target="y", root=folder)
    return settings.read_text("utf-8")


def keys() -> Iterator[tuple[str, str, Any]]:
    """Yield table, key and field of every key of every table at the top."""
    for table, entry in PipelineSettings.model_fields.items():
        model = entry.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        yield from ((table, key, field) for key, field in model.model_fields.items())


@pytest.mark.parametrize("made", ["minimal", "new"])
def test_all_taken_out_of_their_comments_the_settings_are_the_same(made: str, new: str) -> None:
    text = with_defaults(MINIMAL) if made == "minimal" else new
    before, after = read(text), read(uncommented(text))
    assert uncommented(text) != text
    assert after.model_copy(update={"optimizers": before.optimizers}) == before
    # A table of an optimizer adds a candidate, with the defaults it has by itself.
    alone = read(MINIMAL).optimizers.candidates()
    for name in OPTIMIZERS:
        mine = getattr(before.optimizers, name)
        found = after.optimizers.candidates()[name]
        assert found == (alone[name] if mine is None else before.optimizers.candidates()[name])


def test_what_is_written_changes_nothing_that_is_used(new: str) -> None:
    active = [line for line in new.splitlines() if line and not line.startswith("#")]
    assert read("\n".join(active)) == read(new)
    assert read(with_defaults(MINIMAL)) == read(MINIMAL)


def test_every_key_stands_in_its_table_with_its_default(new: str) -> None:
    """The table is the header above that is no comment: there a line lands that is taken out."""
    found: dict[tuple[str, str], str] = {}
    table = ""
    for line in new.splitlines():
        if header := re.match(r"\[([\w.]+)\]", line):
            table = header[1]
        elif key := re.match(r"(?:# e\.g\. |# ?)?\"?(\w+)\"? (?:= |is not set)", line):
            assert (table, key[1]) not in found, line
            found[table, key[1]] = line
    for table, key, _ in keys():
        if (table, key) == ("data", "query") or f"[{table}.{key}]" in new:
            continue
        assert (table, key) in found, f"{table}.{key}"
    assert found["gate", "alpha"].startswith("#alpha = 0.05 ")
    assert found["inbox", "watch"] != found["outcomes", "watch"]


def test_each_line_can_be_taken_out_alone(new: str) -> None:
    lines = new.splitlines()
    alone = [place for place, line in enumerate(lines) if re.match(r"#\S", line)]
    assert len(alone) > 50
    # Reading takes half a millisecond; two at a time would find no other mistake.
    for place in alone:
        changed = [*lines[:place], lines[place][1:], *lines[place + 1 :]]
        assert read("\n".join(changed)), lines[place]


def test_what_is_active_comes_first(new: str) -> None:
    headers = re.findall(r"^\[(\w+)", new, re.MULTILINE)
    document = {name for name, table in tomllib.loads(new).items() if table}
    places = [headers.index(name) for name in document]
    assert max(places) < min(
        n for n, name in enumerate(headers) if name not in document | {"split"}
    )
    within = ""
    for line in new.splitlines():
        if line.startswith("["):
            within = "active"
        elif line.startswith("#"):
            within = "comment"
        elif line and within == "comment":
            pytest.fail(f"{line} stands below comments")


def test_lines_are_readable(new: str) -> None:
    assert max(map(len, new.splitlines())) <= 110
    assert "``" not in new
    assert re.search(r"^#mode = \"not_worse\" +# of: better, not_worse, always, never$", new, re.M)
    assert re.search(r"^# e\.g\. time_budget = \"5m\" +# time for the comparison", new, re.M)
    # Cut where it is whole, and where a clause is shared by keys not at all.
    assert re.search(
        r"^#class_margin = 0.02 +# loss of recall that is tolerated for each class$", new, re.M
    )
    assert "the area under the ROC curve and average precision\n#min_balanced_accuracy" in new
    assert "# probability, for each version, of an alert although its quality" in new


_TLS = 'kind = "dask"\ndask_address = "tls://scheduler.example:8786"\n'
WITH = {
    "data.query": 'source = "sqlite:///shop.db"\ntarget = "y"\n',
    "split.time_format": 'time = "date"\n',
    "split.embargo": 'time = "date"\n',
    "runner.tls_ca": _TLS + 'tls_certificate = "a"\ntls_key = "b"\n',
    "runner.tls_certificate": _TLS + 'tls_ca = "a"\ntls_key = "b"\n',
    "runner.tls_key": _TLS + 'tls_ca = "a"\ntls_certificate = "b"\n',
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_accepted_where_it_stands(name: str) -> None:
    table, key = name.split(".")
    base = "" if table == "data" else MINIMAL
    own = 'source = "t.csv"\ntarget = "y"\n' if table == "data" else ""
    text = f"{base}[{table}]\n{WITH.get(name, own)}{key} = {EXAMPLES[name]}\n"
    value = getattr(getattr(read(text), table), key)
    assert value is not None
    # It is an example of a key without a default.
    (field,) = (field for at, one, field in keys() if (at, one) == (table, key))
    assert field.default is None


def test_every_key_without_default_has_an_example() -> None:
    without = {f"{t}.{k}" for t, k, f in keys() if not f.is_required() and f.default is None}
    assert without - set(EXAMPLES) == {f"optimizers.{name}" for name in OPTIMIZERS}


def test_other_texts_and_headers_in_a_file_stay(tmp_path: Path) -> None:
    text = (
        "# Mine\n# a note\n\n[data]\nsource = \"t.csv\"\ntarget = 'a # [gate]'\n\n"
        '[data.kinds]  # as found\nx = "numeric"\n\n'
        "# Compare more.\n[optimizers.adamw]\nweight_decay = 0.3  # strong\n"
    )
    made = with_defaults(text)
    for line in text.splitlines():
        assert line in made.splitlines()
    assert made.index("#sgd = {") < made.index("# Compare more.\n[optimizers.adamw]")
    assert '\n#learning_rate = "auto"\n' in made.partition("# Compare more.\n")[2]
    assert read(made) == read(text)
