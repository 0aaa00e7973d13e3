"""Holds the live figures against a recount by plain SQL, both of one and the same moment."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from db.cases.queries import live_rows, recount, recount_marks
from db.engine import settings
from db.live.board import Board
from db.live.claims import read_claims
from db.live.delta import Delta
from db.live.feed import DEFAULT_ZONE
from db.live.store import Store
from db.live.tally import Breakdown


def differences(connection: Connection, now_ms: int) -> dict[str, tuple[int, int]]:
    """Figure → (live, counted) where the two differ; empty when all is well. Moments in milliseconds."""
    if connection.dialect.name == "sqlite":
        # One transaction, one picture: another process may go on writing meanwhile.
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    board = Board(ZoneInfo(settings.get(connection, "city.zone", DEFAULT_ZONE)), now_ms)
    day_start_ms = board.store.day_start_ms
    columns = live_rows(connection, None, day_start_ms)
    board.apply(Delta(now_ms, full=True, columns=columns, claims=read_claims(connection, now_ms)))
    figures = board.figures()
    counted = recount(connection, now_ms, day_start_ms)
    found: dict[str, tuple[int, int]] = {}
    for field in fields(counted):
        value = getattr(counted, field.name)
        if isinstance(value, int):
            _compare(found, field.name, getattr(figures, field.name), value)
    open_states = {code: count for code, count in figures.by_state.items() if count}
    for code, count in counted.open_by_state.items():
        _compare(found, f"open_by_state.{code}", open_states.get(code, 0), count)
    for name, live, by_id in (
        ("open_by_district", figures.by_district, counted.open_by_district),
        ("open_by_unit", figures.by_unit, counted.open_by_unit),
    ):
        for key in {*by_id, *live.ids.tolist()}:
            _compare(found, f"{name}.{key}", _total(live, key), by_id.get(key, 0))
    marks = _marks(board.store)
    for name, count in recount_marks(connection, now_ms).items():
        _compare(found, f"marks.{name}", marks[name], count)
    return found


def _marks(store: Store) -> dict[str, int]:
    """Open cases by what hangs on them, as the columns have it."""
    columns: dict[str, npt.NDArray[Any]] = {
        "requests": store.requests,
        "supervised": store.supervised,
        "tags": store.tags,
        "helpers": store.helpers,
        "claims": store.claimant,
        "returned": store.returned,
        "holders": store.holder,
        "urgent": store.priority,
    }
    return {name: int(np.count_nonzero((column != 0) & store.is_open)) for name, column in columns.items()}


def _total(breakdown: Breakdown, key: int) -> int:
    return int(np.sum(breakdown.of(key)))


def _compare(found: dict[str, tuple[int, int]], name: str, live: int, counted: int) -> None:
    if live != counted:
        found[name] = (live, counted)
