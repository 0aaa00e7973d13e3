"""A small bureau for the stories of cases: units, officers by role, a clock set by hand, and every verb."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from db.bootstrap import Core, load_reference, open_core
from db.cases.commands.closing import Close, FailCheck, ForceClose, PassCheck, SendCheck
from db.cases.commands.dispatch import AddHelper, Dispatch, Reassign, SendBack
from db.cases.commands.handling import Handle, Receive
from db.cases.commands.intake import (
    Accept,
    Register,
    Reject,
    Report,
    SendVerify,
    VerifyFalse,
    VerifyTrue,
    Void,
)
from db.cases.commands.merging import Merge, Split, Unmerge
from db.cases.commands.orders import AnswerOrder, Supervise, Urge
from db.cases.commands.requests import AskAppeal, AskPostpone, AskReturn, AskSuspend, Grant, Refuse, Resume
from db.cases.tables import case, involved, order, request, span, step, task, timer
from db.engine.tables import journal
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.people.tables import person, role, unit
from db.registers.reference import stable_id
from tests.db.engine.kit import rows_of, write

MONDAY = datetime(2026, 3, 16, 2, tzinfo=UTC)
"""10:00 in the city."""
ROADS, WATER, PARKS = 1, 2, 3
COLLECTOR = 1
COVER = stable_id("category", "GB/T 47678.5-2026|component|01001")
CONDITIONS = {
    # 2 urgent hours, 4 working hours, 2 and 5 working days.
    ordinal: stable_id("filing_condition", f"GB/T 47678.5-2026|component|01001|{ordinal}")
    for ordinal in (1, 2, 3, 4)
}
LIFE = (case, step, request, order, task, timer, span, involved)
"""The tables that tell the life of a case."""


class Bureau:
    """An open database with people in it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        with core.database.read() as connection:
            rows = connection.execute(select(role.c.code, role.c.permissions)).all()
        self.officers = {
            row.code: Actor(100 + n, row.code, frozenset(row.permissions), None, (row.code,))
            for n, row in enumerate(sorted(rows, key=lambda row: row.code))
        }

    @property
    def now(self) -> datetime:
        return self.core.clock.now()

    def wait(self, **by: float) -> None:
        """Let time go by."""
        assert isinstance(self.core.clock, SetClock)
        self.core.clock.advance(timedelta(**by))

    def wait_until(self, moment: datetime) -> None:
        assert isinstance(self.core.clock, SetClock)
        self.core.clock.at = moment

    def run(self, command: Any, who: str | Actor = SYSTEM) -> Any:
        """Carry out a command as somebody; what it gave back."""
        actor = self.officers[who] if isinstance(who, str) else who
        return self.core.bus.run(command, actor).result

    def row(self, case_id: int) -> dict[str, Any]:
        """A case as it stands."""
        return rows_of(self.core.database, case)[case_id]

    def about(self, table: Table, case_id: int) -> list[dict[str, Any]]:
        """What a table says of a case, oldest first."""
        rows = rows_of(self.core.database, table)
        return [rows[i] for i in sorted(rows) if rows[i]["case_id"] == case_id]

    def verbs(self, case_id: int) -> list[str]:
        """The verbs of its history."""
        return [row["verb"] for row in self.about(step, case_id)]

    def reported(self, **values: Any) -> int:
        """A new case."""
        wanted = {"source": "hotline", "category_id": COVER, "description": "井盖丢失", **values}
        return int(self.run(Report(**wanted), "acceptor"))

    def at(self, state: str, condition: int = 2) -> int:
        """A new case that went the shortest way to ``state``; its limit is 4 working hours."""
        case_id = self.reported()
        ids = (case_id,)
        ways: dict[str, tuple[tuple[Any, str], ...]] = {
            "pending_verify": ((SendVerify(ids), "acceptor"),),
            "pending_register": ((Accept(ids), "acceptor"),),
        }
        register = (*ways["pending_register"], (Register(ids, CONDITIONS[condition]), "duty_leader"))
        dispatch = (*register, (Dispatch(ids, ROADS), "dispatcher"))
        handling = (*dispatch, (Receive(ids), "handler"))
        check = (*handling, (Handle(ids, "已修复"), "handler"))
        close = (*check, (PassCheck(ids), "collector"))
        until = self.now + timedelta(days=30)
        ways |= {
            "reported": (),
            "pending_dispatch": register,
            "pending_handle": dispatch,
            "handling": handling,
            "suspended": (
                *handling,
                (AskSuspend(ids, "待预算", until, "批文一号"), "handler"),
                (Grant(ids, "suspend"), "dispatcher"),
            ),
            "pending_check": check,
            "pending_close": close,
            "closed": (*close, (Close(ids), "duty_leader")),
            "rejected": ((Reject(ids, "不属本市"), "acceptor"),),
            "void": ((Void(ids, "误报"), "duty_leader"),),
            "forced": ((ForceClose(ids, "历史遗留"), "duty_leader"),),
        }
        if state == "merged":
            self.run(Merge(ids, self.reported()), "acceptor")
        else:
            for command, who in ways[state]:
                self.run(command, who)
        assert self.row(case_id)["state"] == state
        return case_id

    def dump(self) -> dict[str, dict[int, dict[str, Any]]]:
        """All rows that tell the lives of cases, but for their versions."""
        return {
            table.name: {
                i: {name: value for name, value in row.items() if name != "version"}
                for i, row in rows_of(self.core.database, table).items()
            }
            for table in LIFE
        }

    def entries(self) -> list[Any]:
        """The journal from its beginning."""
        with self.core.database.read() as connection:
            return list(connection.execute(select(journal).order_by(journal.c.seq)).all())


