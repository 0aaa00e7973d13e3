"""Who reported a case: shown masked, and in plain words only to who gives a reason that stays on record.

This is the only module that reads the reporter's table for people to see (DOMAIN 6.5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from db.cases.scope import demand_reach
from db.cases.tables import case, contact_view, reporter
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import mask_name, mask_phone, one_line

SEE_MASKED = "contact.masked"
SEE_PLAIN = "contact.view"
LEAST_REASON = 2
"""Characters: 回访 is a reason, a single letter is not."""


@dataclass(frozen=True)
class MaskedContact:
    """A reporter as the desk sees him or her: 张*, 138****1234."""

    name: str
    phone: str
    wants_answer: bool


@dataclass(frozen=True)
class Contact:
    """A reporter in plain words; whoever prints this value prints nothing of it."""

    name: str = field(repr=False)
    phone: str = field(repr=False)


@command("contact.view", permission=SEE_PLAIN, label=N_("View contact"), lasting=True, reach=Reach.SERVER)
@dataclass(frozen=True)
class ViewContact:
    """Show a reporter's name and number; who looked, when and why is kept, and cannot be undone."""

    case_id: int
    reason: str


@handles(ViewContact)
def _view(command: ViewContact, unit: UnitOfWork) -> Contact:
    demand_reach(unit, [command.case_id])
    reason = one_line(command.reason, 400)
    if len(reason) < LEAST_REASON:
        raise Refused("needed", N_("A reason is required."), what="reason")
    query = select(reporter.c.name, reporter.c.phone).where(reporter.c.case_id == command.case_id)
    found = unit.connection.execute(query).first()
    if found is None:
        raise Refused("no_contact", N_("This case has no contact."))
    row = {
        "id": unit.new_id(),
        "case_id": command.case_id,
        "viewer_id": unit.actor.account_id,
        "viewer_name": unit.actor.name,
        "reason": reason,
        "at": unit.now,
    }
    unit.insert(contact_view, [row])
    return Contact(found.name, found.phone)


def masked_contact(connection: Connection, case_id: int, actor: Actor) -> MaskedContact | None:
    """The reporter of a case, masked; ``None`` when there is none or the person may not even see that."""
    if not (actor.may(SEE_MASKED) or actor.may(SEE_PLAIN)):
        return None
    query = select(reporter.c.name, reporter.c.phone, reporter.c.wants_answer)
    found = connection.execute(query.where(reporter.c.case_id == case_id)).first()
    if found is None:
        return None
    return MaskedContact(mask_name(found.name), mask_phone(found.phone), bool(found.wants_answer))


@dataclass(frozen=True)
class Look:
    """Somebody looked at a contact."""

    case_id: int
    number: str
    viewer_name: str
    reason: str
    at: datetime


def looks(connection: Connection, *, case_id: int | None = None, viewer_id: int | None = None) -> list[Look]:
    """Who looked at the contact of a case, or at whose contacts a person looked; the newest first."""
    view = contact_view.c
    query = select(view.case_id, case.c.number, view.viewer_name, view.reason, view.at).join_from(
        contact_view, case, case.c.id == view.case_id
    )
    if case_id is not None:
        query = query.where(view.case_id == case_id)
    if viewer_id is not None:
        query = query.where(view.viewer_id == viewer_id)
    rows = connection.execute(query.order_by(view.at.desc(), view.id.desc()))
    return [Look(*row) for row in rows]
