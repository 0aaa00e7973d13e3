"""Looks a server over and says in sentences what is wrong with it, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import Connection, select, text

from db.engine import schema, settings
from db.engine.connections import Database, leaves_this_computer
from db.kernel.clock import to_ms
from db.kernel.language import N_, _
from db.people.tables import account
from db.server.setup import LEAST_VERSION, MEMBER, OWNER, SETTING, guard_mark
from db.server.stations import CONNECTIONS_EACH, stations
from db.server.tending import last_turn

SPARE_CONNECTIONS = 10
"""For the administrator, the backup and the monitoring."""
MONTHS_WANTED = 3
"""With fewer months of partitions ahead somebody has to look."""
LONG_MINUTES = 10
BACKUP_DAYS = 7
NEWEST_MINOR = {13: 23, 14: 23, 15: 20, 16: 14, 17: 10, 18: 6}
"""The repairs of each version that were out when this program was made."""
REPAIRED_UNTIL = {13: "2025-11-13", 14: "2026-11-12", 15: "2027-11-11", 16: "2028-11-09", 17: "2029-11-08"}
"""Until when a version gets repairs, by the PostgreSQL project."""
CLOCK_SECONDS = 5
TENDED_MINUTES = 15
"""So long may nobody have tended: longer than a computer takes that is started anew."""


class Weight(IntEnum):
    """How bad something is."""

    NOTE = 0
    WARNING = 1
    FAULT = 2


@dataclass(frozen=True)
class Finding:
    """Something about a server that somebody should know."""

    weight: Weight
    code: str
    message: str
    facts: dict[str, object]

    def text(self) -> str:
        """The sentence in the reader's language."""
        return _(self.message).format(**self.facts)


def _fault(code: str, message: str, **facts: object) -> Finding:
    return Finding(Weight.FAULT, code, message, facts)


def _warning(code: str, message: str, **facts: object) -> Finding:
    return Finding(Weight.WARNING, code, message, facts)


def _note(code: str, message: str, **facts: object) -> Finding:
    return Finding(Weight.NOTE, code, message, facts)


def examine(database: Database) -> list[Finding]:
    """All that is to be said about a server, seen by its administrator, the worst first."""
    found: list[Finding] = []
    today = database.clock.now().date().isoformat()
    with database.read() as connection:
        if not connection.execute(text("SELECT to_regclass('public.journal_head')")).scalar():
            return [_fault("no_tables", N_("There is no Jingwei database here yet: “jingwei server init”."))]
        found += _program(connection)
        for look in _LOOKS:
            found += look(connection)
        found += _repairs(connection, today)
        found += _line(connection, database)
        found += _clock(connection, database)
    return sorted(found, key=lambda finding: -finding.weight)


def _program(connection: Connection) -> Iterator[Finding]:
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if str(version) < schema.HEAD:
        yield _fault(
            "older_tables",
            N_("The tables are at step {theirs}, this program is at {ours}: run “jingwei server init”."),
            theirs=version,
            ours=schema.HEAD,
        )
    elif str(version) > schema.HEAD:
        yield _fault(
            "newer_tables",
            N_("The tables are at step {theirs}, newer than this program ({ours}): update it."),
            theirs=version,
            ours=schema.HEAD,
        )
    stand = settings.get(connection, SETTING)
    if not stand:
        yield _fault(
            "no_guard", N_("The database guards nothing: anybody with a login may do anything. Run init.")
        )
    elif not isinstance(stand, dict) or stand.get("guard") != guard_mark():
        yield _fault("old_guard", N_("The guard is not the one of this program: run “jingwei server init”."))


def _version(connection: Connection) -> Iterator[Finding]:
    number = int(_show(connection, "server_version_num"))
    if number < LEAST_VERSION * 10_000:
        yield _fault(
            "server_too_old",
            N_("This server is PostgreSQL {theirs}; {least} or newer is needed."),
            theirs=number // 10_000,
            least=LEAST_VERSION,
        )


