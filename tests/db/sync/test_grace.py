"""Without a line, who was let in by the server comes in by this computer's file, for some days."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from db.cases.commands.intake import Report
from db.cases.tables import case
from db.engine.bus import Bus
from db.kernel.actor import SYSTEM, Scope
from db.people.commands import SetScope, actor_of
from db.people.rules import LOCK_OUT, MAX_FAILURES
from db.sync.copy import copy, join
from db.sync.grace import admit, demand_scope, forget, remember
from db.sync.seat import open_replica, station_file
from tests.db.engine.kit import put_setting, rows_of
from tests.db.sync.conftest import Pair
from tests.flows.bureau import COVER
from tests.kit.network import PASSWORD
from tests.kit.refusals import refused


def test_who_was_let_in_comes_in(pair: Pair) -> None:
    remember(pair.east.local, "wang", PASSWORD)
    actor = admit(pair.east.local, "wang", PASSWORD)
    assert actor == pair.east.actors["wang"]
    assert admit(pair.east.local, "li", PASSWORD) is None, "he has never been here"
    assert PASSWORD.encode() not in pair.east.path.read_bytes()


def test_it_holds_for_some_days(pair: Pair) -> None:
    remember(pair.east.local, "wang", PASSWORD)
    pair.east.clock.ahead = timedelta(days=6, hours=23)
    assert admit(pair.east.local, "wang", PASSWORD) is not None
    put_setting(pair.east.local, "sync.grace_days", 2)
    with refused("grace_over"):
        admit(pair.east.local, "wang", PASSWORD)


def test_a_clock_that_is_put_back_buys_no_days(pair: Pair) -> None:
    remember(pair.east.local, "wang", PASSWORD)
    pair.east.clock.ahead = timedelta(days=-1)
    with refused("clock_back"):
        admit(pair.east.local, "wang", PASSWORD)


def test_five_wrong_passwords_lock_it(pair: Pair) -> None:
    local = pair.east.local
    remember(local, "wang", PASSWORD)
    for _attempt in range(MAX_FAILURES):
        with refused("wrong_password"):
            admit(local, "wang", "guess")
    with refused("locked_out"):
        admit(local, "wang", PASSWORD)
    pair.east.clock.ahead = LOCK_OUT
    with refused("wrong_password"):
        admit(local, "wang", "guess")
    assert admit(local, "wang", PASSWORD) is not None, "the count began anew"


def test_whom_the_server_no_longer_knows_the_file_forgets(pair: Pair) -> None:
    remember(pair.east.local, "wang", PASSWORD)
    forget(pair.east.local, "wang")
    assert admit(pair.east.local, "wang", PASSWORD) is None


@pytest.mark.parametrize(
    "scope",
    [Scope(areas=frozenset({7})), Scope(units=frozenset({7})), Scope(prefixes=("matter 09",))],
)
def test_officers_of_different_scope_have_files_of_their_own(scope: Scope, tmp_path: Path) -> None:
    everywhere = station_file(tmp_path, "postgresql+psycopg://server/jingwei", Scope())
    assert station_file(tmp_path, "postgresql+psycopg://server/jingwei", scope) != everywhere
    assert station_file(tmp_path, "postgresql+psycopg://server/jingwei", scope) == station_file(
        tmp_path, "postgresql+psycopg://server/jingwei", scope
    )


def test_what_one_may_not_see_is_not_in_the_file_of_another(pair: Pair, tmp_path: Path) -> None:
    """Two officers of different classes at one computer: two files, and neither opens the other's."""
    put_setting(pair.server.owner, "scope.hides", True)
    for login, prefix in (("zhao", "component"), ("sun", "matter")):
        account_id = pair.west.actors[login].account_id
        Bus(pair.server.owner).run(SetScope(account_id, prefixes=(prefix,)), SYSTEM)
    case_id = pair.east.run(Report("hotline", COVER, "保密井盖线索"), "wang")
    pair.east.sync()
    address = "postgresql+psycopg://server/jingwei"
    files = {}
    for login in ("zhao", "sun"):
        way = pair.server.way(login)
        actor = actor_of(way, login)
        path = files[login] = station_file(tmp_path, address, actor.scope)
        path.parent.mkdir(exist_ok=True)
        with closing(join(path, way, address, login)) as local:
            copy(local, way)
            demand_scope(local, actor.scope)
            remember(local, login, f"{PASSWORD}-{login}")
    assert files["zhao"] != files["sun"]
    with closing(open_replica(files["zhao"])) as own, closing(open_replica(files["sun"])) as other:
        assert case_id in rows_of(own, case)
        assert rows_of(other, case) == {}
        assert admit(other, "zhao", f"{PASSWORD}-zhao") is None
        with refused("other_scope"):
            demand_scope(other, pair.west.actors["zhao"].scope)
    assert "保密井盖线索".encode() in content(files["zhao"])
    assert "保密井盖线索".encode() not in content(files["sun"])
    assert f"{PASSWORD}-zhao".encode() not in content(files["zhao"])


def content(path: Path) -> bytes:
    """Everything that lies on the disk for a file."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
