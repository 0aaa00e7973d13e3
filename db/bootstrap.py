"""Opens the whole house: the one place below the desktop that knows every noun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from db.advice import automatic
from db.calendars import commands as calendar_commands
from db.calendars.tables import calendar_day, calendar_year, working_window
from db.cases import claims, contacts, photos
from db.cases.commands import (
    closing,
    dispatch,
    handling,
    intake,
    marking,
    merging,
    orders,
    placing,
    requests,
)
from db.cases.commands.moving import STAGE_LIMITS
from db.cases.tables import transition
from db.desk import commands as desk_commands
from db.duties import commands as duty_commands
from db.engine import proposals, schema, settings
from db.engine.bus import Bus
from db.engine.columns import canonical
from db.engine.connections import Database, open_database
from db.engine.unit_of_work import UnitOfWork
from db.exchange import commands as exchange_commands
from db.exchange.geography import writing as geography_writing
from db.kernel.actor import SYSTEM
from db.kernel.clock import Clock, SystemClock
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.people import commands as people_commands
from db.people import staff, tracking
from db.people.tables import role
from db.registers import commands as register_commands
from db.registers import hours, reference, sensitive
from db.search import index as search_index
from db.sync import tray
from db.tiles import commands as tile_commands

HANDLERS = (
    automatic,
    calendar_commands,
    claims,
    closing,
    contacts,
    desk_commands,
    dispatch,
    duty_commands,
    exchange_commands,
    geography_writing,
    handling,
    hours,
    intake,
    marking,
    merging,
    orders,
    people_commands,
    photos,
    placing,
    proposals,
    register_commands,
    requests,
    tile_commands,
    sensitive,
    staff,
    tracking,
    tray,
)
"""The modules whose handlers the bus knows once they are imported."""
FOLLOWERS = (search_index,)
"""The modules that keep something true about rows whoever writes them, once they are imported."""


@command(
    "core.load_reference", permission="reference.load", label=N_("Load reference data"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class LoadReference:
    """The code lists, filing conditions, moves, roles and calendars that ship with the program."""

    edition: int = 1


@command(
    "core.load_edition",
    permission="reference.load",
    label=N_("Load a newer table of moves"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class LoadEdition:
    """The moves that came with a newer program, and the permissions that they need."""

    edition: int


SEEN_PERMISSIONS = "roles.seen"
"""The setting with every word of ``roles.csv`` that was ever offered to the roles of this database."""


@command(
    "core.grant_permissions",
    permission="reference.load",
    label=N_("Load newer permissions"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class GrantPermissions:
    """The permissions that came with a newer program, for the roles that ship with them."""

    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Core:
    """An open database with the bus that changes it."""

    database: Database
    bus: Bus
    clock: Clock

    def close(self) -> None:
        self.database.close()


def open_core(url: str, *, create: bool = False, clock: Clock | None = None) -> Core:
    """Open the database at ``url`` and bring it to today's shape; with ``create``, fill an empty one with
    reference data.

    Raises ``Refused`` (not a database, newer than the program) or ``Unavailable`` (not there, locked). A file
    that can only be read, and a server that only its owner shapes, are opened when they have today's shape.
    """
    clock = clock or SystemClock()
    database = open_database(url, create=create, clock=clock)
    try:
        if schema.known_version(database) is None and not create:
            schema.refuse_empty(database)
        owns = schema.owns(database)
        if owns or database.dialect == "sqlite":
            schema.upgrade(database)
        else:
            schema.demand_same(database)
        schema.load_station(database)
        # Also when an earlier attempt was cut off between the tables and what belongs into them.
        if create and schema.is_untouched(database):
            load_reference(database)
        # What a newer program brings comes to a station from its server.
        if owns and not database.is_replica:
            _load_newer_moves(database)
            _grant_new_permissions(database)
    except BaseException:
        database.close()
        raise
    return Core(database, Bus(database), clock)


def load_reference(database: Database) -> None:
    """Fill the tables of an empty database from ``resources/reference``."""
    with database.write(SYSTEM, LoadReference()) as unit:
        reference.load(unit)
        _load_moves(unit, reference.read_transitions())
        _load_stage_limits(unit)
        _load_roles(unit)
        _load_calendar(unit)
        settings.put(unit, "city.zone", "Asia/Shanghai")


def _load_newer_moves(database: Database) -> None:
    """Bring the moves of a later program into a database that has older ones; those stay beside them.

    What roles may do is only added to, never taken: a bureau edits its roles.
    """
    shipped = reference.read_transitions()
    newest = max(row.edition for row in shipped)
    query = select(func.max(transition.c.edition))
    with database.read() as connection:
        known = connection.execute(query).scalar()
    # Nothing at all: not filled yet, so there is nothing to bring up to date.
    if known is None or known >= newest:
        return
    with database.write(SYSTEM, LoadEdition(newest)) as unit:
        known = unit.connection.execute(query).scalar_one()
        _load_moves(unit, [row for row in shipped if row.edition > known])
        if settings.get(unit.connection, STAGE_LIMITS) is None:
            _load_stage_limits(unit)
        standing = {row.code: row for row in unit.connection.execute(select(role))}
        wanted = {row.code: row.permissions for row in reference.read_roles() if row.code in standing}
        unit.update(
            role,
            {
                standing[code].id: {
                    "permissions": list(dict.fromkeys([*standing[code].permissions, *permissions]))
                }
                for code, permissions in wanted.items()
            },
        )


def _grant_new_permissions(database: Database) -> None:
    """Give the roles what a newer program has learned to allow.

    Only words that this database has never seen: what a bureau took from a role stays taken.
    """
    shipped = {row.code: row.permissions for row in reference.read_roles()}
    words = {word for permissions in shipped.values() for word in permissions}
    with database.read() as connection:
        standing = {row.code: row for row in connection.execute(select(role))}
        known = settings.get(connection, SEEN_PERMISSIONS)
    if known is None:
        known = [word for row in standing.values() for word in row.permissions]
    new = words.difference(known)
    if not new or not standing.keys() & shipped.keys():
        return
    with database.write(SYSTEM, GrantPermissions(tuple(sorted(new)))) as unit:
        standing = {row.code: row for row in unit.connection.execute(select(role))}
        unit.update(
            role,
            {
                row.id: {
                    "permissions": list(
                        dict.fromkeys([*row.permissions, *(w for w in shipped[code] if w in new)])
                    )
                }
                for code, row in standing.items()
                if code in shipped
            },
        )
        settings.put(unit, SEEN_PERMISSIONS, sorted(words.union(known)))


def _load_stage_limits(unit: UnitOfWork) -> None:
    """How long each stage may take (DOMAIN 2.5), as a setting that a bureau may change."""
    limits = {row.stage: [row.minutes, int(row.at_work)] for row in reference.read_stage_limits()}
    settings.put(unit, STAGE_LIMITS, limits)


def _load_moves(unit: UnitOfWork, rows: Sequence[reference.TransitionRow]) -> None:
    """The table of transitions (DOMAIN 2.3)."""
    unit.load(
        transition,
        ("id", "edition", "from_state", "verb", "to_state", "permission", "needs", "clock"),
        [
            (
                reference.stable_id("transition", f"{row.edition}|{row.from_state}|{row.verb}"),
                row.edition,
                row.from_state,
                row.verb,
                row.to_state,
                row.permission,
                canonical(row.needs),
                row.clock,
            )
            for row in rows
        ],
    )


def _load_roles(unit: UnitOfWork) -> None:
    """The roles of DOMAIN 2.2 with their permissions."""
    unit.load(
        role,
        ("id", "code", "name", "name_en", "permissions"),
        [
            (
                reference.stable_id("role", row.code),
                row.code,
                row.name,
                row.name_en,
                canonical(row.permissions),
            )
            for row in reference.read_roles()
        ],
    )


def _load_calendar(unit: UnitOfWork) -> None:
    """Holidays, swap days and working windows; a year that the holiday file does not cover stays missing."""
    unit.insert(
        calendar_year,
        [
            {"id": reference.stable_id("year", str(row.year)), "year": row.year, "source": row.source}
            for row in reference.read_years()
        ],
    )
    unit.insert(
        calendar_day,
        [
            {
                "id": reference.stable_id("day", row.day.isoformat()),
                "day": row.day,
                "kind": row.kind,
                "name": row.name,
            }
            for row in reference.read_days()
        ],
    )
    unit.insert(
        working_window,
        [
            {
                "id": reference.stable_id(
                    "window", "|".join(filter(None, (f"{row.valid_from}|{row.begins}", row.season_from)))
                ),
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "begins": row.begins,
                "ends": row.ends,
                "season_from": row.season_from,
                "season_to": row.season_to,
            }
            for row in reference.read_windows()
        ],
    )


@dataclass(frozen=True)
class CityFacts:
    """Whose database it is."""

    name: str
    name_en: str
    zone: str
    is_demo: bool


def city_facts(core: Core) -> CityFacts:
    """Name and time zone of the city, and whether it is the invented one."""
    with core.database.read() as connection:
        return CityFacts(
            settings.get(connection, "city.name", ""),
            settings.get(connection, "city.name_en", ""),
            settings.get(connection, "city.zone", "Asia/Shanghai"),
            settings.get(connection, "demo.seed") is not None,
        )
