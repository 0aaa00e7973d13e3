"""Accounts: making them, signing in, changing a password, and where each may act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import ColumnElement, Connection, column, select
from sqlalchemy import table as light_table

from db.engine.bus import handles
from db.engine.connections import Database
from db.engine.unit_of_work import UnitOfWork
from db.kernel.actor import SYSTEM, Actor, Scope
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.people.branches import targets, units_below
from db.people.rules import LOCK_OUT, MAX_FAILURES, PREFIX, keeps_to_own_unit, password_faults
from db.people.tables import account, account_role, account_scope, person, role
from db.people.tables import unit as unit_table

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with OWASP's least parameters: 19 MiB and 2 passes, about 30 ms on an office computer."""
_NOBODY = _hasher.hash("nobody")
"""Checked when the account does not exist, so that the answer takes as long."""


@command("people.create_account", permission="people.manage", label=N_("Create account"), reach=Reach.SERVER)
@dataclass(frozen=True)
class CreateAccount:
    """Give a person an account with roles; the password is never kept, only its Argon2 hash."""

    login: str
    person_id: int
    password: str
    roles: tuple[str, ...]
    must_change: bool = False
    private_fields: ClassVar[frozenset[str]] = frozenset({"password"})


@command("people.change_password", permission="people.self", label=N_("Change password"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ChangePassword:
    """Set a new password for one's own account; the old one must be given."""

    account_id: int
    old: str
    new: str
    private_fields: ClassVar[frozenset[str]] = frozenset({"old", "new"})


@command(
    "people.set_scope",
    permission="people.manage",
    label=N_("Set where an account may act"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class SetScope:
    """Bind an account to areas, units and classes, in place of what bound it before; nothing = everywhere.

    ``prefixes`` begin with the kind of a class and a space: "matter 09", "component". It counts from the next
    time that the person signs in.
    """

    account_id: int
    areas: tuple[int, ...] = ()
    units: tuple[int, ...] = ()
    prefixes: tuple[str, ...] = ()


@command("people.note_sign_in", permission="people.self", label=N_("Sign in"), reach=Reach.SERVER)
@dataclass(frozen=True)
class NoteSignIn:
    """What came of an attempt to sign in; the journal shows both the good and the bad ones."""

    account_id: int
    good: bool


@command(
    "people.create_first_account",
    permission="people.manage",
    label=N_("Create the first account"),
    reach=Reach.SERVER,
)
@dataclass(frozen=True)
class CreateFirstAccount:
    """Whoever opens a database without accounts becomes its duty leader and administrator."""

    name: str
    login: str
    password: str
    private_fields: ClassVar[frozenset[str]] = frozenset({"password"})


CENTRE = {"code": "centre", "name": "监督指挥中心", "name_en": "Command centre", "kind": "centre"}
FIRST_ROLES = ("duty_leader", "dispatcher", "acceptor", "system_admin", "security_admin")


@handles(CreateFirstAccount)
def _create_first(command: CreateFirstAccount, unit: UnitOfWork) -> int:
    if unit.connection.execute(select(account.c.id)).first():
        raise Refused("has_accounts", N_("This database has accounts already; sign in with one."))
    faults = password_faults(command.password)
    if not command.login.strip() or not command.name.strip():
        faults.insert(0, Refused("name_missing", N_("Your name and a name to sign in with are needed.")))
    refuse_all(faults)
    person_id = unit.new_id()
    centre_id = unit.connection.execute(select(unit_table.c.id).where(unit_table.c.code == "centre")).scalar()
    if centre_id is None:
        centre_id = unit.new_id()
        unit.insert(unit_table, [{"id": centre_id, **CENTRE}])
    someone = {
        "code": "first",
        "name": one_line(command.name, 60),
        "unit_id": centre_id,
        "post": "duty_leader",
    }
    unit.insert(person, [{"id": person_id, **someone}])
    return _create(CreateAccount(command.login.strip(), person_id, command.password, FIRST_ROLES), unit)


@handles(CreateAccount)
def _create(command: CreateAccount, unit: UnitOfWork) -> int:
    connection = unit.connection
    faults = password_faults(command.password)
    if connection.execute(select(account.c.id).where(account.c.login == command.login)).first():
        faults.append(Refused("login_taken", N_("The name {login} is taken."), login=command.login))
    if not command.login or command.login != one_line(command.login, 60):
        faults.append(Refused("bad_login", N_("An account name is one to 60 characters on one line.")))
    if not connection.execute(select(person.c.id).where(person.c.id == command.person_id)).first():
        faults.append(Refused("no_such_person", N_("There is no such person.")))
    roles = {row.code: row.id for row in connection.execute(select(role.c.code, role.c.id))}
    faults += [
        Refused("no_such_role", N_("There is no role {role}."), role=code)
        for code in command.roles
        if code not in roles
    ]
    refuse_all(faults)
    account_id = unit.new_id()
    unit.insert(
        account,
        [
            {
                "id": account_id,
                "login": command.login,
                "person_id": command.person_id,
                "password_hash": _hasher.hash(command.password),
                "must_change": command.must_change,
            }
        ],
    )
    unit.insert(
        account_role,
        [{"id": unit.new_id(), "account_id": account_id, "role_id": roles[code]} for code in command.roles],
    )
    return account_id


@handles(ChangePassword)
def _change(command: ChangePassword, unit: UnitOfWork) -> None:
    if command.account_id != unit.actor.account_id:
        raise Refused("not_yours", N_("You can change only your own password."))
    row = unit.rows(account, [command.account_id])[command.account_id]
    if not _matches(row["password_hash"], command.old):
        raise Refused("wrong_password", N_("The old password is not right."))
    refuse_all(password_faults(command.new))
    unit.update(
        account,
        {command.account_id: {"password_hash": _hasher.hash(command.new), "must_change": False}},
    )


# The registers stand above the people: of an area we only ask whether it is there.
_area = light_table("area", column("id"))


@handles(SetScope)
def _set_scope(command: SetScope, unit: UnitOfWork) -> None:
    connection = unit.connection
    if not connection.execute(select(account.c.id).where(account.c.id == command.account_id)).first():
        raise Refused("no_such_account", N_("There is no account {login}."), login=command.account_id)
    areas, units = tuple(dict.fromkeys(command.areas)), tuple(dict.fromkeys(command.units))
    faults = [
        Refused(code, message, id=wanted)
        for ids, here, code, message in (
            (areas, _area, "no_such_area", N_("There is no such area.")),
            (units, unit_table, "no_such_unit", N_("There is no such unit, or it is no longer active.")),
        )
        for wanted in ids
        if not connection.execute(select(here.c.id).where(here.c.id == wanted)).first()
    ]
    faults += [
        Refused(
            "bad_prefix", N_("“{prefix}” is no beginning of a class, such as “matter 09”."), prefix=prefix
        )
        for prefix in command.prefixes
        if not PREFIX.fullmatch(prefix)
    ]
    refuse_all(faults)
    standing = select(account_scope.c.id).where(account_scope.c.account_id == command.account_id)
    unit.delete(account_scope, list(connection.execute(standing).scalars()))
    wanted_rows = (
        *(("area", wanted, "") for wanted in areas),
        *(("unit", wanted, "") for wanted in units),
        *(("category", None, prefix) for prefix in dict.fromkeys(command.prefixes)),
    )
    unit.insert(
        account_scope,
        [
            {
                "id": unit.new_id(),
                "account_id": command.account_id,
                "kind": kind,
                "reference_id": reference_id,
                "prefix": prefix,
            }
            for kind, reference_id, prefix in wanted_rows
        ],
    )


@handles(NoteSignIn)
def _note(command: NoteSignIn, unit: UnitOfWork) -> None:
    row = unit.rows(account, [command.account_id])[command.account_id]
    was_locked = row["locked_until"] is not None and row["locked_until"] <= unit.now
    # After a lock-out the count begins anew.
    failures = 0 if command.good else 1 if was_locked else row["failures"] + 1
    locked_until = unit.now + LOCK_OUT if failures >= MAX_FAILURES else None
    unit.update(account, {command.account_id: {"failures": failures, "locked_until": locked_until}})


def sign_in(database: Database, login: str, password: str) -> Actor:
    """The person behind a name and password.

    Raises ``Refused``: ``wrong_password`` (the same for an unknown name), ``locked_out`` after five failures
    in a row (15 minutes, DOMAIN 6.6), ``account_closed``.
    """
    with database.read() as connection:
        found = connection.execute(select(account).where(account.c.login == login)).mappings().first()
    if found is None:
        _matches(_NOBODY, password)
        raise _wrong()
    now = database.clock.now()
    if found["locked_until"] is not None and now < found["locked_until"]:
        minutes = int((found["locked_until"] - now).total_seconds() // 60) + 1
        raise Refused(
            "locked_out",
            N_("Too many wrong passwords. This account opens again in {minutes} min."),
            minutes=minutes,
        )
    good = _matches(found["password_hash"], password)
    if not good or found["failures"]:
        note = NoteSignIn(found["id"], good)
        with database.write(SYSTEM, note) as unit:
            _note(note, unit)
    if not good:
        raise _wrong()
    if not found["active"]:
        raise Refused("account_closed", N_("This account is closed."))
    return actor_of(database, login)


def actor_of(database: Database, login: str) -> Actor:
    """The person behind an account name, without a password: for the command line and pictures.

    Raises ``Refused("no_such_account")``.
    """
    with database.read() as connection:
        return _actor(connection, account.c.login == login, login)


def actor_on(connection: Connection, account_id: int) -> Actor:
    """The person behind an account, with the rights that he or she has by now.

    Raises ``Refused("no_such_account")`` also for one that was closed.
    """
    return _actor(connection, account.c.id == account_id, account_id)


def _actor(connection: Connection, wanted: ColumnElement[bool], called: object) -> Actor:
    row: Any = connection.execute(
        select(account.c.id, person.c.name, person.c.unit_id, person.c.id.label("person_id"))
        .join(person, person.c.id == account.c.person_id)
        .where(wanted, account.c.active)
    ).first()
    if row is None:
        raise Refused("no_such_account", N_("There is no account {login}."), login=called)
    roles = connection.execute(
        select(role.c.code, role.c.permissions)
        .join(account_role, account_role.c.role_id == role.c.id)
        .where(account_role.c.account_id == row.id)
    ).all()
    permissions = frozenset(p for each in roles for p in each.permissions) | {"people.self"}
    scope = _scope(connection, row.id, permissions, row.unit_id)
    codes = tuple(each.code for each in roles)
    return Actor(
        row.id,
        row.name,
        permissions,
        row.unit_id,
        codes,
        scope,
        row.person_id,
        targets(connection, scope),
    )


def _scope(connection: Connection, account_id: int, permissions: frozenset[str], unit_id: int) -> Scope:
    """Where an account may act: what was set for it, and the own unit of who handles cases."""
    columns = (account_scope.c.kind, account_scope.c.reference_id, account_scope.c.prefix)
    rows = connection.execute(select(*columns).where(account_scope.c.account_id == account_id)).all()
    units = {row.reference_id for row in rows if row.kind == "unit"}
    if not units and keeps_to_own_unit(permissions):
        units = {unit_id}
    return Scope(
        frozenset(row.reference_id for row in rows if row.kind == "area"),
        units_below(connection, units),
        tuple(sorted(row.prefix for row in rows if row.kind == "category")),
    )


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


def _matches(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except VerificationError:
        return False


def _wrong() -> Refused:
    return Refused("wrong_password", N_("Name or password is not right."))
