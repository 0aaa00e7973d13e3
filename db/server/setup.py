"""Makes a PostgreSQL database into a server: roles, grants, row policies, triggers, news, monthly partitions.

Everything here may be run again after an update of the program; nothing asks what was there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, Table, create_engine, text
from sqlalchemy.engine import URL, make_url

from db.engine.connections import Database, open_database
from db.engine.tables import metadata
from db.kernel.command import command_permissions
from db.kernel.ids import EPOCH_MS, TIME_SHIFT
from db.kernel.language import N_
from db.kernel.refusal import Refused

OWNER = "jw_owner"
MEMBER = "jw_member"
GUARD = Path(__file__).with_name("guard.sql")

MEASURED = ("position", "track", "vehicle_position", "presence")
"""Telemetry: written without a journal entry."""
LOCAL = ("outbox", "replica", "grace")
"""Tables that mean something only in the file of a station."""
ENGINE = ("journal", "journal_head", "setting")
PARTITIONED = ("case_step", "case_timer", "case_span")
"""The tables that grow with every act, in partitions by the month in which their ids were made."""
LEAST_VERSION = 13
GUARDED_BY = {
    "people.manage": ("unit", "person", "account", "account_role", "account_scope", "role", "vehicle"),
    "reference.load": (
        *("category", "filing_condition", "transition", "role"),
        *("calendar_day", "calendar_year", "working_window", "working_day_rule"),
    ),
    "registers.edit": ("area", "component", "road", "water", "place", "sensitive_place", "time_rule"),
    "import.run": (
        "area",
        "component",
        "road",
        "water",
        "place",
        "sensitive_place",
        "time_rule",
        "unit",
        "category",
    ),
    "duties.edit": ("duty",),
}
"""Permission → the tables that its holder may change; a table that is not named is left to its commands."""


def make_roles(admin_url: str, roles: Iterable[str]) -> URL:
    """Make the owner, the members and a group for each duty, and the database itself when it is not there.

    Returns the address under which the owner works. Raises ``Refused("server_too_old")``,
    ``Refused("not_admin")``, and ``Unavailable`` when the server does not answer.
    """
    address = make_url(admin_url).set(drivername="postgresql+psycopg")
    name = address.database or "jingwei"
    engine = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        opened = open_database(address.set(database="postgres").render_as_string(hide_password=False))
        opened.close()
        with engine.connect() as connection:
            _demand_version(connection)
            _demand_admin(connection)
            for group in (OWNER, MEMBER, *(group_of(code) for code in roles)):
                _make_group(connection, group)
            for code in roles:
                connection.exec_driver_sql(f"GRANT {MEMBER} TO {group_of(code)}")
            known = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.execute(known, {"name": name}).first() is None:
                make = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
                driver = connection.connection.driver_connection
                connection.exec_driver_sql(
                    make.format(sql.Identifier(name), sql.Identifier(OWNER)).as_string(driver)
                )
        # Before PostgreSQL 15 everybody may make tables in it.
        inside = create_engine(address.set(database=name))
        with inside.begin() as connection:
            connection.exec_driver_sql(f"ALTER SCHEMA public OWNER TO {OWNER}")
        inside.dispose()
    finally:
        engine.dispose()
    return as_owner(address.set(database=name))


def as_owner(address: URL) -> URL:
    """The address of an administrator who works as the owner of the tables."""
    options = address.query.get("options", "")
    return address.update_query_dict({"options": f"{options} -c role={OWNER}".strip()})


def group_of(role: str) -> str:
    """The PostgreSQL role that stands for a duty."""
    return f"jw_{role}"


def guard(database: Database) -> None:
    """Put functions, triggers, grants and policies as this program wants them. ``database`` is the owner's."""
    with database.troubles(), database.engine.begin() as connection:
        for table in PARTITIONED:
            _partition(connection, metadata.tables[table])
        make_months(connection)
        # Its own text, without parameters: percent signs in it mean themselves.
        connection.connection.driver_connection.execute(GUARD.read_text(encoding="utf-8"))
        _fill_rights(connection)
        for name in journaled():
            _put_triggers(connection, name)
        for name in MEASURED:
            _trigger(
                connection,
                name,
                "jw_ring",
                "AFTER INSERT OR UPDATE OR DELETE",
                "STATEMENT",
                "jw_ring_measured",
            )
        _put_grants(connection)
        _put_policies(connection)
        connection.exec_driver_sql(
            "INSERT INTO setting (key, value, secret) VALUES ('server', 'true', false) ON CONFLICT DO NOTHING"
        )


def journaled() -> list[str]:
    """The tables whose every change stands in the journal."""
    apart = {*MEASURED, *LOCAL, *ENGINE, "alembic_version"}
    return [name for name in metadata.tables if name not in apart]


