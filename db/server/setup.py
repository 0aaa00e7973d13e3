"""Makes a PostgreSQL database into a server: roles, grants, row policies, triggers, news, monthly partitions.

Everything here may be run again after an update of the program; nothing asks what was there before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, Table, text
from sqlalchemy.engine import URL

from db.engine.columns import canonical
from db.engine.connections import Database, address_of, open_database
from db.engine.tables import metadata
from db.kernel.command import command_permissions
from db.kernel.ids import EPOCH_MS, TIME_SHIFT
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.server.rights import (
    JOURNALED,
    KEEPING,
    MEASURED,
    OF_CASE,
    ROWS,
    SERVERS_OWN,
    SETTINGS,
    STATION_TELLS,
)
from db.server.values import note_function, note_functions

OWNER = "jw_owner"
MEMBER = "jw_member"
GUARD = Path(__file__).with_name("guard.sql")
SETTING = "server"
"""The setting that says that a database is guarded, and by which guard."""

SERVER_STATION = 0
"""The number under which a server itself makes ids; its stations are numbered from 1."""

PARTITIONED = {"case_step": "id", "case_timer": "id", "case_span": "id", "track": "at"}
"""The tables that grow with every act and with every step of a collector, in partitions by the month in which
their ids were made, or of a moment.
"""
MONTHS_AHEAD = 24
LEAST_VERSION = 13


def make_roles(admin_url: str, roles: Iterable[str]) -> URL:
    """Make the owner, the members and a group for each duty, and the database itself when it is not there.

    Returns the address under which the owner works. Raises ``Refused("server_too_old")``,
    ``Refused("not_admin")``, and ``Unavailable`` when the server does not answer.
    """
    address = address_of(admin_url)
    name = address.database or "jingwei"
    admin = open_database(_plain(address.set(database="postgres")))
    try:
        engine = admin.engine.execution_options(isolation_level="AUTOCOMMIT")
        with admin.troubles(), engine.connect() as connection:
            _demand_version(connection)
            _demand_admin(connection)
            for group in (OWNER, MEMBER, *(group_of(code) for code in roles)):
                _make_group(connection, group)
            for code in roles:
                connection.exec_driver_sql(f"GRANT {MEMBER} TO {group_of(code)}")
            _make_database(connection, name)
        is_all_powerful = _is_superuser(admin)
    finally:
        admin.close()
    inside = open_database(_plain(address.set(database=name)))
    try:
        with inside.troubles(), inside.engine.begin() as connection:
            # Before PostgreSQL 15 everybody may make tables in it.
            connection.exec_driver_sql(f"ALTER SCHEMA public OWNER TO {OWNER}")
            if is_all_powerful:
                _close_large_objects(connection)
    finally:
        inside.close()
    return as_owner(address.set(database=name))


def as_owner(address: URL) -> URL:
    """The address of an administrator who works as the owner of the tables."""
    options = str(address.query.get("options", ""))
    role = f"-c role={OWNER}"
    return address if role in options else address.update_query_dict({"options": f"{options} {role}".strip()})


def group_of(role: str) -> str:
    """The PostgreSQL role that stands for a duty."""
    return f"jw_{role}"


def guard(database: Database, program: str = "") -> None:
    """Put functions, triggers and rights as this program wants them; ``database`` is the owner's."""
    with database.troubles(), database.engine.begin() as connection:
        names = ", ".join(f"'{name}'" for name in PARTITIONED)
        keys = " ".join(f"WHEN '{name}' THEN '{key}'" for name, key in PARTITIONED.items())
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION jw_partitioned() RETURNS text[] LANGUAGE sql IMMUTABLE"
            f" AS $$ SELECT ARRAY[{names}] $$"
        )
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION jw_partition_key(parent text) RETURNS text LANGUAGE sql IMMUTABLE"
            f" AS $$ SELECT CASE parent {keys} END $$"
        )
        # Its own text, without parameters: percent signs in it mean themselves.
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(GUARD.read_text(encoding="utf-8"))
        for name in PARTITIONED:
            _partition(connection, metadata.tables[name])
        connection.execute(text("SELECT jw_make_months(:ahead)"), {"ahead": MONTHS_AHEAD})
        for function in note_functions():
            driver.execute(function)
        _fill_rights(connection)
        _put_triggers(connection)
        _put_grants(connection)
        _put_policies(connection)
        connection.execute(
            text("UPDATE setting SET value = :value WHERE key = 'station'"), {"value": str(SERVER_STATION)}
        )
        stand = {"guard": guard_mark(), "program": program}
        connection.execute(
            text(
                "INSERT INTO setting (key, value, secret) VALUES (:key, :value, false)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            {"key": SETTING, "value": canonical(stand)},
        )


def guard_mark() -> str:
    """What tells the guard of this program from an older one: a digest of all that it is made of."""
    parts = [GUARD.read_text(encoding="utf-8"), repr((JOURNALED, MEASURED, KEEPING, SERVERS_OWN, ROWS))]
    parts += [repr((SETTINGS, PARTITIONED, STATION_TELLS)), repr(sorted(command_permissions().items()))]
    parts += note_functions()
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _plain(address: URL) -> str:
    return address.render_as_string(hide_password=False)


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


def _is_superuser(database: Database) -> bool:
    with database.read() as connection:
        return connection.exec_driver_sql("SHOW is_superuser").scalar() == "on"


def _make_group(connection: Connection, name: str) -> None:
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if connection.execute(known, {"name": name}).first() is None:
        connection.exec_driver_sql(f"CREATE ROLE {name} NOLOGIN")
    if name == OWNER:
        connection.exec_driver_sql(f"GRANT {OWNER} TO CURRENT_USER")


def _make_database(connection: Connection, name: str) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    named, owner, member = sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(MEMBER)
    known = text("SELECT 1 FROM pg_database WHERE datname = :name")
    if connection.execute(known, {"name": name}).first() is None:
        make = "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0"
        driver.execute(sql.SQL(make).format(named, owner))
    driver.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(named, owner))
    # Neither strangers nor tables of one's own that could bear the name of another.
    driver.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(named))
    driver.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(named, member))


