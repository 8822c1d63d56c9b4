"""Examples of keys that have no default, as a new ``pipeline.toml`` shows them."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["EXAMPLES"]

EXAMPLES = MappingProxyType(
    {
        "data.query": '"SELECT * FROM customers"',
        "data.features": '["age", "income"]',
        "data.exclude": '["id", "notes"]',
        "data.labels": '{ "1" = "yes", "0" = "no" }',
        "data.encoding": '"cp1252"',
        "data.weight": '"weight"',
        "split.time": '"date"',
        "split.time_format": '"%d/%m/%Y"',
        "split.embargo": '"7d"',
        "split.group": '"customer"',
        "split.test": '"held_out.csv"',
        "features.most_categories": "50",
        "network.student_layers": "[32, 32]",
        "training.members": "4",
        "search.layers": "[[64], [128, 64]]",
        "search.dropout": "[0.0, 0.1, 0.3]",
        "search.label_smoothing": "[0.0, 0.05]",
        "search.batch_size": "[64, 256]",
        "search.weight_decay": "[0.01, 0.3]",
        "training.time_budget": '"5m"',
        "decision.label_sets": "0.9",
        "scoring.database": '"sqlite:///shop.db"',
        "scoring.query": '"SELECT * FROM new_customers"',
        "scoring.table": '"labels"',
        "scoring.new_by": '"id"',
        "notify.webhook": '"$FFN_WEBHOOK"',
        "runner.workers": "4",
        "runner.dask_address": '"tls://scheduler.example:8786"',
        "runner.ray_address": '"auto"',
        "runner.tls_ca": '"ca.pem"',
        "runner.tls_certificate": '"worker.pem"',
        "runner.tls_key": '"worker.key"',
        "outcomes.id": '"id"',
        "outcomes.label": '"outcome"',
        "outcomes.append": '"history"',
        "shadow.versions": '"latest"',
    }
)
"""By ``table.key``, a value in TOML. A key that is not here is written without one."""
