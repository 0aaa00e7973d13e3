"""``jingwei bench reassign``: foresee, reassign and take back 10,000 cases while 100,000 are open."""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, func, select
from sqlalchemy.engine import make_url

from db.bootstrap import Core, open_core
from db.cases.commands.dispatch import MAIN, Reassign
from db.cases.foresight import foresee
from db.cases.tables import case, involved, span, step, timer
from db.demo.create import create_demo
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM
from db.kernel.command import command
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.people.tables import unit as unit_table
from desktop.app.figures import Line, line

T = TypeVar("T")

MANY = 10_000
PREVIEW_MS, ACT_S, SHOWN_MS = 200.0, 1.0, 250.0
IN_HAND = ("pending_handle", "handling")
_SEED = 20080308


# zh: 测量用案件
@command("bench.grow", permission="bench.grow", label=N_("Add cases to measure with"))
@dataclass(frozen=True)
class Grow:
    """The name under which the copy is filled up."""

    count: int


def reassign(arguments: argparse.Namespace) -> Iterator[Line]:
    """Each figure is the median of the runs; the database that was named is copied and never touched."""
    with tempfile.TemporaryDirectory(prefix="jingwei-bench-") as folder:
        url = _copy(arguments.db, Path(folder) / "bench.db")
        core = open_core(url)
        try:
            _grow(core, arguments.open)
            yield from _facts(core)
            yield from _acts(core, arguments.runs)
        finally:
            core.close()
        yield from _shown(url, arguments.runs)


def _copy(url: str, file: Path) -> str:
    """A copy of a local database, or a small demo city where there is none."""
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


def _grow(core: Core, wanted: int) -> None:
    """Add cases in hand, patterned after those that are there, until so many are open."""
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


def _facts(core: Core) -> Iterator[Line]:
    with core.database.read() as connection:
        count = func.count()
        yield line(N_("cases"), connection.execute(select(count).select_from(case)).scalar_one(), "")
        is_open = case.c.closed_at.is_(None)
        yield line(N_("of these open"), connection.execute(select(count).where(is_open)).scalar_one(), "")
        yield line("SQLite", 0, f"({sqlite3.sqlite_version})")


def chosen(core: Core, count: int = MANY) -> tuple[tuple[int, ...], list[int]]:
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


def order(ids: tuple[int, ...], unit_id: int) -> Reassign:
    """The command that is measured."""
    return Reassign(ids, unit_id, "片区调整", leave_out=True)


def _acts(core: Core, runs: int) -> Iterator[Line]:
    ids, units = chosen(core)
    preview: list[float] = []
    act: list[float] = []
    back: list[float] = []
    moved = 0
    # The first round warms the disk's cache and is not counted.
    for turn in range(runs + 1):
        wanted = order(ids, units[turn % len(units)])

        def look(wanted: Reassign = wanted) -> Any:
            with core.database.read() as connection:
                return foresee(connection, wanted, SYSTEM, core.clock.now())

        seen, looked = _timed(look)
        outcome, acted = _timed(lambda wanted=wanted: core.bus.run(wanted, SYSTEM))
        undone = _timed(lambda: core.bus.undo(SYSTEM))[1]
        if seen.moving != outcome.result.case_ids:
            raise Unavailable("bench_failed", N_("The measured program failed: {reason}"), reason="preview")
        moved = len(outcome.result.case_ids)
        if turn:
            preview.append(looked * 1000)
            act.append(acted)
            back.append(undone)
    yield line(N_("cases reassigned"), moved, "")
    yield line(N_("preview"), statistics.median(preview), "ms", PREVIEW_MS)
    yield line(N_("reassign, journal and all, durable"), statistics.median(act), "s", ACT_S)
    yield line(N_("undo"), statistics.median(back), "s", ACT_S)


def _shown(url: str, runs: int) -> Iterator[Line]:
    """From the commit to list, map and figures of a window that is open, in a process of its own."""
    words = [sys.executable, "-m", "desktop.app.reassign_probe", url, str(runs)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        reason = done.stderr.strip()[-400:]
        raise Unavailable("bench_failed", N_("The measured program failed: {reason}"), reason=reason)
    told = json.loads(done.stdout.splitlines()[-1])
    yield line(
        N_("commit → list and figures of this window"), statistics.median(told["news_ms"]), "ms", SHOWN_MS
    )
    yield line(N_("commit → map of this window, too"), statistics.median(told["drawn_ms"]), "ms", SHOWN_MS)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun
