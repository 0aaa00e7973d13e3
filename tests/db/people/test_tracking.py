"""Where people and vehicles are: taken in working hours, shown with their age, looked at for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from db.bootstrap import Core
from db.engine.bus import Outcome
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from db.people.tables import person, position, track, vehicle
from db.people.tracking import (
    DAYS,
    LOST_MINUTES,
    STALE_MINUTES,
    STEP_SECONDS,
    AtWork,
    CleanTracks,
    Fix,
    Signal,
    Thresholds,
    ViewTrack,
    has_old_tracks,
    kept_days,
    nearest,
    record_people,
    record_vehicles,
    thresholds,
    track_looks,
    trails,
    vehicles,
)
from tests.db.engine.kit import entries, put_setting, write

NOW = datetime(2026, 3, 16, 2, tzinfo=UTC)
LEADER = Actor(9, "值班长", frozenset({"people.track"}))
ALWAYS: AtWork = lambda moments: np.ones(len(moments), dtype=bool)  # noqa: E731
NEVER: AtWork = lambda moments: np.zeros(len(moments), dtype=bool)  # noqa: E731


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


@pytest.fixture
def core(core: Core) -> Core:
    """The office with two collectors and a vehicle."""
    two = [
        {"id": i, "code": f"C{i}", "name": name, "unit_id": 1, "post": "collector"}
        for i, name in ((71, "张三"), (72, "李四"))
    ]
    car = {"id": 81, "code": "鲁D·Y001试", "name": "执法车", "kind": "enforcement", "unit_id": 1}
    write(core.database, lambda u: (u.insert(person, two), u.insert(vehicle, [car])))
    return core


def take(core: Core, fixes: Sequence[Fix], at_work: AtWork = ALWAYS) -> int:
    kept = []
    write(core.database, lambda u: kept.append(record_people(u, fixes, at_work)))
    return kept[0]


def look(core: Core, actor: Actor = LEADER, reason: str = "核对巡查", hours: float = 2) -> Outcome:
    return core.bus.run(ViewTrack(71, ago(hours=hours), NOW + timedelta(minutes=1), reason), actor)


def points(core: Core) -> list[tuple[int, datetime, float]]:
    with core.database.read() as connection:
        rows = connection.execute(select(track.c.person_id, track.c.at, track.c.lon).order_by(track.c.at))
        return [tuple(row) for row in rows]


def test_a_place_is_kept_as_the_newest_and_in_the_track(core: Core) -> None:
    before = len(entries(core.database))
    assert take(core, [Fix(71, ago(seconds=40), 117.1, 35.0), Fix(71, ago(seconds=10), 117.2, 35.0)]) == 2
    with core.database.read() as connection:
        (row,) = connection.execute(select(position)).all()
    assert (row.at, row.lon) == (ago(seconds=10), 117.2)
    assert [lon for _who, _at, lon in points(core)] == [117.1, 117.2]
    assert len(entries(core.database)) == before


def test_outside_of_working_hours_nothing_is_kept(core: Core) -> None:
    assert take(core, [Fix(71, NOW, 117.1, 35.0)], NEVER) == 0
    with core.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(position)) == 0
    assert points(core) == []


def test_one_point_stays_for_each_step_of_time(core: Core) -> None:
    put_setting(core.database, STEP_SECONDS, 60)
    fixes = [
        Fix(71, NOW - timedelta(seconds=second), 117.0 + second / 1000, 35.0) for second in range(90, -1, -1)
    ]
    take(core, fixes[:50])
    take(core, fixes[50:])
    assert [at for _who, at, _lon in points(core)] == [ago(minutes=2), ago(minutes=1), NOW]
    # The last place of a minute stands for it.
    assert [round(lon, 3) for _who, _at, lon in points(core)] == [117.061, 117.001, 117.0]


def test_what_is_handed_in_late_does_not_move_anybody_back(core: Core) -> None:
    take(core, [Fix(71, NOW, 117.2, 35.0)])
    take(core, [Fix(71, ago(minutes=10), 117.1, 35.0)])
    with core.database.read() as connection:
        assert connection.execute(select(position.c.lon)).scalar() == 117.2
    assert [lon for _who, _at, lon in points(core)] == [117.1, 117.2]


def test_what_cannot_be_a_place_or_a_moment_is_dropped(core: Core) -> None:
    fixes = [
        Fix(71, NOW, 500.0, 35.0),
        Fix(71, NOW, float("nan"), 35.0),
        Fix(71, NOW + timedelta(hours=1), 117.0, 35.0),
    ]
    assert take(core, fixes) == 0
    assert take(core, []) == 0


def test_signals_go_from_online_to_stale_to_lost() -> None:
    limits = Thresholds()
    assert limits.signal(ago(seconds=120), NOW) is Signal.ONLINE
    assert limits.signal(ago(seconds=121), NOW) is Signal.STALE
    assert limits.signal(ago(minutes=16), NOW) is Signal.LOST
    ages = np.array([to_ms(NOW), to_ms(ago(minutes=5)), 0])
    assert limits.signals(ages, to_ms(NOW)).tolist() == [0, 1, 2]


def test_a_bureau_sets_its_own_limits(core: Core) -> None:
    with core.database.read() as connection:
        assert thresholds(connection) == Thresholds(120_000, 900_000)
    put_setting(core.database, STALE_MINUTES, 0.5)
    put_setting(core.database, LOST_MINUTES, 3)
    with core.database.read() as connection:
        assert thresholds(connection) == Thresholds(30_000, 180_000)


def test_the_nearest_is_found_and_whoever_is_lost_comes_last(core: Core) -> None:
    take(core, [Fix(71, ago(minutes=30), 117.1, 35.0), Fix(72, ago(seconds=5), 117.12, 35.0)])
    with core.database.read() as connection:
        found = nearest(connection, 117.1, 35.0, NOW)
    assert [(each.name, each.signal) for each in found] == [("李四", Signal.ONLINE), ("张三", Signal.LOST)]
    assert found[0].metres == pytest.approx(1821, abs=5)


def test_vehicles_come_with_their_newest_place_or_none(core: Core) -> None:
    with core.database.read() as connection:
        (there,) = vehicles(connection)
    assert (there.code, there.at_ms) == ("鲁D·Y001试", 0)
    assert np.isnan(there.lon)
    write(core.database, lambda u: record_vehicles(u, [Fix(81, NOW, 117.3, 35.1)]))
    write(core.database, lambda u: record_vehicles(u, [Fix(81, ago(minutes=1), 117.0, 35.1)]))
    with core.database.read() as connection:
        (there,) = vehicles(connection)
    assert (there.lon, there.at_ms) == (117.3, to_ms(NOW))


def test_a_track_is_shown_for_a_reason_and_the_look_is_kept(core: Core) -> None:
    take(core, [Fix(71, ago(minutes=minute), 117.1 + minute / 1000, 35.0) for minute in (30, 20, 10)])
    take(core, [Fix(72, ago(minutes=5), 117.5, 35.0)])
    found = look(core).result
    assert found.lon.round(3).tolist() == [117.13, 117.12, 117.11]
    assert (np.diff(found.at) > 0).all()
    with core.database.read() as connection:
        (seen,) = track_looks(connection, person_id=71)
        assert track_looks(connection, viewer_id=9) == [seen]
        assert track_looks(connection, person_id=72) == []
    assert (seen.person_name, seen.viewer_name, seen.reason) == ("张三", "值班长", "核对巡查")
    assert entries(core.database)[-1].command == "people.view_track"
    with pytest.raises(Refused):
        core.bus.undo(LEADER)


def test_nobody_looks_without_a_reason_or_the_right(core: Core) -> None:
    with pytest.raises(Refused, match="reason is required"):
        look(core, reason=" ")
    with pytest.raises(Refused, match="may not do this"):
        look(core, Actor(3, "受理员", frozenset({"room.view"})))
    with pytest.raises(Refused, match="must end after"):
        look(core, hours=-2)
    with core.database.read() as connection:
        assert track_looks(connection) == []


def test_trails_are_short_and_for_whoever_may_see_tracks(core: Core) -> None:
    take(core, [Fix(71, ago(minutes=minute), 117.1, 35.0) for minute in (50, 25, 5, 1)])
    take(core, [Fix(72, ago(minutes=3), 117.5, 35.0)])
    with core.database.read() as connection:
        found = trails(connection, LEADER, NOW)
        assert [(each.person_id, len(each)) for each in found] == [(71, 2), (72, 1)]
        assert len(trails(connection, LEADER, NOW, minutes=600)[0]) == 3
        assert trails(connection, Actor(3, "受理员"), NOW) == []


def test_tracks_are_erased_when_their_time_is_over(core: Core) -> None:
    put_setting(core.database, DAYS, 10)
    take(core, [Fix(71, ago(days=11), 117.1, 35.0), Fix(72, ago(days=9), 117.2, 35.0)])
    assert has_old_tracks(core.database)
    with core.database.read() as connection:
        assert kept_days(connection) == 10
    assert core.bus.run(CleanTracks(), SYSTEM).result == 1
    assert [who for who, _at, _lon in points(core)] == [72]
    assert not has_old_tracks(core.database)
    with core.database.read() as connection:
        assert connection.execute(select(position.c.person_id)).scalars().all() == [72]
