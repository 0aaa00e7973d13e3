"""What a write costs: ``python -m pytest tests/flows/test_speed.py -s`` prints the figures of db/README.md.

The limits are far above the figures, so that a busy machine is no fault; they catch a change of kind.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import pytest

from db.bootstrap import Core
from db.cases.commands.dispatch import Reassign
from db.cases.tables import case
from db.engine.journal import verify
from db.kernel.actor import SYSTEM
from tests.db.cases.office import COVER, ROADS, WATER, open_office
from tests.db.engine.kit import write

CASES = 10_000
ENTRIES = 1_000
AT = 1_773_626_400_000

pytestmark = pytest.mark.speed


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def tell(core: Core, what: str, figure: str) -> None:
    sys.stdout.write(f"{core.database.dialect}: {what}: {figure}\n")


def with_cases(core: Core) -> tuple[int, ...]:
    """Ten thousand cases in hand."""
    columns = (
        "id",
        "number",
        "state",
        "source",
        "category_id",
        "description",
        "reported_at",
        "due_at",
        "unit_id",
    )
    ids = tuple(range(1, CASES + 1))
    rows = [(i, f"N{i}", "handling", "hotline", COVER, "井盖丢失", AT, AT, ROADS) for i in ids]
    write(core.database, lambda u: u.load(case, columns, rows))
    return ids


def test_ten_times_the_cases_take_about_ten_times_as_long(database_url: str) -> None:
    core = open_office(database_url)
    ids = with_cases(core)

    def least(ids: tuple[int, ...]) -> float:
        ways = (WATER, ROADS, WATER, ROADS)
        return min(seconds(lambda to=to: core.bus.run(Reassign(ids, to, "x"), SYSTEM)) for to in ways)

    few, many = least(ids[: CASES // 10]), least(ids)
    tell(core, "reassign 10,000 cases with journal", f"{many:.2f} s")
    core.close()
    assert many < 25 * few


def test_to_check_an_entry_takes_less_than_to_write_one(sqlite_url: str) -> None:
    core = open_office(sqlite_url)
    with_cases(core)
    times = [
        seconds(lambda n=n: core.bus.run(Reassign((1,), (WATER, ROADS)[n % 2], "x"), SYSTEM))
        for n in range(60)
    ]
    tell(core, "one durable write, median", f"{statistics.median(times) * 1000:.1f} ms")
    for n in range(ENTRIES):
        with core.database.engine.begin() as connection:
            # Synchronous writing is not what is measured here.
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
        core.bus.run(Reassign((1,), (WATER, ROADS)[n % 2], "x"), SYSTEM)
    with core.database.read() as connection:
        took = seconds(lambda: verify(connection))
        entries = verify(connection).entries
    tell(core, "verify a million entries (scaled)", f"{took / entries * 1e6:.1f} s")
    core.close()
    assert took / entries < statistics.median(times)
