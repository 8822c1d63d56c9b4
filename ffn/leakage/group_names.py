"""Names of columns that say whose a row is: customers, patients, schools."""

from __future__ import annotations

import re

__all__ = ["is_named_like_a_group"]

# In the plural alone, as in num_open_accounts, a name says how many there are.
_GROUP_NAME = re.compile(
    r"(?i:(?:.*[_ .-])?(?:[psu]?id|uuid|guid|key|customer|client|patient|subject|user|account|"
    r"household|family|person|individual|participant|respondent|member|player|driver|employee|"
    r"student|pupil|device|machine|sensor|session|store|shop|school|farm|site)"
    r"(?:s?[_ .-]?(?:id|no|nr|number|key|code|name))?)"
    r"|.*[a-z]I[dD]"
)


def is_named_like_a_group(name: str) -> bool:
    """Return whether a column's ``name`` says that it is a group: ``customer_id``, ``school``."""
    return bool(_GROUP_NAME.fullmatch(name))
