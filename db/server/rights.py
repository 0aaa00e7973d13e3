"""Who may do what with which table of a server: one decision for each table, and a test demands it."""

from __future__ import annotations

from dataclasses import dataclass

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"


@dataclass(frozen=True)
class Right:
    """What members may do with a table. What is journaled is bound to an entry besides."""

    acts: tuple[str, ...] = (READ, ADD, CHANGE, REMOVE)
    by: tuple[str, ...] = ()
    """One of these permissions is needed for a change; none: the command's own permission decides."""
    removed: bool = False
    """Whether a command removes rows; otherwise they go only when the act that added them is taken back."""


_COMMANDS = Right()
_REFERENCE = Right(by=("reference.load",))
_PEOPLE = Right(by=("people.manage",))
_GROUND = Right(by=("registers.edit", "import.run"))

JOURNALED = {
    # A case and what hangs on it: the permission of the command, and the table of moves.
    "cases": _COMMANDS,
    "case_step": _COMMANDS,
    "case_request": _COMMANDS,
    "case_order": _COMMANDS,
    "case_task": _COMMANDS,
    "case_timer": _COMMANDS,
    "case_span": _COMMANDS,
    "case_unit": Right(by=("case.dispatch", "case.decide", "case.accept", "case.force", "import.run")),
    "case_photo": Right(by=("case.photo", "case.merge", "case.dispatch")),
    "case_tag": Right(by=("case.dispatch",), removed=True),
    "case_claim": Right(by=("room.view",)),
    # Contacts: never changed; a look at one is never taken back.
    "reporter": Right((READ, ADD, REMOVE), by=("case.report", "import.run")),
    "contact_view": Right((READ, ADD), by=("contact.view",)),
    "track_view": Right((READ, ADD), by=("people.track",)),
    # The desk.
    "proposal": _COMMANDS,
    "kept": Right(by=("room.view",), removed=True),
    "duty": Right(by=("duty.manage",), removed=True),
    # People.
    "unit": Right(by=("people.manage", "import.run")),
    "person": _PEOPLE,
    "account": _PEOPLE,
    "account_role": Right(by=("people.manage",), removed=True),
    "account_scope": Right(by=("people.manage",), removed=True),
    "role": Right(by=("people.manage", "reference.load")),
    "vehicle": _PEOPLE,
    # Code lists and calendars.
    "category": Right(by=("reference.load", "import.run")),
    "filing_condition": _REFERENCE,
    "transition": _REFERENCE,
    "calendar_year": _REFERENCE,
    "calendar_day": Right(by=("reference.load",), removed=True),
    "working_window": Right(by=("reference.load",), removed=True),
    "working_day_rule": _REFERENCE,
    # Registers.
    "area": _GROUND,
    "component": _GROUND,
    "road": _GROUND,
    "water": _GROUND,
    "place": _GROUND,
    "sensitive_place": _GROUND,
    "time_rule": _GROUND,
}
"""The tables whose every change stands in the journal."""

MEASURED = {
    "position": Right(),
    "track": Right(),
    "vehicle_position": Right(),
    "presence": Right(),
}
"""Telemetry: written without an entry; row policies say by whom."""

KEEPING = {
    "journal": Right((READ, ADD)),
    "journal_head": Right((READ, CHANGE)),
    "setting": Right(),
    # What means something only in the file of a station.
    "outbox": Right(()),
    "replica": Right(()),
    "grace": Right(()),
}
"""The tables of the engine."""

SERVERS_OWN = {
    "alembic_version": Right((READ,)),
    # Search terms, kept true by whoever writes a case; they can be made anew at any time.
    "case_words": Right(),
    "news": Right((READ,)),
    "blob": Right((READ, ADD)),
    "tending": Right((READ,)),
}
"""Tables that are no part of the program's own."""

STATION_TELLS = ("name", "program", "login", "waiting", "skew_ms", "behind_ms", "seen_at")
"""What a station says of itself; number and token stay as they were given."""

