"""Commands about who works here: taking a person in, the roles of an account, closing and opening it.

Somebody is always left who can manage people: an account that is the last one with the right keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Connection, select

from db.engine.bus import carry_out, handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.people.commands import CENTRE, CreateAccount, hash_password
from db.people.rules import POSTS, password_faults
from db.people.tables import account, account_role, person, role
from db.people.tables import unit as unit_table

MANAGES = "people.manage"


@command("people.add_person", permission="people.manage", label=N_("Add a person"), reach=Reach.SERVER)
@dataclass(frozen=True)
class AddPerson:
    """Take somebody into a unit; gives the id. ``post`` is a word of ``db.people.rules.POSTS``."""

    name: str
    unit_code: str
    post: str
    code: str = ""
    """The number in the office; without one the id serves."""


@command("people.let_in", permission="people.manage", label=N_("New account"), reach=Reach.SERVER)
@dataclass(frozen=True)
class LetIn:
    """Take somebody in and give an account of this database at once; its owner changes the password."""

    name: str
    unit_code: str
    post: str
    login: str
    password: str
    roles: tuple[str, ...]
    private_fields: ClassVar[frozenset[str]] = frozenset({"password"})


@command("people.set_roles", permission="people.manage", label=N_("Set roles"), reach=Reach.SERVER)
@dataclass(frozen=True)
class SetRoles:
    """What an account may do from its next sign-in on, in place of what it might before."""

    account_id: int
    roles: tuple[str, ...]


@command("people.close_account", permission="people.manage", label=N_("Close account"), reach=Reach.SERVER)
@dataclass(frozen=True)
class CloseAccount:
    """Let nobody in under this name any more; what was done under it stays."""

    account_id: int


@command(
    "people.open_account", permission="people.manage", label=N_("Open account again"), reach=Reach.SERVER
)
@dataclass(frozen=True)
class OpenAccount:
    """Let somebody in again whose account was closed, or locked after wrong passwords."""

    account_id: int


@command("people.reset_password", permission="people.manage", label=N_("Reset password"), reach=Reach.SERVER)
@dataclass(frozen=True)
class ResetPassword:
    """Give an account of this database another password, which its owner then changes."""

    account_id: int
    password: str
    private_fields: ClassVar[frozenset[str]] = frozenset({"password"})


@handles(AddPerson)
def _add(command: AddPerson, unit: UnitOfWork) -> int:
    faults = []
    name = one_line(command.name, 60)
    if not name:
        faults.append(Refused("name_missing", N_("A person needs a name.")))
    where = select(unit_table.c.id).where(unit_table.c.code == command.unit_code, unit_table.c.active)
    unit_id = unit.connection.execute(where).scalar()
    if unit_id is None and command.unit_code == CENTRE["code"]:
        # The one unit that every city has.
        unit_id = unit.new_id()
        unit.insert(unit_table, [{"id": unit_id, **CENTRE}])
    if unit_id is None:
        faults.append(
            Refused("no_such_unit", N_("There is no unit with the code {unit}."), unit=command.unit_code)
        )
    if command.post not in POSTS:
        faults.append(Refused("no_such_post", N_("There is no post {post}."), post=command.post))
    refuse_all(faults)
    person_id = unit.new_id()
    row = {"id": person_id, "code": command.code or str(person_id), "name": name}
    unit.insert(person, [{**row, "unit_id": unit_id, "post": command.post}])
    return person_id


@handles(LetIn)
def _let_in(command: LetIn, unit: UnitOfWork) -> int:
    person_id = _add(AddPerson(command.name, command.unit_code, command.post), unit)
    wanted = CreateAccount(command.login, person_id, command.password, command.roles, must_change=True)
    account_id: int = carry_out(wanted, unit)
    return account_id


@handles(SetRoles)
def _set_roles(command: SetRoles, unit: UnitOfWork) -> None:
    _demand_account(unit, command.account_id)
    known = {row.code: row.id for row in unit.connection.execute(select(role.c.code, role.c.id))}
    could = _managers(unit.connection)
    refuse_all(
        [
            Refused("no_such_role", N_("There is no role {role}."), role=code)
            for code in command.roles
            if code not in known
        ]
    )
    columns = select(account_role.c.id, account_role.c.role_id)
    held = unit.connection.execute(columns.where(account_role.c.account_id == command.account_id)).all()
    wanted = {known[code] for code in command.roles}
    unit.delete(account_role, [row.id for row in held if row.role_id not in wanted])
    new = sorted(wanted - {row.role_id for row in held})
    unit.insert(
        account_role,
        [{"id": unit.new_id(), "account_id": command.account_id, "role_id": role_id} for role_id in new],
    )
    _demand_manager(unit, could)


@handles(CloseAccount)
def _close(command: CloseAccount, unit: UnitOfWork) -> None:
    _demand_account(unit, command.account_id)
    if command.account_id == unit.actor.account_id:
        # zh: 不能停用自己的账号。
        raise Refused("own_account", N_("Nobody closes the own account."))
    could = _managers(unit.connection)
    unit.update(account, {command.account_id: {"active": False}})
    _demand_manager(unit, could)


@handles(OpenAccount)
def _open(command: OpenAccount, unit: UnitOfWork) -> None:
    _demand_account(unit, command.account_id)
    unit.update(account, {command.account_id: {"active": True, "failures": 0, "locked_until": None}})


@handles(ResetPassword)
def _reset(command: ResetPassword, unit: UnitOfWork) -> None:
    _demand_account(unit, command.account_id)
    refuse_all(password_faults(command.password))
    values = {"password_hash": hash_password(command.password), "must_change": True}
    unit.update(account, {command.account_id: {**values, "failures": 0, "locked_until": None}})


def _demand_account(unit: UnitOfWork, account_id: int) -> None:
    if not unit.rows(account, [account_id]):
        raise Refused("no_such_account", N_("There is no account {login}."), login=account_id)


def _managers(connection: Connection) -> set[int]:
    """The accounts that may manage people."""
    rows = connection.execute(
        select(account.c.id, role.c.permissions)
        .join(account_role, account_role.c.account_id == account.c.id)
        .join(role, role.c.id == account_role.c.role_id)
        .where(account.c.active)
    )
    return {row.id for row in rows if not {"*", MANAGES}.isdisjoint(row.permissions)}


def _demand_manager(unit: UnitOfWork, could: set[int]) -> None:
    if could and not _managers(unit.connection):
        # zh: 至少要保留一个可管理账号的人员。
        raise Refused("last_manager", N_("Somebody has to be left who can manage people."))
