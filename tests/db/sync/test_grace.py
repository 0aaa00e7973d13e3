"""Without a line, who was let in by the server comes in by this computer's file, for some days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from db.kernel.actor import Scope
from db.people.rules import LOCK_OUT, MAX_FAILURES
from db.sync.grace import admit, forget, remember
from db.sync.seat import station_file
from tests.db.engine.kit import put_setting
from tests.db.sync.conftest import Pair
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
