"""``jingwei scope``: tells where an account may act, and sets it or takes it away."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from db.bootstrap import open_core
from db.kernel.actor import SYSTEM, Actor
from db.kernel.language import N_, _, language
from db.kernel.refusal import Refused
from db.people.commands import SetScope, actor_of
from db.people.tables import unit
from db.registers.tables import area


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "scope", help=_("tell where an account may act, set it or take it away")
    )
    parser.add_argument("login", metavar="LOGIN", help=_("the name to sign in with"))
    for name, words in (
        ("area", _("the code of an area; what lies in it belongs to it (repeat for several)")),
        ("unit", _("the code of a unit; what stands below it belongs to it (repeat for several)")),
        ("class", _("the beginning of a class: “matter 09”, “component” (repeat for several)")),
    ):
        parser.add_argument(f"--{name}", metavar="CODE", action="append", dest=name, default=None, help=words)
    parser.add_argument("--everywhere", action="store_true", help=_("let it act everywhere again"))
    parser.add_argument("--db", metavar="URL", default=None)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Set what is given, in place of what was set before; then tell what counts from the next sign-in on."""
    core = open_core(arguments.db)
    try:
        who = actor_of(core.database, arguments.login)
        codes = {name: getattr(arguments, name) for name in ("area", "unit", "class")}
        if arguments.everywhere or any(codes.values()):
            with core.database.read() as connection:
                areas = _ids(connection, area, codes["area"] or (), N_("There is no area {given}."))
                units = _ids(connection, unit, codes["unit"] or (), N_("There is no unit {given}."))
            core.bus.run(SetScope(who.account_id, areas, units, tuple(codes["class"] or ())), SYSTEM)
            who = actor_of(core.database, arguments.login)
        with core.database.read() as connection:
            _tell(connection, who, arguments.json)
    finally:
        core.close()
    return 0


def _ids(connection: Connection, table: Table, codes: Sequence[str], unknown: str) -> tuple[int, ...]:
    """The ids behind official codes."""
    found = []
    for code in codes:
        row = connection.execute(select(table.c.id).where(table.c.code == code)).first()
        if row is None:
            raise Refused("unknown_code", unknown, given=code)
        found.append(int(row.id))
    return tuple(found)


def _tell(connection: Connection, who: Actor, as_json: bool) -> None:
    scope = who.scope
    parts = {
        "areas": _names(connection, area, scope.areas),
        "units": _names(connection, unit, scope.units),
        "classes": list(scope.prefixes),
    }
    if as_json:
        print(json.dumps({"name": who.name, "everywhere": scope.is_everywhere, **parts}, ensure_ascii=False))
        return
    if scope.is_everywhere:
        # zh: {who} 可处理全市案件。
        print(_("{who} may act everywhere.").format(who=who.name))
        return
    # zh: {who} 只能处理：
    print(_("{who} may act only on cases of").format(who=who.name))
    titles = {"areas": N_("Areas"), "units": N_("Units"), "classes": N_("Classes")}
    for key, names in parts.items():
        if names:
            # zh: 、
            print(f"  {_(titles[key])}: {_(', ').join(names)}")


def _names(connection: Connection, table: Table, ids: frozenset[int]) -> list[str]:
    rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.code))
    return [row.name_en if language() == "en" and row.name_en else row.name for row in rows]
