"""What can be kept at hand, and what its content must look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.kernel.language import N_
from db.kernel.refusal import Refused

KINDS = ("filter", "selection", "view")
"""filter: ``Filter.as_plain()``; selection: ``{"ids": [case ids]}``; view: place and zoom of the map."""
EVERYBODY = "*"
"""As the role that something is shared with: every role."""
MOST_CASES = 200_000
"""A selection is a list by id; what is greater than that is a filter."""


def plain_faults(kind: str, content: Mapping[str, Any]) -> list[Refused]:
    """What is wrong with the content; a filter and a view are read strictly by whoever opens them."""
    if kind != "selection":
        return []
    ids = content.get("ids")
    if not isinstance(ids, list | tuple) or not all(type(each) is int for each in ids):
        return [Refused("bad_content", N_("A selection is a list of cases."))]
    if not ids:
        return [Refused("empty_selection", N_("No case is selected."))]
    if len(ids) > MOST_CASES:
        return [
            Refused(
                "too_many",
                N_("{count} cases are too many for a selection; keep the filter instead."),
                count=f"{len(ids):,}",
            )
        ]
    return []
