"""``jingwei server``: makes a PostgreSQL database into a server, looks after it, lets people in."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.engine import URL

from db.bootstrap import Core, load_reference, open_core
from db.cli.tend import add_arguments, tend, tend_once
from db.engine import schema, settings
from db.engine.connections import Database, address_of, open_database
from db.kernel.actor import SYSTEM
from db.kernel.clock import from_ms
from db.kernel.language import N_, _, ngettext_
from db.kernel.program import program_version
from db.kernel.refusal import Refused
from db.people.commands import CreateAccount, actor_of
from db.people.rules import POSTS
from db.people.staff import AddPerson, CloseAccount, ResetPassword, SetRoles
from db.people.tables import account, account_role, role
from db.registers.reference import read_roles
from db.search.index import is_ready, rebuild
from db.server import moving, persons
from db.server.check import Weight, examine
from db.server.persons import KEEPER, let_in, let_keeper_in, new_password, set_groups, shut_out
from db.server.setup import MEMBER, SETTING, as_owner, guard, make_roles
from db.server.stations import stations
from db.sync.blobs import Photos

_MARKS = {Weight.FAULT: "✗", Weight.WARNING: "!", Weight.NOTE: "·"}


def add(verbs: Any) -> None:
    """Declare the verb and its words."""
    parser: argparse.ArgumentParser = verbs.add_parser("server", help=_("set up and look after a server"))
    words = parser.add_subparsers(dest="word", required=True)

    def word(
        name: str, words_of_help: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = words.add_parser(name, help=words_of_help)
        made.set_defaults(carry_out=run)
        made.add_argument("--db", metavar="URL", default=None, help=_("postgresql+psycopg://…"))
        made.add_argument(
            "--admin-login",
            metavar="LOGIN",
            default=None,
            help=_("who may make databases and roles, such as postgres; the password is asked for"),
        )
        return made

    word("init", _("make roles, database, tables and guard; again after an update"), _init)
    checked = word("check", _("tell what is wrong with a server"), _check)
    checked.add_argument("--json", action="store_true")
    add_arguments(word("tend", _("see to what only time brings about; as a service"), _tend))
    word("keeper", _("make or renew the login under which a service tends the server"), _keeper)
    listed = word("stations", _("tell which stations there are and how they stand"), _stations)
    listed.add_argument("--json", action="store_true")
    _add_person(word("person", _("let people in, change what they may do, shut them out"), _person))
    adopted = word("adopt", _("lift a local database to a server"), _adopt)
    adopted.add_argument("--from", dest="source", metavar="URL", required=True, help=_("sqlite:///FILE"))
    adopted.add_argument("--ask", action="store_true", help=_("ask for each password instead of making one"))
    released = word("release", _("copy a whole server into a file that needs none"), _release)
    released.add_argument("out", metavar="OUT.db", type=Path)


def _add_person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("act", choices=("add", "password", "roles", "remove"))
    parser.add_argument("login", metavar="LOGIN")
    parser.add_argument("--name", default="", help=_("the person's name, when he or she is new"))
    parser.add_argument("--unit", metavar="CODE", default="centre", help=_("the code of the unit"))
    parser.add_argument("--post", choices=sorted(POSTS), default="dispatcher")
    parser.add_argument("--roles", metavar="ROLE,…", default=None, help=_("what the person may do"))
    parser.add_argument("--ask", action="store_true", help=_("ask for the password instead of making one"))


def run(arguments: argparse.Namespace) -> int:
    """Carry out the word; the exit code."""
    return int(arguments.carry_out(arguments))


def _address(arguments: argparse.Namespace) -> URL:
    """The address, under the administrator's login when one is given."""
    address = address_of(arguments.db)
    if address.get_backend_name() != "postgresql":
        raise Refused(
            "not_a_server",
            N_("A server is PostgreSQL: --db postgresql+psycopg://host/jingwei."),
            url=arguments.db,
        )
    if arguments.admin_login:
        secret = None
        if sys.stdin.isatty() and "PGPASSWORD" not in os.environ:
            secret = getpass.getpass(_("Password of {login}: ").format(login=arguments.admin_login)) or None
        address = address.set(username=arguments.admin_login, password=secret or address.password)
    return address


@contextmanager
def _owner(arguments: argparse.Namespace) -> Iterator[Core]:
    """The server as the owner of its tables works in it."""
    with closing(open_core(_text(as_owner(_address(arguments))))) as core:
        yield core


def _text(address: URL) -> str:
    return address.render_as_string(hide_password=False)


def _say(words: str) -> None:
    print(words, flush=True)


# Making a server.


