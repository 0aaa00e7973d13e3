"""A very small city in a real database, and a second process that writes to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Table

from db.cases.tables import case
from db.engine.connections import Database, open_database
from db.engine.schema import load_station
from db.kernel.actor import SYSTEM
from db.kernel.clock import from_ms
from db.kernel.command import command
from db.people.tables import person, position, unit
from db.registers.tables import area, category

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 3, 14, 4, tzinfo=UTC)
"""Noon in Shanghai."""
DEADLINE_SECONDS = 60.0


@command("test.write", permission="*", label="Write")
@dataclass(frozen=True)
class Write:
    """Whatever a test wants written."""


def write(database: Database, *changes: tuple[Table, Sequence[dict[str, Any]]]) -> None:
    """Insert rows, or change them where the row has been there: one commit with its journal entry."""
    with database.write(SYSTEM, Write()) as unit_of_work:
        for table, rows in changes:
            there = unit_of_work.rows(table, [row["id"] for row in rows])
            for row in rows:
                # One by one: their columns differ.
                unit_of_work.insert(table, [row] if row["id"] not in there else [])
            unit_of_work.update(table, {row["id"]: row for row in rows if row["id"] in there})


def remove(database: Database, table: Table, ids: Sequence[int]) -> None:
    with database.write(SYSTEM, Write()) as unit_of_work:
        unit_of_work.delete(table, ids)


def load_cases(database: Database, ids: Iterable[int]) -> None:
    """Cases as a bulk load: the journal names none of them."""
    columns = ("id", "number", "state", "source", "category_id", "description", "address", "reported_at")
    columns = (*columns, "reworks", "moves", "version")
    with database.write(SYSTEM, Write()) as unit_of_work:
        unit_of_work.load(
            case,
            columns,
            ((i, f"B{i}", "reported", "other", 1, "", "", 1_773_460_000_000, 0, 0, 1) for i in ids),
        )


def move_person(database: Database, person_id: int, lon: float, at_ms: int) -> None:
    with database.write(SYSTEM, Write()) as unit_of_work:
        place = {"person_id": person_id, "at": from_ms(at_ms), "lon": lon, "lat": 35.1}
        unit_of_work.telemetry(position, [place])


def found_city(url: str) -> Database:
    """Open a database and put two units, two classes, a district and a collector into it."""
    database = open_database(url)
    load_station(database)
    standard = {"standard": "GB/T 30428.2-2013", "kind": "matter", "major": "01", "major_name": "市容环境"}
    write(
        database,
        (unit, [{"id": i, "code": f"U{i}", "name": f"单位{i}", "kind": "office"} for i in (1, 2)]),
        (category, [{"id": i, "code": f"0{i}", "name": f"类{i}", **standard} for i in (1, 2)]),
        (area, [{"id": 1, "kind": "district", "code": "D1", "name": "荆河街道", "lon": 117.1, "lat": 35.1}]),
    )
    write(
        database,
        (person, [{"id": 1, "code": "P1", "name": "张三", "unit_id": 1, "post": "collector"}]),
    )
    return database


def case_values(case_id: int, **values: Any) -> dict[str, Any]:
    """A case as a database row, in hand since this morning."""
    return {
        "id": case_id,
        "number": f"N{case_id}",
        "state": "handling",
        "source": "collector",
        "category_id": 1,
        "reported_at": datetime(2026, 3, 14, 1, tzinfo=UTC),
        **values,
    }


class OtherProcess:
    """A second program on the same database: writes when it is told and says when it had committed."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> OtherProcess:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.db.live.city", self.url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"
        return self

    def change(self, case_id: int) -> float:
        """Reassign a case over there; returns when it was committed, in seconds since 1970."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{case_id}\n")
        self._process.stdin.flush()
        return float(self._line())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=DEADLINE_SECONDS)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def main() -> None:
    """Be the second program: one case id a line."""
    database = open_database(sys.argv[1])
    load_station(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        write(database, (case, [case_values(int(line), unit_id=2)]))
        sys.stdout.write(f"{time.time()}\n")
        sys.stdout.flush()
    database.close()


if __name__ == "__main__":
    main()
