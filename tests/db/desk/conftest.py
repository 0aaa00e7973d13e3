"""Two officers of one desk and a guest, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from db.bootstrap import Core, load_reference, open_core
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import SetClock
from db.people.commands import CreateAccount, actor_of
from db.people.tables import person, unit
from tests.db.engine.kit import write
from tests.db.engine.recycled import postgres_url, recycled  # noqa: F401  in place of the dearer one


@dataclass(frozen=True)
class Desk:
    """The open database and who sits at it."""

    core: Core
    wang: Actor
    li: Actor
    zhao: Actor


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """王敏 and 李强 dispatch, 赵一 accepts."""
    core = open_core(database_url, clock=SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC)))
    load_reference(core.database)
    centre = {"id": 1, "code": "U1", "name": "中心", "kind": "centre"}
    write(core.database, lambda u: u.insert(unit, [centre]))
    posts = {"wang": ("王敏", "dispatcher"), "li": ("李强", "dispatcher"), "zhao": ("赵一", "acceptor")}
    people = [
        {"id": place, "code": login, "name": name, "unit_id": 1, "post": post}
        for place, (login, (name, post)) in enumerate(posts.items(), start=1)
    ]
    write(core.database, lambda u: u.insert(person, people))
    for each, (_name, post) in zip(people, posts.values(), strict=True):
        core.bus.run(CreateAccount(str(each["code"]), int(str(each["id"])), "Abcdefg1", (post,)), SYSTEM)
    yield Desk(core, *(actor_of(core.database, login) for login in posts))
    core.close()