def _init(arguments: argparse.Namespace) -> int:
    address = _address(arguments)
    owner = _make_roles(address)
    database = open_database(_text(owner))
    try:
        before = schema.known_version(database)
        guarded = before is not None and _is_guarded(database)
        if before is None:
            schema.upgrade(database)
            _say(_("Tables made, step {step}.").format(step=schema.HEAD))
        elif before != schema.HEAD:
            # Nobody may write by the old rules while the new ones are put.
            _send_away(database)
            schema.upgrade(database)
            _say(_("Tables brought from step {old} to {new}.").format(old=before, new=schema.HEAD))
        else:
            _say(_("Tables are at step {step}.").format(step=schema.HEAD))
        if schema.is_untouched(database):
            load_reference(database)
            _say(_("Reference data loaded."))
    finally:
        database.close()
    # Moves and permissions that came with a newer program.
    with closing(open_core(_text(owner))) as core:
        guard(core.database, program_version())
        _say(_("Guard renewed.") if guarded else _("Guard put up."))
        _say_findings(core.database, _MARKS, least=Weight.WARNING)
        if not _accounts(core.database):
            # zh: 尚无账号。
            _say(_("Nobody can sign in yet: “jingwei server person add LOGIN --name … --unit … --roles …”."))
    return 0


def _make_roles(address: URL) -> URL:
    codes = [row.code for row in read_roles()]
    owner = make_roles(_text(address), codes)
    _say(
        _("Roles and database {name} are there, owned by {owner}.").format(
            name=owner.database, owner="jw_owner"
        )
    )
    return owner


def _is_guarded(database: Database) -> bool:
    with database.read() as connection:
        return bool(settings.get(connection, SETTING))


def _send_away(database: Database) -> None:
    """End the connections of members; the stations come back, and are told when they are too old."""
    with database.troubles(), database.engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("SET LOCAL ROLE NONE")
        ended = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a"
                " JOIN pg_roles l ON l.rolname = a.usename"
                " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
                " AND NOT l.rolsuper AND pg_has_role(l.oid, CAST(:member AS name), 'MEMBER')"
            ),
            {"member": MEMBER},
        ).scalar_one()
    if ended:
        _say(
            ngettext_(
                "{count} connection of a station was ended for the update.",
                "{count} connections of stations were ended for the update.",
                ended,
            ).format(count=ended)
        )


# Looking it over.


def _check(arguments: argparse.Namespace) -> int:
    database = open_database(_text(_address(arguments)))
    try:
        found = examine(database)
        if arguments.json:
            rows = [{"weight": f.weight.name.lower(), "code": f.code, "text": f.text()} for f in found]
            print(json.dumps(rows, ensure_ascii=False))
        else:
            _say_findings(database, _MARKS, least=Weight.NOTE)
            if all(finding.weight is Weight.NOTE for finding in found):
                _say(_("Nothing is wrong with this server."))
    finally:
        database.close()
    return 1 if any(finding.weight is Weight.FAULT for finding in found) else 0


def _say_findings(database: Database, marks: dict[Weight, str], least: Weight) -> None:
    for finding in examine(database):
        if finding.weight >= least:
            _say(f"{marks[finding.weight]} {finding.text()}")


def _tend(arguments: argparse.Namespace) -> int:
    address = _text(as_owner(_address(arguments)))
    return tend_once(address) if arguments.once else tend(address)


def _keeper(arguments: argparse.Namespace) -> int:
    password = new_password()
    with (
        closing(open_database(_text(as_owner(_address(arguments))))) as database,
        database.troubles(),
        database.engine.begin() as connection,
    ):
        let_keeper_in(connection, password)
    _say(_("{login} is let in with the password {password}").format(login=KEEPER, password=password))
    return 0


def _stations(arguments: argparse.Namespace) -> int:
    database = open_database(_text(_address(arguments)))
    try:
        with database.read() as connection:
            known = stations(connection)
            zone = settings.zone_of(connection)
    finally:
        database.close()
    if arguments.json:
        print(json.dumps([each.__dict__ for each in known], ensure_ascii=False))
        return 0
    if not known:
        _say(_("No station has joined yet."))
    for each in known:
        seen = f"{from_ms(each.seen_at).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        parts = [
            each.person or "–",
            # zh: 在线 / 最后在线 …
            _("there") if each.is_there else _("last seen {when}").format(when=seen),
            _("{count} waiting").format(count=each.waiting),
            _("behind {seconds:.1f} s").format(seconds=each.behind_ms / 1000),
            _("clock {seconds:+.1f} s").format(seconds=each.skew_ms / 1000),
            each.program or "?",
        ]
        _say(f"{each.number:>4}  {each.name}  " + "  ".join(parts))
    return 0


# People.


def _person(arguments: argparse.Namespace) -> int:
    roles = None if arguments.roles is None else tuple(filter(None, arguments.roles.split(",")))
    with _owner(arguments) as core:
        acts = {"add": _let_in, "password": _new_password, "roles": _set_roles, "remove": _remove}
        acts[arguments.act](core, arguments, roles)
    return 0


def _let_in(core: Core, arguments: argparse.Namespace, roles: tuple[str, ...] | None) -> None:
    login, password = arguments.login, _password(arguments.login, arguments.ask)
    if not roles:
        raise Refused("needed", N_("Say what the person may do: --roles dispatcher,…"), what="roles")
    persons.demand_free(login)
    if login not in _accounts(core.database):
        person_id = core.bus.run(AddPerson(arguments.name, arguments.unit, arguments.post), SYSTEM).result
        core.bus.run(CreateAccount(login, person_id, password, roles), SYSTEM)
    else:
        core.bus.run(SetRoles(actor_of(core.database, login).account_id, roles), SYSTEM)
    _give(core.database, {login: password}, asked=arguments.ask)