def _demand_version(connection: Connection) -> None:
    number = int(str(connection.exec_driver_sql("SHOW server_version_num").scalar()))
    if number < LEAST_VERSION * 10_000:
        raise Refused(
            "server_too_old",
            N_("This server is PostgreSQL {theirs}; {least} or newer is needed."),
            theirs=number // 10_000,
            least=LEAST_VERSION,
        )


def _demand_admin(connection: Connection) -> None:
    row = connection.exec_driver_sql(
        "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
    ).scalar()
    if not row:
        raise Refused(
            "not_admin", N_("Setting up needs a login that may make databases and roles, such as postgres.")
        )


def _make_group(connection: Connection, name: str) -> None:
    if (
        connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first()
        is None
    ):
        connection.exec_driver_sql(f"CREATE ROLE {name} NOLOGIN")
    if name == OWNER:
        connection.exec_driver_sql(f"GRANT {OWNER} TO CURRENT_USER")


def _fill_rights(connection: Connection) -> None:
    connection.exec_driver_sql("TRUNCATE jw_command, jw_table")
    connection.execute(
        text("INSERT INTO jw_command (name, permission) VALUES (:name, :permission)"),
        [{"name": name, "permission": permission} for name, permission in command_permissions().items()],
    )
    connection.execute(
        text("INSERT INTO jw_table (relation, permission) VALUES (:relation, :permission)"),
        [
            {"relation": relation, "permission": permission}
            for permission, relations in GUARDED_BY.items()
            for relation in relations
        ],
    )


def _trigger(
    connection: Connection, table: str, name: str, when: str, each: str, function: str, more: str = ""
) -> None:
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in more else "TRIGGER"
    connection.exec_driver_sql(
        f"CREATE {kind} {name} {when} ON {table} {more} FOR EACH {each} EXECUTE FUNCTION {function}()"
    )


def _put_triggers(connection: Connection, table: str) -> None:
    """Note every written row; a trigger with the rows of a statement may be for one kind of statement only."""
    for act, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        more = f"REFERENCING {rows} TABLE AS changed"
        _trigger(
            connection, table, f"jw_note_{act.lower()}", f"AFTER {act}", "STATEMENT", "jw_note_written", more
        )
    if table == "cases":
        both = "REFERENCING OLD TABLE AS was NEW TABLE AS changed"
        _trigger(connection, table, "jw_moves", "AFTER UPDATE", "STATEMENT", "jw_note_moves", both)
        new = "REFERENCING NEW TABLE AS changed"
        _trigger(connection, table, "jw_new", "AFTER INSERT", "STATEMENT", "jw_note_new_cases", new)
    if table == "account":
        connection.exec_driver_sql("UPDATE account SET password_hash = '' WHERE password_hash <> ''")
        _trigger(connection, table, "jw_blank", "BEFORE INSERT OR UPDATE", "ROW", "jw_blank_password")
    if table == "case_step":
        new = "REFERENCING NEW TABLE AS changed"
        _trigger(connection, table, "jw_name", "AFTER INSERT", "STATEMENT", "jw_check_step", new)