def _repairs(connection: Connection, today: str) -> Iterator[Finding]:
    version, minor = divmod(int(_show(connection, "server_version_num")), 10_000)
    if today > REPAIRED_UNTIL.get(version, today):
        yield _warning(
            "no_more_repairs",
            N_("PostgreSQL {version} has had no repairs since {day}: move to a newer version by pg_upgrade."),
            version=version,
            day=REPAIRED_UNTIL[version],
        )
    if minor < NEWEST_MINOR.get(version, 0):
        yield _warning(
            "old_minor",
            N_(
                "PostgreSQL {version}.{minor} lacks the repairs of {version}.{newest}:"
                " update its packages and restart it."
            ),
            version=version,
            minor=minor,
            newest=NEWEST_MINOR[version],
        )


def _text(connection: Connection) -> Iterator[Finding]:
    if (encoding := _show(connection, "server_encoding")) != "UTF8":
        yield _fault(
            "encoding",
            N_("The database keeps text as {encoding} instead of UTF8: adopt or restore it into a new one."),
            encoding=encoding,
        )


def _line(connection: Connection, database: Database) -> Iterator[Finding]:
    """TLS is asked of the server, and of the very connection that asks."""
    if _show(connection, "ssl") != "on":
        listens = _show(connection, "listen_addresses")
        if listens not in {"", "localhost", "127.0.0.1", "::1"}:
            yield _fault(
                "no_tls",
                N_(
                    "TLS is off, and the server listens to the network ({listens}):"
                    " make a certificate and set ssl = on."
                ),
                listens=listens,
            )
    elif leaves_this_computer(database.engine.url):
        used = connection.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar()
        if not used:
            yield _fault(
                "plain_line",
                N_("TLS is on, but this very connection does without it: leave sslmode out of the address."),
            )
    if _show(connection, "password_encryption") != "scram-sha-256":
        yield _warning(
            "no_scram", N_("New passwords are not kept as SCRAM: set password_encryption = scram-sha-256.")
        )
    yield from _open_doors(connection)


def _open_doors(connection: Connection) -> Iterator[Finding]:
    try:
        with connection.begin_nested():
            rows = connection.execute(
                text(
                    "SELECT DISTINCT type, auth_method, coalesce(address, '?') AS address,"
                    " coalesce(address = 'all' OR netmask IN ('0.0.0.0', '::'), false) AS is_wide"
                    " FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> 'reject'"
                    " AND database <> '{replication}' ORDER BY address, auth_method"
                )
            ).all()
    except Exception:
        # Only a superuser reads the file of the doors.
        return
    for row in rows:
        loopback = row.address.startswith(("127.", "::1", "localhost", "samehost"))
        if row.auth_method in {"trust", "password", "md5"}:
            weigh = _warning if loopback or row.auth_method == "md5" else _fault
            yield weigh(
                "open_door",
                N_("pg_hba.conf lets people in from {address} by “{method}”; write scram-sha-256."),
                address=row.address,
                method=row.auth_method,
            )
        if loopback:
            continue
        if row.type in {"host", "hostnossl"}:
            yield _fault(
                "plain_door",
                N_("pg_hba.conf lets lines without TLS in from {address}; write hostssl instead of {type}."),
                address=row.address,
                type=row.type,
            )
        if row.is_wide:
            yield _warning(
                "wide_door",
                N_("pg_hba.conf lets the whole world knock ({address}); write the network of the bureau."),
                address=row.address,
            )