def fill(url: str) -> Core:
    """Reference data, three units and a collector."""
    core = open_core(url, clock=SetClock(MONDAY))
    load_reference(core.database)
    names = {ROADS: "市政处", WATER: "水务集团", PARKS: "园林中心"}
    units = [{"id": i, "code": f"U{i}", "name": name, "kind": "office"} for i, name in names.items()]
    walker = {"id": COLLECTOR, "code": "P1", "name": "张三", "unit_id": ROADS, "post": "collector"}
    write(core.database, lambda u: (u.insert(unit, units), u.insert(person, [walker])))
    return core


def copy_of(template: Path, file: Path) -> Bureau:
    """A bureau in a fresh copy of a filled database file."""
    shutil.copyfile(template, file)
    return Bureau(open_core(f"sqlite:///{file}", clock=SetClock(MONDAY)))


def command_of(verb: str, ids: tuple[int, ...], now: datetime, given: Mapping[str, Any]) -> Any:
    """The command of a verb with everything that it needs; ``given``: condition, unit_id, other."""
    first = ids[0]
    unit_id, other = given.get("unit_id", ROADS), given.get("other", first)
    commands: dict[str, Any] = {
        "accept": Accept(ids),
        "send_verify": SendVerify(ids, COLLECTOR),
        "verify_true": VerifyTrue(ids, "属实"),
        "verify_false": VerifyFalse(ids, "现场未见"),
        "register": Register(ids, CONDITIONS[given.get("condition", 2)]),
        "reject": Reject(ids, "不属本市"),
        "void": Void(ids, "误报"),
        "dispatch": Dispatch(ids, unit_id),
        "send_back": SendBack(ids, "无责任单位"),
        "reassign": Reassign(ids, unit_id, "不属我处"),
        "add_helper": AddHelper(ids, unit_id),
        "receive": Receive(ids),
        "handle": Handle(ids, "已修复"),
        "ask_return": AskReturn(ids, "不属我处", "权属证明"),
        "ask_postpone": AskPostpone(ids, "待料"),
        "ask_suspend": AskSuspend(ids, "待预算", now + timedelta(days=given.get("days", 3)), "批文一号"),
        "ask_appeal": AskAppeal(ids, "停电所致"),
        **{f"grant_{kind}": Grant(ids, kind, "同意") for kind in _KINDS},
        **{f"refuse_{kind}": Refuse(ids, kind, "理由不足") for kind in _KINDS},
        "resume": Resume(ids),
        "send_check": SendCheck(ids, COLLECTOR),
        "pass_check": PassCheck(ids),
        "fail_check": FailCheck(ids, "未修复"),
        "close": Close(ids),
        "force_close": ForceClose(ids, "历史遗留"),
        "supervise": Supervise(ids, "今日办结", now + timedelta(hours=4), "leader"),
        "answer_order": AnswerOrder(ids, "已安排"),
        "urge": Urge(ids, "请尽快"),
        "merge": Merge(ids, other),
        "unmerge": Unmerge(ids, "并非同一处"),
        "split": Split(first, ("东侧", "西侧")),
    }
    return commands[verb]


_KINDS = ("return", "postpone", "suspend", "appeal")
