"""Who reported a case: shown masked, and in plain words only to who gives a reason that stays on record.

This is the only module that reads the reporter's table for people to see (DOMAIN 6.5).

Looking takes two transactions: ``ViewContact`` logs who, when and why; only when that is committed is the
contact read. A server gives it out in no other way (db/server/guard.sql): read in the transaction that logs
it, a look could be rolled back and nobody would know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, text

from db.cases.scope import demand_reach
from db.cases.tables import case, contact_view, reporter
from db.engine import settings
from db.engine.bus import Bus, handles
from db.engine.tables import replica
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
    is_away: bool = False
    """Whether it stands on the server only: stations keep no contacts."""


@dataclass(frozen=True)
class Contact:
    """A reporter in plain words; whoever prints this value prints nothing of it."""

    name: str = field(repr=False)
    phone: str = field(repr=False)


@command("contact.view", permission=SEE_PLAIN, label=N_("View contact"), lasting=True, reach=Reach.SERVER)
@dataclass(frozen=True)
class ViewContact:
    """Log that a reporter's name and number are looked at: who, when and why; it cannot be undone."""

    case_id: int
    reason: str


@handles(ViewContact)
def _view(command: ViewContact, unit: UnitOfWork) -> None:
    demand_reach(unit, [command.case_id])
    reason = one_line(command.reason, 400)
    if len(reason) < LEAST_REASON:
        raise Refused("needed", N_("A reason is required."), what="reason")
    if _reporter(unit.connection, command.case_id) is None:
        raise _nobody()
    row = {
        "id": unit.new_id(),
        "case_id": command.case_id,
        "viewer_id": unit.actor.account_id,
        "viewer_name": unit.actor.name,
        "reason": reason,
        "at": unit.now,
    }
    unit.insert(contact_view, [row])


def view_contact(bus: Bus, case_id: int, reason: str, actor: Actor) -> Contact:
    """Log the look, then read the contact, on the server where there is one.

    Raises what ``Bus.run`` raises; ``Refused("needed")`` without a reason, ``no_contact`` when there is none.
    """
    bus.run(ViewContact(case_id, reason), actor)
    return bus.ask(partial(_plain, case_id), actor)


def _plain(case_id: int, connection: Connection) -> Contact:
    query = select(reporter.c.name, reporter.c.phone).where(reporter.c.case_id == case_id)
    found = connection.execute(query).first()
    if found is None:
        raise _nobody()
    return Contact(found.name, found.phone)


def _nobody() -> Refused:
    return Refused("no_contact", N_("This case has no contact."))


def _reporter(connection: Connection, case_id: int) -> Any:
    """The reporter's row; a server gives out only the masked one."""
    if connection.dialect.name == "postgresql" and settings.get(connection, "server"):
        masked = text("SELECT name, phone, wants_answer FROM jw_masked(:case_id)")
        return connection.execute(masked, {"case_id": case_id}).first()
    query = select(reporter.c.name, reporter.c.phone, reporter.c.wants_answer)
    return connection.execute(query.where(reporter.c.case_id == case_id)).first()


def masked_contact(connection: Connection, case_id: int, actor: Actor) -> MaskedContact | None:
    """The reporter of a case, masked; ``None`` when there is none or the person may not even see that."""
    if not (actor.may(SEE_MASKED) or actor.may(SEE_PLAIN)):
        return None
    found = _reporter(connection, case_id)
    if found is None:
        # On a server nobody may look into what belongs to stations' files.
        is_file = connection.dialect.name == "sqlite"
        is_station = is_file and connection.execute(select(replica.c.id)).first() is not None
        return MaskedContact("", "", False, is_away=True) if is_station else None
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