def _durable(connection: Connection) -> Iterator[Finding]:
    for name in ("fsync", "full_page_writes"):
        if _show(connection, name) == "off":
            yield _fault(
                "not_durable",
                N_(
                    "{name} is off: a power cut can destroy the database."
                    " Write {name} = on into postgresql.conf."
                ),
                name=name,
            )
    if _show(connection, "synchronous_commit") == "off":
        yield _fault(
            "not_durable",
            N_(
                "{name} is off: a power cut can take back acts that people saw done."
                " Write {name} = on into postgresql.conf."
            ),
            name="synchronous_commit",
        )
    # What is said of one database or one login holds over the file.
    rows = connection.execute(
        text(
            "SELECT coalesce(l.rolname, d.datname) AS name"
            " FROM pg_db_role_setting s LEFT JOIN pg_roles l ON l.oid = s.setrole"
            " LEFT JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE 'synchronous_commit=off' = ANY (s.setconfig)"
            " AND (s.setdatabase = 0 OR d.datname = current_database()) ORDER BY 1"
        )
    ).scalars()
    for name in rows:
        yield _fault(
            "not_durable_for",
            N_(
                "synchronous_commit is off for {name}: a power cut can take back acts that people saw done."
                " ALTER ROLE or ALTER DATABASE {name} RESET synchronous_commit."
            ),
            name=name,
        )


def _room_for_all(connection: Connection) -> Iterator[Finding]:
    most = int(_show(connection, "max_connections"))
    known = len(stations(connection)) if _has(connection, "station") else 0
    wanted = known * CONNECTIONS_EACH + SPARE_CONNECTIONS
    if most < wanted:
        yield _fault(
            "few_connections",
            N_(
                "{count} stations need {wanted} connections, max_connections is {most}:"
                " raise it in postgresql.conf and restart."
            ),
            count=known,
            wanted=wanted,
            most=most,
        )


def _months(connection: Connection) -> Iterator[Finding]:
    if not connection.execute(text("SELECT to_regproc('jw_months_ahead')")).scalar():
        return
    ahead = int(connection.execute(text("SELECT jw_months_ahead()")).scalar_one())
    if ahead < MONTHS_WANTED:
        yield _warning(
            "few_months",
            N_(
                "Partitions are there for {months} months only:"
                " “jingwei server tend” makes more, “jingwei server init” too."
            ),
            months=ahead,
        )


def _tended(connection: Connection) -> Iterator[Finding]:
    if not _has(connection, "tending"):
        return
    turn = last_turn(connection)
    if turn.at_ms is None:
        yield _warning(
            "not_tended",
            N_(
                "Nobody tends this server: suspended cases are not resumed, nothing is dispatched by itself,"
                " old tracks stay. Let “jingwei server tend” run as a service."
            ),
        )
    elif turn.ago_ms > TENDED_MINUTES * 60_000:
        yield _warning(
            "not_tended",
            N_(
                "Nobody has tended this server for {minutes} minutes, the last time from {host}: look at the"
                " service of “jingwei server tend” there."
            ),
            minutes=turn.ago_ms // 60_000,
            host=turn.host,
        )
    elif turn.trouble:
        yield _warning(
            "tending_fails",
            N_("Tending this server fails at {host}: {reason}"),
            host=turn.host,
            reason=turn.trouble,
        )


def _people(connection: Connection) -> Iterator[Finding]:
    known = dict(connection.execute(select(account.c.login, account.c.active)).all())
    rows = connection.execute(
        text(
            "SELECT l.rolname, l.rolcanlogin, l.rolsuper FROM pg_roles l"
            " JOIN pg_auth_members m ON m.member = l.oid JOIN pg_roles g ON g.oid = m.roleid"
            " WHERE g.rolname = :member AND l.rolname NOT LIKE 'jw\\_%'"
        ),
        {"member": MEMBER},
    ).all()
    logins = {row.rolname for row in rows if row.rolcanlogin}
    if without := sorted(login for login, active in known.items() if active and login not in logins):
        yield _warning(
            "no_login",
            N_("Accounts that cannot sign in here: {names}. “jingwei server person password” lets them in."),
            names=", ".join(without),
        )
    if nobodys := sorted(login for login in logins if not known.get(login)):
        yield _fault(
            "no_account",
            N_("Logins without an account: {names}. “jingwei server person remove” shuts them out."),
            names=", ".join(nobodys),
        )
    if mighty := sorted(row.rolname for row in rows if row.rolsuper):
        yield _fault(
            "above_the_guard",
            N_(
                "Logins of persons that stand above the guard: {names}."
                " Take SUPERUSER and jw_owner from them."
            ),
            names=", ".join(mighty),
        )
    owners = connection.execute(
        text(
            "SELECT l.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
            " JOIN pg_roles l ON l.oid = m.member WHERE g.rolname = :owner AND NOT l.rolsuper"
        ),
        {"owner": OWNER},
    ).scalars()
    if persons := sorted(set(owners) & known.keys()):
        yield _fault(
            "above_the_guard",
            N_(
                "Logins of persons that stand above the guard: {names}."
                " Take SUPERUSER and jw_owner from them."
            ),
            names=", ".join(persons),
        )


