"""A small office for the tests of cases: units, the people of the closed loop, and a clock set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from db.bootstrap import Core, load_reference, open_core
from db.cases.commands.closing import Close, FailCheck, PassCheck
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import Accept, Register, Reject, Report, Void
from db.cases.tables import case, step
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.people.tables import person, role, unit
from db.registers.reference import stable_id
from tests.db.engine.kit import rows_of, write

MONDAY = datetime(2026, 3, 16, 2, tzinfo=UTC)
"""10:00 in the city."""
ROADS, WATER, CLOSED = 1, 2, 3
COVER = stable_id("category", "GB/T 47678.5-2026|component|01001")


def open_office(url: str) -> Core:
    """The reference data, three units (the last one closed) and one person in the first."""
    core = open_core(url, clock=SetClock(MONDAY))
    load_reference(core.database)
    names = {ROADS: "市政处", WATER: "水务集团", CLOSED: "旧站"}
    write(
        core.database,
        lambda u: (
            u.insert(
                unit,
                [
                    {"id": i, "code": f"U{i}", "name": name, "kind": "office", "active": i != CLOSED}
                    for i, name in names.items()
                ],
            ),
            u.insert(
                person, [{"id": 1, "code": "P1", "name": "张三", "unit_id": ROADS, "post": "collector"}]
            ),
        ),
    )
    return core


def officer(core: Core, *roles: str, name: str = "王敏") -> Actor:
    """Somebody with roles as the reference data give them; another name is another person."""
    with core.database.read() as connection:
        rows = connection.execute(select(role.c.permissions).where(role.c.code.in_(roles))).scalars().all()
    assert len(rows) == len(roles)
    account_id = 100 + sum(name.encode())
    return Actor(account_id, name, frozenset(p for each in rows for p in each), None, roles)


def advance(core: Core, **by: float) -> None:
    """Let time go by."""
    assert isinstance(core.clock, SetClock)
    core.clock.advance(timedelta(**by))


def row(core: Core, case_id: int) -> dict[str, Any]:
    """A case as it stands."""
    return rows_of(core.database, case)[case_id]


def verbs(core: Core, case_id: int) -> list[str]:
    """The verbs of its steps in order."""
    with core.database.read() as connection:
        return list(
            connection.execute(
                select(step.c.verb).where(step.c.case_id == case_id).order_by(step.c.at, step.c.id)
            ).scalars()
        )


def reported(core: Core, **values: Any) -> int:
    """A new case; its number."""
    wanted = {"source": "hotline", "category_id": COVER, "description": "井盖丢失", **values}
    return int(core.bus.run(Report(**wanted), SYSTEM).result)


def at_state(core: Core, state: str) -> int:
    """A new case that has gone the shortest way to ``state``."""
    case_id = reported(core)
    ids = (case_id,)
    accept, register = Accept(ids), Register(ids)
    dispatch, handle = Dispatch(ids, ROADS), Handle(ids, "已修复")
    check = (accept, register, dispatch, handle)
    ways: dict[str, tuple[Any, ...]] = {
        "reported": (),
        "pending_register": (accept,),
        "pending_dispatch": (accept, register),
        "pending_handle": (accept, register, dispatch),
        "handling": (accept, register, dispatch, Receive(ids)),
        "pending_check": check,
        "pending_close": (*check, PassCheck(ids)),
        "closed": (*check, PassCheck(ids), Close(ids)),
        "rejected": (Reject(ids, "重复"),),
        "void": (Void(ids, "误报"),),
    }
    for command in ways[state]:
        core.bus.run(command, SYSTEM)
    assert row(core, case_id)["state"] == state
    return case_id


def command_of(verb: str, ids: tuple[int, ...]) -> Any:
    """The command of a verb with everything that it needs."""
    commands: dict[str, Any] = {
        "accept": Accept(ids),
        "register": Register(ids),
        "reject": Reject(ids, "重复"),
        "void": Void(ids, "误报"),
        "dispatch": Dispatch(ids, ROADS),
        "reassign": Reassign(ids, WATER, "不属我处"),
        "receive": Receive(ids),
        "handle": Handle(ids, "已修复"),
        "pass_check": PassCheck(ids),
        "fail_check": FailCheck(ids, "未修复"),
        "close": Close(ids),
    }
    return commands[verb]
