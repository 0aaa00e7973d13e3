"""The first copy of a server: whole, cut anywhere and gone on with, and with an index that finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from db.cases.commands.intake import Accept, Report
from db.engine.connections import Database
from db.engine.journal import verify
from db.engine.tables import replica
from db.kernel.refusal import Refused
from db.search.index import is_ready
from db.sync import copy as copying
from db.sync.copy import INDEXES, Progress, copy, join
from db.sync.incoming import mirrored
from db.sync.pull import pull
from tests.db.sync.conftest import Pair
from tests.flows.bureau import COVER
from tests.kit.network import Server

MANY = 60


class CutError(Exception):
    """The line is cut, or somebody has had enough."""


@pytest.fixture
def busy(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with some cases, copied a few rows at a time."""
    monkeypatch.setattr(copying, "CHUNK", 25)
    for n in range(MANY):
        pair.east.run(Report("hotline", COVER, f"井盖破损 {n}", "学府路"), "wang")
    pair.east.sync()
    return pair.server


@contextmanager
def joined(server: Server, path: Path) -> Iterator[Database]:
    with closing(join(path, server.way("chen"), "test", "new")) as local:
        yield local


def differences(local: Database, server: Server) -> list[str]:
    """The tables that are not as they are on the server."""
    with local.read() as connection:
        return [
            table.name
            for table in mirrored()
            if {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}
            != server.rows(table)
        ]


def index_names(local: Database) -> set[str]:
    with local.read() as connection:
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))
        return set(found.scalars())


def test_a_copy_is_the_server_with_all_its_indexes(
    busy: Server, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the server takes, only what has come is told.
    monkeypatch.setattr(copying, "BEAT_SECONDS", 3600.0)
    told: list[Progress] = []
    with joined(busy, tmp_path / "new.db") as local:
        copy(local, busy.way("chen"), told.append)
        assert differences(local, busy) == []
        assert index_names(local) == index_names(pair.east.local)
        with local.read() as connection:
            assert verify(connection).whole
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
            assert connection.execute(select(replica.c.copying)).scalar_one() is None
    rows = [each for each in told if each.table != INDEXES]
    # One way from the first row to the last, whatever table it is of.
    assert [each.done for each in rows] == sorted({each.done for each in rows})
    assert {each.all for each in rows} == {rows[-1].done}
    cases = [each.done for each in rows if each.table == "cases"]
    assert [after - before for before, after in pairwise(cases)] == [25, MANY - 50]
    assert told[-1].table == INDEXES
    assert told[-1].done == told[-1].all


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 180), min_size=1, max_size=3))
def test_a_copy_that_is_cut_goes_on_and_misses_nothing(
    busy: Server, pair: Pair, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cut") / "new.db"
    for after in cuts:
        left = after

        def told(_progress: Progress) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise CutError

        # It may be through before the cut comes.
        with joined(busy, path) as local, suppress(CutError):
            copy(local, busy.way("chen"), told)
        # What the copy has passed already changes meanwhile, and so does what it has not come to.
        pair.east.run(Report("hotline", COVER, "积水", "学府路"), "wang")
        with pair.east.local.read() as connection:
            waiting = connection.execute(text("SELECT min(id) FROM cases WHERE state = 'reported'")).scalar()
        if waiting is not None:
            pair.east.run(Accept((int(waiting),)), "wang")
        pair.east.sync()
    with joined(busy, path) as local:
        copy(local, busy.way("chen"))
        pull(local, busy.way("chen"))
        assert differences(local, busy) == []
        with local.read() as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_the_search_index_comes_along(busy: Server, tmp_path: Path) -> None:
    with joined(busy, tmp_path / "new.db") as local:
        copy(local, busy.way("chen"))
        with local.read() as connection:
            assert is_ready(connection)
            found = connection.execute(text("SELECT count(*) FROM case_words WHERE case_words MATCH '井盖'"))
            assert found.scalar() == MANY


def test_a_copy_that_is_whole_is_left_alone(busy: Server, tmp_path: Path) -> None:
    told: list[Progress] = []
    with joined(busy, tmp_path / "new.db") as local:
        copy(local, busy.way("chen"))
        copy(local, busy.way("chen"), told.append)
    assert told == []


def test_a_file_of_another_server_is_refused(busy: Server, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with joined(busy, path):
        pass
    with pytest.raises(Refused, match="other_server"):
        join(path, busy.way("chen"), "elsewhere", "new")


def test_stations_have_numbers_of_their_own(busy: Server, pair: Pair, tmp_path: Path) -> None:
    with joined(busy, tmp_path / "new.db") as local:
        numbers = {local.ids.station, pair.east.local.ids.station, pair.west.local.ids.station}
    assert len(numbers) == 3