def _close_large_objects(connection: Connection) -> None:
    """Nobody's record is in them, but anybody could fill the disk with them, unseen."""
    rows = connection.exec_driver_sql(
        "SELECT oid::regprocedure::text FROM pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace"
        " AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_import')"
    )
    for function in rows.scalars().all():
        connection.exec_driver_sql(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")


def _fill_rights(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM jw_command")
    connection.exec_driver_sql("DELETE FROM jw_table")
    connection.exec_driver_sql("DELETE FROM jw_setting")
    connection.execute(
        text("INSERT INTO jw_command (name, permission) VALUES (:name, :permission)"),
        [{"name": name, "permission": permission} for name, permission in command_permissions().items()],
    )
    connection.execute(
        text("INSERT INTO jw_table (relation, permission) VALUES (:relation, :permission)"),
        [
            {"relation": name, "permission": permission}
            for name, right in JOURNALED.items()
            for permission in right.by
        ],
    )
    connection.execute(
        text("INSERT INTO jw_setting (key, permission) VALUES (:key, :permission)"),
        [
            {"key": key, "permission": permission}
            for key, permissions in SETTINGS.items()
            for permission in permissions
        ],
    )


def _put_triggers(connection: Connection) -> None:
    """The names matter: PostgreSQL fires them in their order, and a doubt comes before the note of a row."""

    def after(table: str, name: str, act: str, function: str) -> None:
        rows = {
            "INSERT": "NEW TABLE AS changed",
            "UPDATE": "OLD TABLE AS was NEW TABLE AS changed",
            "DELETE": "OLD TABLE AS changed",
        }[act]
        if function == "jw_check_reach":
            rows = rows.replace("OLD TABLE AS changed", "OLD TABLE AS was")
        _trigger(connection, table, name, f"AFTER {act}", f"REFERENCING {rows} FOR EACH STATEMENT", function)

    def before(table: str, name: str, acts: str, function: str) -> None:
        _trigger(connection, table, name, f"BEFORE {acts}", "FOR EACH ROW", function)

    for table, right in JOURNALED.items():
        for act in ("INSERT", "UPDATE", "DELETE"):
            after(table, f"jw_note_{act.lower()}", act, note_function(table))
            if table != "cases" and "case_id" in metadata.tables[table].c:
                after(table, f"jw_check_reach_{act.lower()}", act, "jw_check_reach_of")
        if right.by:
            acts = "BEFORE INSERT OR UPDATE OR DELETE"
            _trigger(connection, table, "jw_right", acts, "FOR EACH STATEMENT", "jw_check_right")
        if not right.removed:
            after(table, "jw_check_removal", "DELETE", "jw_check_removal")
    after("cases", "jw_check_moves", "UPDATE", "jw_check_moves")
    after("cases", "jw_check_new", "INSERT", "jw_check_new_cases")
    after("cases", "jw_check_reach_update", "UPDATE", "jw_check_reach")
    after("cases", "jw_check_reach_delete", "DELETE", "jw_check_reach")
    after("case_step", "jw_check_name", "INSERT", "jw_check_step")
    after("case_step", "jw_check_old", "UPDATE", "jw_check_old_step")
    after("cases", "jw_check_target", "UPDATE", "jw_check_target")
    after("case_unit", "jw_check_helper", "INSERT", "jw_check_helper")
    after("case_unit", "jw_check_target", "INSERT", "jw_check_target")
    after("case_unit", "jw_check_helper_again", "UPDATE", "jw_check_helper")
    before("account", "jw_blank", "INSERT OR UPDATE", "jw_blank_password")
    before("case_claim", "jw_claim", "INSERT OR UPDATE", "jw_check_claim")
    before("proposal", "jw_proposal", "INSERT OR UPDATE", "jw_check_proposal")
    before("contact_view", "jw_look", "INSERT", "jw_note_look")
    after("reporter", "jw_check_contact", "INSERT", "jw_note_contact")
    before("track_view", "jw_look", "INSERT", "jw_check_viewer")
    before("station", "jw_station", "INSERT OR UPDATE", "jw_check_station")
    before("journal", "jw_entry", "INSERT", "jw_stamp_entry")
    before("journal_head", "jw_head", "UPDATE", "jw_check_head")
    entered = "REFERENCING NEW TABLE AS entered FOR EACH STATEMENT"
    _trigger(connection, "journal", "jw_check", "AFTER INSERT", entered, "jw_check_entries")
    _trigger(connection, "journal", "jw_ring", "AFTER INSERT", entered, "jw_ring_entries")
    written = "AFTER INSERT OR UPDATE OR DELETE"
    before("setting", "jw_note", "INSERT OR UPDATE OR DELETE", "jw_note_setting")
    for name in MEASURED:
        _trigger(connection, name, "jw_ring", written, "FOR EACH STATEMENT", "jw_ring_measured")
    deferred = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    _trigger(connection, "jw_written", "jw_settle", "AFTER INSERT", deferred, "jw_settle")
    # Of earlier versions.
    for gone in ("jw_note_written()", "jw_demand_true(bigint, bigint[], boolean, integer)"):
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {gone}")
    connection.exec_driver_sql("UPDATE account SET password_hash = '' WHERE password_hash <> ''")


def _trigger(connection: Connection, table: str, name: str, when: str, how: str, function: str) -> None:
    kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in how else "TRIGGER"
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    connection.exec_driver_sql(f"CREATE {kind} {name} {when} ON {table} {how} EXECUTE FUNCTION {function}()")


def _put_grants(connection: Connection) -> None:
    put = connection.exec_driver_sql
    put("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    put(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {MEMBER}")
    put("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    put(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {MEMBER}")
    # These are asked by the triggers alone.
    inner_ones = (
        *("jw_make_months_of(text[], integer, integer)", "jw_drop_months()"),
        *("jw_keep_house()", "jw_prune_news(integer)"),
        *("jw_keyed(text)", "jw_demand_true(bigint, bigint[], boolean)"),
        "jw_demand_true_of(text, bigint, text[], text[])",
    )
    for inner in inner_ones:
        put(f"REVOKE ALL ON FUNCTION {inner} FROM {MEMBER}")
    put("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    put(f"GRANT USAGE ON SCHEMA public TO {MEMBER}")
    for name, right in {**JOURNALED, **MEASURED, **KEEPING, **SERVERS_OWN}.items():
        if right.acts:
            put(f"GRANT {', '.join(right.acts)} ON {name} TO {MEMBER}")
    put(f"GRANT SELECT, INSERT, UPDATE ({', '.join(STATION_TELLS)}) ON station TO {MEMBER}")


def _put_policies(connection: Connection) -> None:
    put = connection.exec_driver_sql
    of_case = {
        name: {"ALL": (OF_CASE, "true")}
        for name in JOURNALED
        if "case_id" in metadata.tables[name].c and name not in ROWS
    }
    for table, policies in {**of_case, **ROWS}.items():
        put(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        for act in ("ALL", "SELECT", "INSERT", "UPDATE", "DELETE"):
            put(f"DROP POLICY IF EXISTS jw_{act.lower()} ON {table}")
        put(f"DROP POLICY IF EXISTS jw_rows ON {table}")
        for act, (using, check) in policies.items():
            which = f" USING ({using})" if using else ""
            new = f" WITH CHECK ({check})" if check else ""
            put(f"CREATE POLICY jw_{act.lower()} ON {table} FOR {act} TO {MEMBER}{which}{new}")


def _partition(connection: Connection, table: Table) -> None:
    """Exchange a plain table for one in partitions; its rows come along, each into its month."""
    name, key = table.name, PARTITIONED[table.name]
    primary = ", ".join(column.name for column in table.primary_key)
    kind = text("SELECT relkind FROM pg_class WHERE oid = CAST(:name AS regclass)")
    if connection.execute(kind, {"name": name}).scalar() == "p":
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
        f"CREATE TABLE {name} (LIKE {name}_whole INCLUDING DEFAULTS,"
        f" CONSTRAINT pk_{name} PRIMARY KEY ({primary})) PARTITION BY RANGE ({key})"
    )
    put(f"CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT")
    _make_past_months(connection, name)
    put(f"INSERT INTO {name} SELECT * FROM {name}_whole")  # noqa: S608  our own names
    put(f"DROP TABLE {name}_whole")
    for constraint, definition in keys:
        put(f"ALTER TABLE {name} ADD CONSTRAINT {constraint} {definition}")
    for _index, definition in indexes:
        put(re.sub(rf"ON (ONLY )?public\.{name}(_whole)?\b", f"ON {name}", definition))


def _make_past_months(connection: Connection, name: str) -> None:
    """The months of the rows that are there; what claims to be older than ten years goes into the rest."""
    key = PARTITIONED[name]
    statement = f"SELECT min({key}) FROM {name}_whole WHERE {key} > 0"  # noqa: S608  our own names
    oldest = connection.exec_driver_sql(statement).scalar()
    if oldest is None:
        return
    now = datetime.now(UTC)
    first = datetime.fromtimestamp(
        ((int(oldest) >> TIME_SHIFT) + EPOCH_MS if key == "id" else int(oldest)) / 1000, UTC
    )
    behind = min(max((now.year - first.year) * 12 + now.month - first.month, 0), 120)
    connection.execute(
        text("SELECT jw_make_months_of(ARRAY[CAST(:name AS text)], :behind, 1)"),
        {"name": name, "behind": behind},
    )
