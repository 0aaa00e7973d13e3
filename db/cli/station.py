"""``jingwei station``: what an administrator does with the file of a station, away from its window."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from db.engine import schema, settings
from db.engine.connections import Database, address_of
from db.kernel.language import N_, _, ngettext_
from db.kernel.refusal import Refused
from db.sync.authority import way_to
from db.sync.door import open_server
from db.sync.rejoin import Foreseen, foresee, rejoin
from db.sync.seat import open_replica, server_of, short_address

SHOWN = 200
"""So many of the acts that are sent again are listed one by one."""


def add(verbs: Any) -> None:
    """Declare the verb and its words."""
    parser: argparse.ArgumentParser = verbs.add_parser("station", help=_("meet a server that was put back"))
    words = parser.add_subparsers(dest="word", required=True)
    made = words.add_parser(
        "rejoin",
        help=_(
            "take a server that was put back to an older state for the truth, and send again what it lost"
        ),
    )
    made.add_argument("--db", metavar="URL", default=None, help=_("the file of a station: sqlite:///FILE"))
    made.add_argument("--user", metavar="NAME", required=True, help=_("name to sign in with"))
    made.add_argument("--yes", action="store_true", help=_("do it; without it, only tell what would be done"))


def run(arguments: argparse.Namespace) -> int:
    """Tell what would be done, and do it when asked to."""
    if (path := _file(arguments.db)) is None:
        raise Refused("no_replica", N_("{path} belongs to no server."), path=arguments.db)
    with closing(open_replica(path)) as local:
        address = server_of(local) or ""
        way = make_url(way_to(address, path.parent.parent))
        with closing(open_server(way, arguments.user, _password(arguments.user))) as server:
            schema.demand_same(server)
            foreseen = foresee(local, server)
            _tell(local, address, foreseen)
            if not foreseen.is_other and not foreseen.lost:
                print(_("There is nothing to do."))
                return 0
            if not arguments.yes:
                print(_("Nothing was changed. Add --yes to do it."))
                return 0
            found = rejoin(local, server)
    print(
        ngettext_(
            "The server's state was taken; {count} act is sent again when its person signs in here.",
            "The server's state was taken; {count} acts are sent again when their persons sign in here.",
            found.lost,
        ).format(count=f"{found.lost:,}")
    )
    return 0


def _tell(local: Database, address: str, foreseen: Foreseen) -> None:
    print(
        _("The server {server} knows {theirs} entries; this station has seen {ours}.").format(
            server=short_address(address), theirs=f"{foreseen.theirs:,}", ours=f"{foreseen.ours:,}"
        )
    )
    if not foreseen.is_other:
        print(_("It is the server that this station knows, and it was not put back."))
    if foreseen.waiting:
        print(
            ngettext_(
                "{count} act waits here anyway.", "{count} acts wait here anyway.", foreseen.waiting
            ).format(count=f"{foreseen.waiting:,}")
        )
    if not foreseen.lost:
        return
    print(
        ngettext_(
            "{count} act of this station is lost there and will be sent again:",
            "{count} acts of this station are lost there and will be sent again:",
            len(foreseen.lost),
        ).format(count=f"{len(foreseen.lost):,}")
    )
    with local.read() as connection:
        zone = settings.zone_of(connection)
    for act in foreseen.lost[:SHOWN]:
        about = ngettext_("{count} case", "{count} cases", act.cases).format(count=f"{act.cases:,}")
        parts = [f"{act.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", act.who, _(act.command), about]
        if act.is_bare:
            parts.append(_("without the contact, which only the server had"))
        print("  " + "  ".join(parts))
    if len(foreseen.lost) > SHOWN:
        print("  …")


def _file(url: str) -> Path | None:
    address = address_of(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _password(login: str) -> str:
    if known := os.environ.get("PGPASSWORD"):
        return known
    if sys.stdin.isatty():
        return getpass.getpass(_("Password of {login}: ").format(login=login))
    return sys.stdin.readline().rstrip("\n")
