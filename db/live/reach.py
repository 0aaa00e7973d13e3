"""Whether a person may act on cases of the board, told before it is tried: scope and claims.

The same rules as in ``db.cases.scope`` and ``db.cases.leases``, asked of the live columns: a screen greys out
what would be refused and says why. What counts is the command all the same.
"""

from __future__ import annotations

import numpy as np

from db.cases.leases import breaks_claim
from db.cases.scope import out_of_scope
from db.cases.workflow import Workflow
from db.kernel.actor import Actor
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.live.columns import Int32, Mask
from db.live.days import clock_words
from db.live.store import Store

_EVERY = slice(None)
_GIVEN = frozenset({"unit", "reason", "condition", "note", "photo", "document", "approval"})


def why_not(
    actor: Actor, verb: str, store: Store, slot: int, workflow: Workflow | None = None
) -> Refused | None:
    """Why a person may not do a verb with a case of the board; ``None`` when nothing speaks against it.

    Scope and claim are asked, and with a ``workflow`` state and permission as well; what the verb needs
    (a reason, a unit) is taken for given.
    """
    row = store.plain(slot)
    category = store.directory.categories.get(row["category_id"])
    code = f"{category.kind} {category.code}" if category is not None else ""
    refusal = out_of_scope(actor, row, code, row["helpers"])
    if refusal is not None:
        return refusal
    breaks = True
    if workflow is not None:
        try:
            breaks = breaks_claim(workflow.move(row["state"], verb, actor, _GIVEN))
        except Refused as refused:
            return refused
    return claimed_by_other(actor, store, row["id"]) if breaks else None


def claimed_by_other(actor: Actor, store: Store, case_id: int) -> Refused | None:
    """The refusal that names who else has claimed a case; ``None`` when nobody else has."""
    claim = store.claims.by_case.get(case_id)
    if claim is None or claim.account_id == actor.account_id:
        return None
    # zh: {who} 已领取，至 {until}。
    message = N_("{who} has claimed it until {until}.")
    return Refused("claimed", message, who=claim.name, until=clock_words(claim.until_ms, store.zone))


def within_reach(actor: Actor, store: Store, slots: Int32 | slice = _EVERY) -> Mask:
    """Which of the slots a person may act on by scope alone; claims and states apart. Empty slots: any."""
    scope = actor.scope
    unit: Int32 = store.unit[slots]
    reach = np.ones(len(unit), dtype=bool)
    if scope.areas:
        in_area = np.zeros(len(unit), dtype=bool)
        for name in ("district", "community", "patrol", "cell"):
            codes: Int32 = getattr(store, name)
            in_area |= store.codes[name].chosen(scope.areas)[codes[slots]]
        reach &= in_area
    if scope.units:
        helps = store.sets["helpers"].with_any(map(str, scope.units))
        reach &= store.codes["unit"].chosen(scope.units)[unit] | helps[store.helpers[slots]]
    if scope.prefixes:
        classes = store.directory.categories
        codes_of = [classes.get(int(i)) for i in store.codes["category"].ids]
        fits = [c is not None and f"{c.kind} {c.code}".startswith(scope.prefixes) for c in codes_of]
        reach &= np.array(fits, dtype=bool)[store.category[slots]]
    return reach
