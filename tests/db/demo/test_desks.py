"""Officers of the demo sit at real accounts, claim what the pool has, and leave what they are done with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from db.bootstrap import Core, open_core
from db.cases.leases import POOL, leases
from db.cases.tables import case
from db.demo.create import create_demo
from db.demo.desks import AT_DESKS, LOOK_SECONDS, Desks
from db.demo.ground import random
from db.demo.staff import ACCOUNTS
from db.kernel.clock import SetClock
from db.people.presence import present
from tests.db.demo.conftest import NOW


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    url = f"sqlite:///{tmp_path / 'desks.db'}"
    create_demo(url, scale="tiny", seed=1, as_of=NOW)
    core = open_core(url, clock=SetClock(NOW))
    yield core
    core.close()


def waiting(core: Core) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with core.database.read() as connection:
        for row in connection.execute(select(case.c.id, case.c.state).where(case.c.closed_at.is_(None))):
            found.setdefault(row.state, []).append(row.id)
    return found


def test_they_look_at_cases_and_hold_one_of_the_pool_at_most_each(core: Core) -> None:
    assert set(AT_DESKS) <= {each.login for each in ACCOUNTS}
    desks, pool = Desks(core, random(1, "desks")), waiting(core)
    for beat in range(8):
        desks.sit(beat * LOOK_SECONDS[1], pool)
        with core.database.read() as connection:
            held = leases(connection, NOW)
            seen = present(connection, NOW)
        assert set(held) == desks.claimed
        assert len({lease.account_id for lease in held.values()}) == len(held) <= len(AT_DESKS)
        assert held.keys() <= {case_id for state in POOL for case_id in pool.get(state, ())}
        assert held.keys() <= seen.keys()
    assert seen


def test_a_city_without_accounts_has_empty_desks(core: Core, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    create_demo(url, scale="tiny", seed=1, as_of=NOW, accounts=False)
    bare = open_core(url, clock=SetClock(NOW))
    try:
        desks = Desks(bare, random(1, "desks"))
        desks.sit(0.0, waiting(bare))
        assert desks.claimed == frozenset()
    finally:
        bare.close()