def _put_grants(connection: Connection) -> None:
    put = connection.exec_driver_sql
    entered = "REFERENCING NEW TABLE AS entered"
    _trigger(connection, "journal", "jw_entry", "BEFORE INSERT", "ROW", "jw_stamp_entry")
    _trigger(connection, "journal", "jw_check", "AFTER INSERT", "STATEMENT", "jw_check_entries", entered)
    _trigger(connection, "journal", "jw_ring", "AFTER INSERT", "STATEMENT", "jw_ring_entries", entered)
    _trigger(connection, "journal_head", "jw_head", "BEFORE UPDATE", "ROW", "jw_check_head")
    deferred = "DEFERRABLE INITIALLY DEFERRED"
    _trigger(connection, "jw_written", "jw_settle", "AFTER INSERT", "ROW", "jw_settle", deferred)
    put("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    put(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {MEMBER}")
    put("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    put(f"GRANT USAGE ON SCHEMA public TO {MEMBER}")
    for name in journaled():
        if name in {"case_step", "contact_view"}:
            # A step can be taken back by undo, a look at a contact never.
            put(f"GRANT SELECT, INSERT{', DELETE' if name == 'case_step' else ''} ON {name} TO {MEMBER}")
        else:
            put(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {MEMBER}")
    put(f"GRANT SELECT, INSERT ON journal TO {MEMBER}")
    put(f"GRANT SELECT, UPDATE ON journal_head TO {MEMBER}")
    put(f"GRANT SELECT, INSERT, UPDATE, DELETE ON setting TO {MEMBER}")
    for name in MEASURED:
        put(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {MEMBER}")
    put(f"GRANT SELECT ON news, alembic_version TO {MEMBER}")
    put(f"GRANT SELECT, INSERT, UPDATE ON station TO {MEMBER}")
    put(f"GRANT SELECT, INSERT ON blob TO {MEMBER}")
    put(f"GRANT SELECT, INSERT, UPDATE, DELETE ON case_words TO {MEMBER}")


def _put_policies(connection: Connection) -> None:
    # Asked once a statement, not once a row: hence the scalar sub-selects.
    sees = (
        "(SELECT jw_sees_all()) OR ("
        "((SELECT jw_scope_areas()) IS NULL"
        " OR ARRAY[district_id, community_id, patrol_id, cell_id] && (SELECT jw_scope_areas()))"
        " AND ((SELECT jw_scope_units()) IS NULL OR unit_id IS NULL OR unit_id = ANY ((SELECT jw_scope_units())::bigint[]))"
        " AND ((SELECT jw_scope_classes()) IS NULL OR category_id = ANY ((SELECT jw_scope_classes())::bigint[])))"
    )
    _policy(connection, "cases", "ALL", sees, "true")
    of_case = "(SELECT jw_sees_all()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)"
    for name in journaled():
        table = metadata.tables[name]
        if "case_id" not in table.c or name == "reporter":
            continue
        _policy(connection, name, "ALL", of_case, "true")
    _policy(connection, "reporter", "ALL", "jw_reveals(case_id)", "true")
    mine = "(SELECT jw_sees_all()) OR actor_id = (SELECT jw_account())"
    _policy(connection, "journal", "ALL", mine, "true")
    _policy(connection, "setting", "ALL", "NOT secret", "NOT secret")
    writes = "(SELECT jw_may('people.track')) OR person_id = (SELECT a.person_id FROM account a WHERE a.id = jw_account())"
    for name in ("position", "track"):
        reads = "true" if name == "position" else writes
        _policy(connection, name, "ALL", reads, writes)


def _policy(connection: Connection, table: str, act: str, using: str, check: str) -> None:
    put = connection.exec_driver_sql
    put(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    put(f"DROP POLICY IF EXISTS jw_rows ON {table}")
    put(f"CREATE POLICY jw_rows ON {table} FOR {act} TO {MEMBER} USING ({using}) WITH CHECK ({check})")


def _partition(connection: Connection, table: Table) -> None:
    """Exchange a plain table for one in partitions; its rows come along."""
    name = table.name
    kind = connection.execute(
        text("SELECT relkind FROM pg_class WHERE oid = CAST(:name AS regclass)"), {"name": name}
    ).scalar()
    if kind == "p":
        return
    put = connection.exec_driver_sql
    keys = connection.execute(
        text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = CAST(:name AS regclass) AND contype = 'f'"
        ),
        {"name": name},
    ).all()
    indexes = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = :name"
            " AND indexname NOT LIKE 'pk_%'"
        ),
        {"name": name},
    ).all()
    put(f"ALTER TABLE {name} RENAME TO {name}_whole")
    put(f"ALTER TABLE {name}_whole RENAME CONSTRAINT pk_{name} TO pk_{name}_whole")
    put(
        f"CREATE TABLE {name} (LIKE {name}_whole INCLUDING DEFAULTS, CONSTRAINT pk_{name} PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    put(f"CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT")
    put(f"INSERT INTO {name} SELECT * FROM {name}_whole")
    put(f"DROP TABLE {name}_whole")
    for key, definition in keys:
        put(f"ALTER TABLE {name} ADD CONSTRAINT {key} {definition}")
    for index, definition in indexes:
        put(re.sub(rf"ON (ONLY )?public\.{name}(_whole)?\b", f"ON {name}", definition))


def make_months(connection: Connection, now: datetime | None = None, ahead: int = 24) -> None:
    """Make the partitions of this month and those ahead that are not there yet."""
    now = now or datetime.now(UTC)
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    for table in PARTITIONED:
        begin = first
        for _step in range(ahead):
            end = datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)
            part = f"{table}_{begin:%Y_%m}"
            known = connection.execute(text("SELECT to_regclass(:part)"), {"part": part}).scalar()
            if known is None and not _rest_holds(connection, table, begin, end):
                connection.exec_driver_sql(
                    f"CREATE TABLE {part} PARTITION OF {table}"
                    f" FOR VALUES FROM ({_id_at(begin)}) TO ({_id_at(end)})"
                )
            begin = end


def _rest_holds(connection: Connection, table: str, begin: datetime, end: datetime) -> bool:
    """Whether rows of that month lie in the rest already; they stay there."""
    found = text(f"SELECT 1 FROM {table}_rest WHERE id >= :begin AND id < :end LIMIT 1")  # noqa: S608  our own names
    return connection.execute(found, {"begin": _id_at(begin), "end": _id_at(end)}).first() is not None


def _id_at(moment: datetime) -> int:
    """The smallest id that can be made at a moment."""
    return (int(moment.timestamp() * 1000) - EPOCH_MS) << TIME_SHIFT
