"""A plain command for the tests of the engine, and ways to look at what it left in the database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Table, insert, select, update

from db.engine.connections import Database
from db.engine.tables import journal, setting
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import Actor
from db.kernel.command import command
from tests.kit.source import ROOT

WANG = Actor(7, "王敏", frozenset({"test.write"}))
LI = Actor(8, "李强", frozenset({"test.write"}))


@command("test.engine", permission="test.write", label="Write")
@dataclass(frozen=True)
class Write:
    """Whatever the block writes."""

    note: str = ""
    phone: str = ""
    private_fields: ClassVar[frozenset[str]] = frozenset({"phone"})


def write(database: Database, work: Callable[[UnitOfWork], Any], actor: Actor = WANG) -> int:
    """Run ``work`` in a unit of work of its own; the number of its journal entry."""
    with database.write(actor, Write()) as unit:
        work(unit)
    return unit.changes.seq if unit.changes else 0


def rows_of(database: Database, table: Table) -> dict[int, dict[str, Any]]:
    """All rows of a table by id."""
    with database.read() as connection:
        return {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}


def entries(database: Database) -> list[Any]:
    """The journal from its beginning."""
    with database.read() as connection:
        return list(connection.execute(select(journal).order_by(journal.c.seq)).all())


def put_setting(database: Database, key: str, value: Any) -> None:
    """A setting by plain SQL."""
    with database.engine.begin() as connection:
        if not connection.execute(update(setting).where(setting.c.key == key).values(value=value)).rowcount:
            connection.execute(insert(setting).values(key=key, value=value))


def program(code: str, *words: str) -> subprocess.Popen[str]:
    """Another process that runs ``code`` with the source on its path."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
