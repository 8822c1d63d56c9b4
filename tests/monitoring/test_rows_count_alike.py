"""Labels that are joined by ids count alike, and whoever wants more is told what to do."""

from __future__ import annotations

from pathlib import Path

import ffn
from tests.monitoring.conftest import change_settings, labels, rows, scored


def test_what_joined_labels_do_not_take_is_told(root: Path) -> None:
    found = rows(20, 4, first=1000)
    scored(root, found)
    outcome = ffn.evaluate("flow", labels(root, found[:10]), root=root)
    assert outcome.deliveries[0].notices == []
    change_settings(root, 'target = "y"', 'target = "y"\nweight = "w"')
    settings = root / "data/flow/pipeline.toml"
    settings.write_text(f'{settings.read_text()}\n[split]\ngroup = "p"\n')
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    (notice,) = outcome.deliveries[0].notices
    assert notice.startswith(
        'Labels joined by an id count alike, without weights (data.weight = "w") and groups '
        '(split.group = "p"). For figures with them, and for slices, give Model.evaluate the same '
        "rows with all features"
    )
    # Where nothing is new, there is nothing to say.
    outcome = ffn.evaluate("flow", labels(root, found), root=root)
    assert outcome.deliveries[0].notices == []
