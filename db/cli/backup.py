"""``jingwei backup`` and ``jingwei restore``: a copy while people work, and a proof that it can be used."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from db.bootstrap import open_core
from db.engine import journal, schema
from db.engine.connections import Database, address_of
from db.kernel.clock import to_ms
from db.kernel.language import N_, _
from db.kernel.program import program_version
from db.kernel.refusal import Refused
from db.live.recount import differences
from db.registers.reference import read_roles
from db.server.backup import back_up, drop_scratch, open_scratch, restore
from db.server.check import examine
from db.server.setup import guard, make_roles


def add(verbs: Any) -> None:
    """Declare both verbs; only the one that was called is parsed."""
    made: argparse.ArgumentParser = verbs.add_parser("backup", help=_("copy a database while people work"))
    made.add_argument("out", metavar="OUT", type=Path)
    made.set_defaults(carry_out=_backup)
    back: argparse.ArgumentParser = verbs.add_parser(
        "restore", help=_("make a database from a backup, or try to")
    )
    back.add_argument("file", metavar="FILE", type=Path)
    back.add_argument(
        "--check", action="store_true", help=_("restore to a place of its own, prove it, and remove it again")
    )
    back.set_defaults(carry_out=_restore)
    for parser in (made, back):
        parser.add_argument("--db", metavar="URL", default=None)
        parser.add_argument(
            "--bin",
            metavar="FOLDER",
            type=Path,
            default=None,
            help=_("where pg_dump and pg_restore lie, when not on the path"),
        )


def run(arguments: argparse.Namespace) -> int:
    """Carry out the verb; the exit code."""
    return int(arguments.carry_out(arguments))


def _backup(arguments: argparse.Namespace) -> int:
    copy = back_up(arguments.db, arguments.out, arguments.bin)
    print(_("{path}: {size:.1f} MB").format(path=copy.path, size=copy.bytes / 1_000_000))
    if copy.photos:
        print(_("Photos: {count}, beside it in {path}.photos").format(count=copy.photos, path=copy.path))
    if copy.proof is None:
        print(_("Prove it: “jingwei restore {path} --check --db …”.").format(path=copy.path))
    else:
        _say_chain(copy.proof)
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    if arguments.check:
        return _try_out(arguments)
    is_server = address_of(arguments.db).get_backend_name() == "postgresql"
    if not is_server:
        restore(arguments.file, arguments.db, arguments.bin)
        with closing(open_core(arguments.db)) as core:
            return _prove(core.database)
    owner = make_roles(arguments.db, [row.code for row in read_roles()]).render_as_string(hide_password=False)
    restore(arguments.file, owner, arguments.bin)
    with closing(open_core(owner)) as core:
        guard(core.database, program_version())
        held = _prove(core.database)
        for finding in examine(core.database):
            # Logins are not in a backup of a database.
            if finding.code == "no_login":
                print(finding.text())
    return held


def _try_out(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="jingwei-") as folder:
        database = open_scratch(arguments.file, arguments.db, Path(folder), arguments.bin)
        try:
            if schema.known_version(database) is None:
                raise Refused("empty_backup", N_("There is nothing in {path}."), path=str(arguments.file))
            schema.upgrade(database)
            return _prove(database)
        finally:
            drop_scratch(database)


def _prove(database: Database) -> int:
    """Walk the chain and recount the figures; 1 when either does not hold."""
    with database.read() as connection:
        proof = journal.verify(connection)
    with database.read() as connection:
        differing = differences(connection, to_ms(database.clock.now()))
    _say_chain(proof)
    if differing:
        print(_("The live counters differ from a recount:"))
        for name, (live, counted) in differing.items():
            print(f"  {name}: {live} ≠ {counted}")
    else:
        print(_("The live counters equal a recount."))
    return 0 if proof.whole and not differing else 1


def _say_chain(proof: journal.Proof) -> None:
    if proof.whole:
        print(_("The journal chain is whole: {count} entries.").format(count=f"{proof.entries:,}"))
        print(_("Seal of the last entry: {seal}").format(seal=proof.seal.hex()))
    else:
        print(_("The journal chain breaks at entry {entry}.").format(entry=proof.broken_at))
