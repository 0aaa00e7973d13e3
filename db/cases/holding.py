"""Whose turn it is (件件有着落): every open case has a holder at every moment.

Before dispatch and after the hand-back it is a duty post of the centre; in between the unit in charge, or the
person of that unit to whom it was given. A post is always there; who sits at it says ``people.on_duty``.
Whether the matrix of duties names somebody is another question: ``db.cases.holders``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from db.cases.rules import STATES
from db.cases.tables import case
from db.kernel.language import N_
from db.people.tables import person, unit

POSTS = {
    "reported": "acceptor",
    "pending_verify": "collector",
    "pending_register": "duty_leader",
    "pending_dispatch": "dispatcher",
    "pending_check": "acceptor",
    "pending_close": "duty_leader",
}
"""The post whose turn it is in a state (DOMAIN 2.1, 2.2); in the other open states it is a unit's."""
IN_HAND = ("pending_handle", "handling", "suspended")
"""The states in which a unit answers for the case."""


@dataclass(frozen=True)
class Holder:
    """Who has a case: a ``post`` by its code, a ``unit`` or a ``person`` by id."""

    kind: str
    key: str | int


def holder_of(row: Mapping[str, Any]) -> Holder | None:
    """Who has a case; ``None`` when it has ended, or, which must not be, when nobody has it. Pure.

    ``row`` needs ``state``, ``unit_id`` and ``holder_id``, none as ``None`` or 0.
    """
    state = row["state"]
    if state in POSTS:
        return Holder("post", POSTS[state])
    if state not in IN_HAND or not row["unit_id"]:
        return None
    if row["holder_id"]:
        return Holder("person", row["holder_id"])
    return Holder("unit", row["unit_id"])


@dataclass(frozen=True)
class Unheld:
    """An open case that nobody has, and how that is."""

    id: int
    number: str
    why: str
    """Marked for translation."""


def unheld(connection: Connection) -> list[Unheld]:
    """Open cases without a holder: there should be none. ``verify`` lists them."""
    rows = connection.execute(
        select(
            case.c.id,
            case.c.number,
            case.c.state,
            case.c.unit_id,
            case.c.holder_id,
            unit.c.active.label("unit_is_active"),
            person.c.active.label("person_is_active"),
            person.c.unit_id.label("persons_unit_id"),
        )
        .outerjoin(unit, unit.c.id == case.c.unit_id)
        .outerjoin(person, person.c.id == case.c.holder_id)
        .where(
            case.c.closed_at.is_(None),
            or_(
                case.c.state.not_in([*POSTS, *IN_HAND]),
                and_(
                    case.c.state.in_(IN_HAND),
                    or_(
                        unit.c.id.is_(None),
                        unit.c.active.is_(False),
                        and_(
                            case.c.holder_id.is_not(None),
                            or_(
                                person.c.id.is_(None),
                                person.c.active.is_(False),
                                person.c.unit_id != case.c.unit_id,
                            ),
                        ),
                    ),
                ),
            ),
        )
        .order_by(case.c.id)
    )
    return [Unheld(row.id, row.number, _why(row)) for row in rows]


def _why(row: Any) -> str:
    if row.state not in STATES or not STATES[row.state].open:
        return N_("it is open, but its state is not")
    if row.unit_id is None:
        return N_("no unit has it in hand")
    if not row.unit_is_active:
        return N_("the unit that has it is no longer active")
    return N_("the person who has it is no longer in the unit")