def _mighty_lines(connection: Connection) -> Iterator[Finding]:
    """Who comes over the network as one whom nothing binds."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT a.usename, host(a.client_addr) AS address FROM pg_stat_activity a"
            " JOIN pg_roles l ON l.oid = a.usesysid AND l.rolsuper"
            " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
            " AND a.client_addr IS NOT NULL ORDER BY 1, 2"
        )
    )
    for row in rows:
        yield _warning(
            "superuser_at_work",
            N_(
                "{login} works over the network from {address} and may do anything; programs use a login"
                " of their own (“jingwei server keeper” makes one for the service)."
            ),
            login=row.usename,
            address=row.address,
        )


def _clock(connection: Connection, database: Database) -> Iterator[Finding]:
    before = to_ms(database.clock.now())
    theirs = connection.execute(
        text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    ).scalar_one()
    apart = abs((before + to_ms(database.clock.now())) // 2 - int(theirs)) / 1000
    if apart > CLOCK_SECONDS:
        yield _warning(
            "clock",
            N_(
                "The clocks of server and this computer are {seconds:.0f} s apart:"
                " let both follow the same time server (NTP)."
            ),
            seconds=apart,
        )


def _disk(connection: Connection) -> Iterator[Finding]:
    size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    yield _note("size", N_("The database takes {size:.1f} MB."), size=int(size) / 1_000_000)
    try:
        with connection.begin_nested():
            # PostgreSQL does not tell how much room is left; a temporary file limit and the log can.
            wal = connection.execute(text("SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()")).scalar_one()
    except Exception:
        # Only a superuser or a monitor may look.
        return
    if int(wal) > 10_000_000_000:
        yield _warning(
            "much_wal",
            N_("{size:.0f} GB of write-ahead log lie on the disk: look at archive and replication slots."),
            size=int(wal) / 1e9,
        )


def _replicas(connection: Connection) -> Iterator[Finding]:
    if connection.execute(text("SELECT pg_is_in_recovery()")).scalar():
        yield _fault("standby", N_("This is a standby: it can be read, not written. Name the primary."))
        return
    for row in connection.execute(
        text(
            "SELECT coalesce(application_name, '') AS name, state,"
            # Nothing stands there for whoever is no superuser and no monitor.
            " coalesce(extract(epoch FROM replay_lag), 0) AS lag FROM pg_stat_replication"
            " WHERE state IS NOT NULL"
        )
    ):
        if row.state != "streaming" or row.lag > 60:
            yield _warning(
                "lagging_standby",
                N_("The standby {name} is {lag:.0f} s behind ({state}): look at its log and its line."),
                name=row.name,
                lag=float(row.lag),
                state=row.state,
            )
        else:
            yield _note("standby_follows", N_("The standby {name} follows."), name=row.name)
    for row in connection.execute(text("SELECT slot_name FROM pg_replication_slots WHERE NOT active")).all():
        yield _warning(
            "idle_slot",
            N_(
                "Nobody reads the replication slot {name}: it keeps log until the disk is full."
                " Start its standby, or SELECT pg_drop_replication_slot('{name}')."
            ),
            name=row.slot_name,
        )


def _archive(connection: Connection) -> Iterator[Finding]:
    if _show(connection, "archive_mode") == "off":
        yield _note(
            "no_archive", N_("No archive of the log is kept: between two backups nothing can be restored.")
        )
        return
    row = connection.execute(
        text(
            "SELECT last_failed_wal, last_failed_time > coalesce(last_archived_time, '-infinity') AS fails"
            " FROM pg_stat_archiver"
        )
    ).one()
    if row.fails:
        yield _fault(
            "archive_fails",
            N_("The archive fails at {name}: look at archive_command and the server's log."),
            name=row.last_failed_wal,
        )


def _backup(connection: Connection) -> Iterator[Finding]:
    """Only what “jingwei backup” made is known; an archive of the log is the work of other tools."""
    if not _has(connection, "tending"):
        return
    ago = connection.execute(text("SELECT (jw_now_ms() - backup_at) / 86400000 FROM tending")).scalar()
    weigh = _warning if _show(connection, "archive_mode") == "off" else _note
    if ago is None:
        yield weigh(
            "no_backup", N_("No backup of this server is known: “jingwei backup OUT --db …” makes one.")
        )
    elif ago > BACKUP_DAYS:
        yield weigh(
            "old_backup",
            N_("The last backup that is known is {days} days old: “jingwei backup OUT --db …”."),
            days=ago,
        )
    else:
        yield _note("backup", N_("The last backup that is known is {days} days old."), days=ago)


def _long(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(
        text(
            "SELECT usename, extract(epoch FROM now() - xact_start) / 60 AS minutes FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start < now() - make_interval(mins => :minutes)"
        ),
        {"minutes": LONG_MINUTES},
    ):
        yield _warning(
            "long_transaction",
            N_(
                "{who} has had a transaction open for {minutes:.0f} minutes;"
                " stations hear nothing newer than it. End it by pg_terminate_backend."
            ),
            who=row.usename or "?",
            minutes=float(row.minutes),
        )
    for row in connection.execute(text("SELECT gid, owner FROM pg_prepared_xacts")):
        yield _warning(
            "prepared",
            N_("A prepared transaction of {who} holds everybody up: ROLLBACK PREPARED '{name}'."),
            who=row.owner,
            name=row.gid,
        )


def _indexes(connection: Connection) -> Iterator[Finding]:
    names = connection.execute(
        text(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname"
        )
    ).scalars()
    for name in names:
        yield _fault("invalid_index", N_("The index {name} is not valid: REINDEX it."), name=name)


def _triggers(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        text(
            "SELECT t.tgname, t.tgrelid::regclass::text AS relation FROM pg_trigger t"
            " WHERE t.tgname LIKE 'jw\\_%' AND t.tgenabled NOT IN ('O', 'A') ORDER BY 2, 1"
        )
    )
    for row in rows:
        yield _fault(
            "trigger_off",
            N_("The trigger {name} on {table} is switched off: run “jingwei server init”."),
            name=row.tgname,
            table=row.relation,
        )


def _vacuum(connection: Connection) -> Iterator[Finding]:
    if _show(connection, "autovacuum") == "off":
        yield _warning(
            "no_autovacuum", N_("autovacuum is off: tables grow and queries slow down. Set it to on.")
        )


def _show(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _has(connection: Connection, table: str) -> bool:
    known = connection.execute(text("SELECT to_regclass(:name)"), {"name": f"public.{table}"}).scalar()
    return known is not None


_LOOKS: tuple[Callable[[Connection], Iterator[Finding]], ...] = (
    _version,
    _text,
    _durable,
    _room_for_all,
    _months,
    _tended,
    _people,
    _mighty_lines,
    _disk,
    _backup,
    _replicas,
    _archive,
    _long,
    _indexes,
    _triggers,
    _vacuum,
)
