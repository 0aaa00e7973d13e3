"""A copy of a database, filled up with cases in hand: heavy enough to measure with, and nobody's record."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.engine import make_url

from db.bootstrap import Core
from db.cases.commands.dispatch import MAIN
from db.cases.tables import case, involved, span, step, timer
from db.demo.create import create_demo
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.people.tables import unit as unit_table

IN_HAND = ("pending_handle", "handling")
_SEED = 20080308


# zh: 增加测量用案件
@command("demo.grow", permission="demo.run", label=N_("Add cases to measure with"), reach=Reach.SERVER)
@dataclass(frozen=True)
class Grow:
    """The name under which the copy is filled up."""

    count: int


def copy_of(url: str, file: Path) -> str:
    """The address of a copy of a local database in ``file``, or of a small demo city where there is none.

    Raises ``Refused("not_a_file")`` for a server.
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        raise Refused("not_a_file", N_("This bench works on a copy; give it a database that is a file."))
    mine = f"sqlite:///{file}"
    source = Path(address.database or "")
    if not source.exists():
        create_demo(mine, scale="small", seed=1)
        return mine
    address_of = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address_of, uri=True)) as there, closing(sqlite3.connect(file)) as here:
        there.backup(here)
    return mine


def grow(core: Core, wanted: int) -> None:
    """Add cases in hand, patterned after those that are there, until so many are open; SQLite only.

    Raises ``Refused("no_pattern")`` when nothing is in anybody's hands.
    """
    with core.database.read() as connection:
        is_open = case.c.closed_at.is_(None)
        standing = connection.execute(select(func.count()).where(is_open)).scalar_one()
        names = tuple(case.c.keys())
        raw = connection.exec_driver_sql(
            f"SELECT {', '.join(names)} FROM cases "  # noqa: S608  our own names
            f"WHERE closed_at IS NULL AND state IN {IN_HAND} AND due_at IS NOT NULL"
        ).all()
    if standing >= wanted:
        return
    if not raw:
        raise Refused("no_pattern", N_("No case is in anybody's hands here; nothing to measure with."))
    count = wanted - standing
    with core.database.write(SYSTEM, Grow(count)) as unit:
        ids = unit.new_ids(count)
        patterns = islice(cycle([dict(zip(names, row, strict=True)) for row in raw]), count)
        alone = {"foreign_system": None, "foreign_number": None, "parent_id": None, "holder_id": None}
        rows = [
            {**pattern, **alone, "id": new_id, "number": f"99{place:014d}"}
            for place, (new_id, pattern) in enumerate(zip(ids, patterns, strict=True))
        ]
        _load(unit, case, rows, names)
        _load(unit, step, [each for row in rows for each in _steps(unit, row)])
        began = [{"id": 0, "case_id": row["id"], "began_at": row["dispatched_at"]} for row in rows]
        dues = [row["due_at"] for row in rows]
        timers = [{**each, "stage": "handle", "due_at": due} for each, due in zip(began, dues, strict=True)]
        _load(unit, timer, timers)
        _load(unit, span, [{**e, "kind": "running", "cause": "dispatch", "by_name": ""} for e in began])
        _load(
            unit,
            involved,
            [
                {
                    "id": 0,
                    "case_id": row["id"],
                    "unit_id": row["unit_id"],
                    "role": MAIN,
                    "since": row["dispatched_at"],
                }
                for row in rows
            ],
        )


def _steps(unit: UnitOfWork, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Four steps of a history, so that the copy is as heavy as a real one."""
    ways = (
        ("report", "", "reported", "reported_at"),
        ("register", "reported", "pending_dispatch", "filed_at"),
        ("dispatch", "pending_dispatch", "pending_handle", "dispatched_at"),
        ("receive", "pending_handle", "handling", "dispatched_at"),
    )
    for verb, before, after, at in ways:
        yield {
            "id": 0,
            "case_id": row["id"],
            "at": row[at] or row["reported_at"],
            "verb": verb,
            "from_state": before,
            "to_state": after,
            "actor_id": unit.actor.account_id,
            "actor_name": unit.actor.name,
            "unit_id": row["unit_id"],
        }


def _load(
    unit: UnitOfWork, table: Table, rows: list[dict[str, Any]], names: tuple[str, ...] | None = None
) -> None:
    """Add rows of raw values; an id of 0 is given here."""
    columns = names or tuple(rows[0])
    if not rows[0]["id"]:
        for row, new_id in zip(rows, unit.new_ids(len(rows)), strict=True):
            row["id"] = new_id
    unit.load(table, columns, [tuple(row[name] for name in columns) for row in rows])


def counts(core: Core) -> tuple[int, int]:
    """All cases, and the open ones."""
    with core.database.read() as connection:
        total = connection.execute(select(func.count()).select_from(case)).scalar_one()
        still_open = connection.execute(select(func.count()).where(case.c.closed_at.is_(None))).scalar_one()
    return total, still_open


def sqlite_version() -> tuple[int, ...]:
    """Of the library that runs here."""
    return sqlite3.sqlite_version_info


def chosen(core: Core, count: int) -> tuple[tuple[int, ...], list[int]]:
    """Cases in hand, strewn over all that are open, and units to give them to."""
    with core.database.read() as connection:
        query = select(case.c.id).where(case.c.closed_at.is_(None), case.c.state.in_(IN_HAND))
        ids = connection.execute(query.order_by(case.c.id)).scalars().all()
        units = connection.execute(
            select(unit_table.c.id)
            .where(unit_table.c.active, unit_table.c.kind != "centre")
            .order_by(unit_table.c.code)
        )
        picked = random.Random(_SEED).sample(ids, min(count, len(ids)))
        return tuple(sorted(picked)), list(units.scalars())
