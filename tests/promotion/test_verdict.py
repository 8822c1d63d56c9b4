"""What the gate writes down."""

from __future__ import annotations

from dataclasses import replace

from ffn.promotion.verdict import Canary
from tests.helpers.retrained import FIRST


def test_the_sentence_names_both_versions() -> None:
    assert FIRST.sentence(1) == "Version 1 is promoted: no version was in production."
    kept = replace(FIRST, promote=False, reason="worse", production=3)
    assert kept.sentence(4) == "Version 4 is not promoted; version 3 stays in production: worse."
    none = replace(kept, production=None)
    assert none.sentence(1) == "Version 1 is not promoted; nothing is in production: worse."


def test_the_sentence_ends_with_the_classes_that_are_not_found() -> None:
    found = replace(FIRST, missed='finds 0 of the 3 held-out rows of "bad"')
    assert found.sentence(1) == (
        "Version 1 is promoted: no version was in production. Warning: it finds 0 of the 3 "
        'held-out rows of "bad".'
    )
    assert FIRST.warnings == ""


def test_a_canary_can_only_ever_keep_production() -> None:
    well, ill = Canary(rows=9), Canary(rows=9, problem="it lied")
    kept = replace(FIRST, promote=False, reason="worse")
    assert FIRST.after(well) == replace(FIRST, canary=well)
    assert kept.after(well) == replace(kept, canary=well)
    for verdict in (FIRST, kept):
        found = verdict.after(ill)
        assert not found.promote
        assert found.reason == "its bundle failed in a fresh process: it lied"
