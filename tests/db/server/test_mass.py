"""What the guard costs: ten thousand cases moved under it, and by the owner, whom it asks nothing."""

from __future__ import annotations

import sys
from time import perf_counter

import pytest
from sqlalchemy import text

from db.bootstrap import Core
from db.cases.commands.dispatch import Dispatch, Reassign
from db.cases.commands.intake import Accept, Register, Report
from db.cases.tables import case, involved, span, timer
from db.engine.journal import verify
from db.kernel.actor import Actor
from tests.db.server.conftest import Server
from tests.flows.bureau import CONDITIONS, COVER

pytestmark = [pytest.mark.postgres, pytest.mark.speed]

MANY = 10_000
APART = 1 << 34
"""How far apart the ids of the copies are."""


def fill(server: Server) -> tuple[int, ...]:
    """Copies of one dispatched case with what hangs on it, past the journal."""
    bus, who = server.core("wangmin").bus, server.actor("wangmin")
    first = int(bus.run(Report("hotline", COVER, "井盖破损", "学府路"), who).result)
    for command in (Accept((first,)), Register((first,), CONDITIONS[1]), Dispatch((first,), 2)):
        bus.run(command, who)
    with server.owner.database.engine.begin() as connection:
        for table in (case, involved, span, timer):
            other = [c.name for c in table.c if c.name not in {"id", "number", "case_id"}]
            fresh = {"id": f"id - {APART}::bigint * n", "number": "number || '-' || n"}
            fresh["case_id"] = f"case_id - {APART}::bigint * n"
            names = [name for name in fresh if name in table.c]
            connection.execute(
                text(
                    f"INSERT INTO {table.name} ({', '.join([*names, *other])})"
                    f" SELECT {', '.join([*(fresh[name] for name in names), *other])}"
                    f" FROM {table.name}, generate_series(1, {MANY - 1}) n"
                )
            )
        connection.execute(text("ANALYZE"))
        return tuple(connection.execute(text("SELECT id FROM cases")).scalars())


def seconds(core: Core, who: Actor, ids: tuple[int, ...], unit_id: int) -> float:
    began = perf_counter()
    core.bus.run(Reassign(ids, unit_id, "不属我处"), who)
    return perf_counter() - began


def test_the_guard_costs_a_mass_change_less_than_it_costs_by_itself(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = fill(server)
    core, who = server.core("wangmin"), server.actor("wangmin")
    # In turn, the best of two: the machine has other work as well.
    plain, guarded = [], []
    for _turn in range(2):
        plain.append(seconds(server.owner, who, ids, 1))
        guarded.append(seconds(core, who, ids, 2))
    ratio = min(guarded) / min(plain)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{MANY} moved: owner {min(plain):.2f} s, guarded {min(guarded):.2f} s, {ratio:.2f} times\n"
        )
    began = perf_counter()
    core.bus.undo(who)
    with capsys.disabled():
        sys.stdout.write(f"taken back under the guard: {perf_counter() - began:.2f} s\n")
    assert ratio < 2
    with server.owner.database.read() as connection:
        assert verify(connection).whole
