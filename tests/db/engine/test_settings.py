"""Settings are plain values by key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db.engine import settings
from db.engine.connections import Database
from tests.db.engine.kit import write


def test_the_last_value_counts_and_a_missing_key_has_the_default(database: Database) -> None:
    write(database, lambda unit: settings.put(unit, "city.bounds", [1, 2, 3, 4]))
    write(database, lambda unit: settings.put(unit, "city.bounds", {"w": 1.5}))
    with database.read() as connection:
        assert settings.get(connection, "city.bounds") == {"w": 1.5}
        assert settings.get(connection, "nothing", 7) == 7


def test_a_moment_shows_the_hour_of_the_city_and_the_day_when_it_is_another(database: Database) -> None:
    now = datetime(2026, 3, 16, 2, tzinfo=UTC)
    with database.read() as connection:
        assert settings.clock_text(connection, now, now) == "10:00"
        assert settings.clock_text(connection, now - timedelta(hours=11), now) == "2026-03-15 23:00"
    write(database, lambda unit: settings.put(unit, "city.zone", "America/New_York"))
    with database.read() as connection:
        assert settings.clock_text(connection, now, now) == "22:00"


def test_what_was_read_ahead_is_not_asked_for_again(database: Database) -> None:
    write(database, lambda unit: settings.put(unit, "a", 1))
    with database.read() as connection:
        with settings.read_ahead(connection, {"a": 2, "b": None}):
            assert settings.get(connection, "a") == 2
            assert settings.get(connection, "b", 7) == 7
        assert settings.get(connection, "a") == 1
