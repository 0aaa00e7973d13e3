"""Which acts the news meet: found by the rows that change, not by walking through all that waits."""

from __future__ import annotations

import random
from time import process_time
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from db.cases.commands.dispatch import Reassign
from db.cases.commands.marking import TagCases
from db.cases.tables import case
from db.engine import outbox as sending
from db.engine.tables import journal, journal_head, outbox
from db.sync.incoming import Incoming
from db.sync.rebase import rebase
from db.sync.waiting import Key, Waiting, waiting_acts, waiting_of
from tests.db.sync.conftest import Pair
from tests.db.sync.test_merging import dispatched, in_step
from tests.flows.bureau import PARKS, WATER
from tests.kit.network import Post

MANY = 10_000


def by_walking(post: Post, dirty: set[Key]) -> list[int]:
    """The acts that meet rows, by the plain definition: each looked at in its order."""
    found = []
    with post.local.read() as connection:
        known = Waiting().keys(connection)
        for act in waiting_acts(connection):
            if not dirty.isdisjoint(known(act.id)):
                found.append(act.id)
                dirty = dirty | known(act.id)
    return found


def by_index(post: Post, dirty: set[Key]) -> list[int]:
    with post.local.read() as connection:
        return [act.id for act in waiting_of(post.local).meeting(connection, dirty, ())]


def test_acts_that_meet_rows_and_those_that_stand_on_theirs_are_found_in_their_order(pair: Pair) -> None:
    ids = [dispatched(pair) for _each in range(4)]
    chance = random.Random(7)
    for n in range(20):
        chosen = tuple(sorted(chance.sample(ids, chance.choice((1, 1, 2)))))
        pair.west.run(TagCases(chosen, f"词{n}"), "zhao")
        if n % 5 == 4:
            # Some of them are sent in between, and count no more.
            pair.west.sync()
            continue
        for case_id in ids:
            dirty: set[Key] = {("cases", case_id)}
            assert by_index(pair.west, dirty) == by_walking(pair.west, dirty)
    assert by_index(pair.west, {("cases", 1)}) == []
    in_step(pair)


def test_an_act_that_is_done_again_is_known_by_what_it_does_now(pair: Pair) -> None:
    first, second = dispatched(pair), dispatched(pair)
    pair.west.run(Reassign((first, second), WATER, "不属", leave_out=True), "zhao")
    (act,) = by_index(pair.west, {("cases", second)})
    pair.server.run(Reassign((second,), PARKS, "不属"), "li")
    pair.west.pull()
    assert by_index(pair.west, {("cases", first)}) == [act]
    assert by_index(pair.west, {("cases", second)}) == []


@pytest.mark.speed
def test_news_cost_what_they_meet_and_not_what_waits(pair: Pair) -> None:
    """One act done again on a case that changed, with and without ten thousand others that wait."""
    case_id = dispatched(pair)
    pair.west.run(TagCases((case_id,), "防汛"), "zhao")
    alone = _seconds_of_a_pull(pair, case_id)
    _let_wait(pair.west, MANY)
    crowded = _seconds_of_a_pull(pair, case_id)
    assert len(pair.west.acts()) == MANY + 1
    assert crowded < 3 * alone


def _seconds_of_a_pull(pair: Pair, case_id: int, rounds: int = 7) -> float:
    """The best of some, of this processor: for a row of the server that is another each time."""
    row = pair.west.rows(case)[case_id]
    found = []
    for n in range(rounds):
        came = {**row, "address": f"学府路 {n}", "version": row["version"] + n}
        began = process_time()
        rebased = rebase(pair.west.local, Incoming({"cases": {case_id: came}}))
        found.append(process_time() - began)
        assert len(rebased.again) == 1
    return min(found)


def _let_wait(post: Post, count: int) -> None:
    """So many other acts that wait, on cases of their own."""
    with post.local.engine.begin() as connection:
        (act,) = connection.execute(select(outbox).where(outbox.c.state == sending.WAITING)).mappings()
        entry = connection.execute(select(journal).where(journal.c.seq == act["seq"])).mappings().one()
        acts: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        for n in range(1, count + 1):
            seq = act["seq"] + n
            acts.append({**act, "id": act["id"] + n, "seq": seq})
            entries.append({**entry, "seq": seq, "touched": {"cases": [n]}, "changes": {}})
        connection.execute(insert(journal), entries)
        connection.execute(update(journal_head).values(seq=seq))
        connection.execute(insert(outbox), acts)