def _new_password(core: Core, arguments: argparse.Namespace, _roles: object) -> None:
    actor_of(core.database, arguments.login)
    _give(core.database, {arguments.login: _password(arguments.login, arguments.ask)}, asked=arguments.ask)


def _set_roles(core: Core, arguments: argparse.Namespace, roles: tuple[str, ...] | None) -> None:
    who = actor_of(core.database, arguments.login)
    if roles is not None:
        core.bus.run(SetRoles(who.account_id, roles), SYSTEM)
        with core.database.troubles(), core.database.engine.begin() as connection:
            set_groups(connection, arguments.login, roles)
        who = actor_of(core.database, arguments.login)
    _say(
        _("{who} ({login}): {roles}").format(who=who.name, login=arguments.login, roles=", ".join(who.roles))
    )


def _remove(core: Core, arguments: argparse.Namespace, _roles: object) -> None:
    if arguments.login in _accounts(core.database):
        core.bus.run(CloseAccount(actor_of(core.database, arguments.login).account_id), SYSTEM)
    with core.database.troubles(), core.database.engine.begin() as connection:
        shut_out(connection, arguments.login)
    _say(_("{login} is shut out; what was done under that name stays.").format(login=arguments.login))


def _give(database: Database, passwords: dict[str, str], *, asked: bool) -> None:
    """Let accounts in, and say the passwords that were made: once, for nobody can read them again."""
    roles = _accounts(database)
    with database.troubles(), database.engine.begin() as connection:
        for login, password in passwords.items():
            let_in(connection, login, password, roles[login])
    for login, password in passwords.items():
        if asked:
            _say(_("{login} is let in.").format(login=login))
        else:
            _say(_("{login} is let in with the password {password}").format(login=login, password=password))


def _password(login: str, asks: bool) -> str:
    if not asks:
        return new_password()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(_("Password for {login}: ").format(login=login))
    if getpass.getpass(_("Once more: ")) != first:
        raise Refused("not_the_same", N_("That was not the same."))
    return first


def _accounts(database: Database) -> dict[str, list[str]]:
    """The active accounts with their roles."""
    query = (
        select(account.c.login, role.c.code)
        .outerjoin(account_role, account_role.c.account_id == account.c.id)
        .outerjoin(role, role.c.id == account_role.c.role_id)
        .where(account.c.active)
        .order_by(account.c.login)
    )
    found: dict[str, list[str]] = {}
    with database.read() as connection:
        for row in connection.execute(query):
            found.setdefault(row.login, []).extend([row.code] if row.code else [])
    return found


# Moving.


def _adopt(arguments: argparse.Namespace) -> int:
    source = open_database(arguments.source)
    try:
        with source.read() as connection:
            number = int(settings.get(connection, "station", 0))
        owner = _make_roles(_address(arguments))
        target = open_database(_text(owner))
        try:
            proof = moving.adopt(source, target, _told)
            _say(
                _("The journal is whole: {count} entries, seal {seal}.").format(
                    count=f"{proof.entries:,}", seal=proof.seal.hex()
                )
            )
            schema.load_station(target)
            with target.read() as connection:
                has_index = is_ready(connection)
            if has_index:
                rebuild(target)
        finally:
            target.close()
        with closing(open_core(_text(owner))) as core:
            guard(core.database, program_version())
            _say(_("Guard put up."))
            moving.reserve(core.database, number, Path(source.where).name)
            _bring_photos(source, core.database)
    finally:
        source.close()
    with closing(open_core(_text(owner))) as core:
        logins = _accounts(core.database)
        _give(
            core.database, {login: _password(login, arguments.ask) for login in logins}, asked=arguments.ask
        )
    return 0


def _release(arguments: argparse.Namespace) -> int:
    server = open_database(_text(as_owner(_address(arguments))))
    try:
        proof = moving.release(server, arguments.out, _told)
        with closing(open_database(f"sqlite:///{arguments.out}")) as local:
            _bring_photos(local, server)
    finally:
        server.close()
    _say(
        _("The journal is whole: {count} entries, seal {seal}.").format(
            count=f"{proof.entries:,}", seal=proof.seal.hex()
        )
    )
    # A server keeps no hashes of passwords: each account of the file gets a new one.
    with closing(open_core(f"sqlite:///{arguments.out}")) as core:
        for login in _accounts(core.database):
            password = new_password()
            core.bus.run(ResetPassword(actor_of(core.database, login).account_id, password), SYSTEM)
            _say(_("{login} signs in with the password {password}").format(login=login, password=password))
    return 0


def _bring_photos(local: Database, server: Database) -> None:
    """Whatever photos the one has and the other lacks, both ways."""
    photos = Photos(local)
    while photos.step(server):
        pass


def _told(table: str, rows: int) -> None:
    if rows:
        _say(_("  {table}: {count}").format(table=table, count=f"{rows:,}"))