SETTINGS = {
    "advice.automatic_from": ("advice.manage",),
    "advice.excluded": ("advice.manage",),
    # Every new case moves it on: a report, one that was split off, an import.
    "case.last_number": ("case.report", "case.dispatch", "import.run"),
    "city.bounds": ("import.run",),
    "city.name": ("import.run",),
    "city.name_en": ("import.run",),
    "city.zone": ("import.run",),
    "map.tiles": ("reference.load",),
    "roles.seen": ("reference.load",),
    "search.edition": ("search.rebuild",),
    "stage.limits": ("reference.load",),
}
"""Setting → the permissions whose commands set it; every other one is the owner's alone."""

SCOPED = (
    # Asked once a statement, not once a row: hence the scalar sub-selects.
    "(SELECT jw_sees_all()) OR ("
    "((SELECT jw_scope_areas()) IS NULL"
    " OR ARRAY[district_id, community_id, patrol_id, cell_id] && (SELECT jw_scope_areas()))"
    " AND ((SELECT jw_scope_units()) IS NULL"
    " OR coalesce(unit_id = ANY ((SELECT jw_scope_units())::bigint[]), false)"
    " OR id = ANY ((SELECT jw_helped())::bigint[]))"
    " AND ((SELECT jw_scope_classes()) IS NULL"
    " OR category_id = ANY ((SELECT jw_scope_classes())::bigint[])))"
)
OF_CASE = "(SELECT jw_sees_all()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)"
_OWN_WAY = "person_id = (SELECT jw_person()) OR (SELECT jw_may('people.track'))"
_ERASES = "(SELECT jw_may('people.manage'))"
_OWN_DESK = "account_id = (SELECT jw_account())"
_FLEET = (
    "(SELECT jw_may('people.track')) OR (SELECT jw_may('people.manage')) OR (SELECT jw_may('import.run'))"
)
_DAY_AGO = "at < jw_now_ms() - 86400000"

ROWS: dict[str, dict[str, tuple[str, str]]] = {
    "cases": {"ALL": (SCOPED, "true")},
    "reporter": {"ALL": ("jw_reveals(case_id)", "true")},
    "journal": {"ALL": ("(SELECT jw_sees_all()) OR actor_id = (SELECT jw_account())", "true")},
    "setting": {"ALL": ("NOT secret", "NOT secret")},
    "kept": {
        # Read by all: a station keeps the lists of everybody who sits at it.
        READ: ("true", ""),
        ADD: ("", "owner_id = (SELECT jw_account())"),
        CHANGE: ("owner_id = (SELECT jw_account())", "owner_id = (SELECT jw_account())"),
        REMOVE: ("owner_id = (SELECT jw_account())", ""),
    },
    # Old ways are erased by who may (people.clean_tracks).
    "position": {
        READ: ("true", ""),
        ADD: ("", _OWN_WAY),
        CHANGE: (_OWN_WAY, _OWN_WAY),
        REMOVE: (_ERASES, ""),
    },
    "track": {
        READ: (f"{_OWN_WAY} OR {_ERASES}", ""),
        ADD: ("", _OWN_WAY),
        CHANGE: (_OWN_WAY, _OWN_WAY),
        REMOVE: (_ERASES, ""),
    },
    "vehicle_position": {
        READ: ("true", ""),
        ADD: ("", _FLEET),
        CHANGE: (_FLEET, _FLEET),
        REMOVE: (_FLEET, ""),
    },
    "presence": {
        READ: ("true", ""),
        ADD: ("", _OWN_DESK),
        CHANGE: (_OWN_DESK, _OWN_DESK),
        REMOVE: (f"{_OWN_DESK} OR {_DAY_AGO}", ""),
    },
    "case_words": {"ALL": (OF_CASE, "true")},
}
"""Row policies by table and kind of statement, as (which rows, which new rows); tables with a ``case_id``
that are not named follow their case."""
