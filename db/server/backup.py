"""Copies of a database while people work in it, and the way back, by existing tools; each copy is proved."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from sqlalchemy.engine import URL

from db.engine.connections import Database, address_of, open_database
from db.engine.journal import Proof, verify
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.server.setup import OWNER, as_owner, make_roles
from db.server.tending import note_backup

_SQLITE = b"SQLite format 3\x00"
_DUMP = b"PGDMP"
PAGES = 4096
"""Pages of 4 KB that are copied before others may write again."""


@dataclass(frozen=True)
class Copy:
    """A backup that was made, with the proof of the journal in it."""

    path: Path
    bytes: int
    photos: int
    proof: Proof | None
    """``None`` for a dump of a server: only restoring it proves it."""


def back_up(url: str, out: Path, binaries: Path | None = None) -> Copy:
    """Copy the database at ``url`` into a new file ``out``; a local one with its photos in ``out.photos``.

    Raises ``Refused``: ``file_exists``, ``damaged_copy``; ``Unavailable``: ``no_program`` when the tools of
    PostgreSQL are not there, ``program_failed`` with what they say.
    """
    if out.exists():
        raise Refused("file_exists", N_("{path} is there already."), path=str(out))
    # Under another name until it is whole: what bears the name of a backup is one.
    begun = out.with_name(f"{out.name}.part")
    begun.unlink(missing_ok=True)
    try:
        if address_of(url).get_backend_name() == "sqlite":
            proof = _copy_file(url, begun)
            photos = _copy_photos(_file_of(url), out)
        else:
            proof, photos = None, 0
            _dump(address_of(url), begun, binaries)
        begun.replace(out)
    except BaseException:
        begun.unlink(missing_ok=True)
        raise
    if proof is None:
        with closing(
            open_database(as_owner(address_of(url)).render_as_string(hide_password=False))
        ) as server:
            note_backup(server)
    return Copy(out, out.stat().st_size, photos, proof)


def restore(file: Path, url: str, binaries: Path | None = None) -> None:
    """Make the database at ``url``, which must not be there yet, from a backup.

    A server needs ``setup.make_roles`` before and ``setup.guard`` after it: a dump holds rows and tables, not
    people. Raises ``Refused``: ``not_a_backup``, ``file_exists``, ``other_kind``; ``Unavailable`` as
    ``back_up`` does.
    """
    kind = _kind_of(file)
    address = address_of(url)
    if kind != address.get_backend_name():
        raise Refused(
            "other_kind",
            N_(
                "{path} is a backup of a {kind} database;"
                " “jingwei server adopt” and “release” go between them."
            ),
            path=str(file),
            kind=kind,
        )
    if kind == "sqlite":
        _put_back(file, _file_of(url))
    else:
        _fill(file, address, binaries)


def open_scratch(file: Path, url: str, folder: Path, binaries: Path | None = None) -> Database:
    """A backup restored where nobody works, to be looked at; ``drop_scratch`` removes it.

    ``folder`` takes a local one; a dump goes into a database of its own on the server of ``url``, which need
    not have been set up before. Raises what ``setup.make_roles`` and ``restore`` raise.
    """
    if _kind_of(file) == "sqlite":
        target = f"sqlite:///{folder / 'restored.db'}"
        restore(file, target)
        return open_database(target)
    address = address_of(url).set(database=f"jingwei_check_{secrets.token_hex(4)}")
    target = address.render_as_string(hide_password=False)
    try:
        make_roles(target, ())
        restore(file, target, binaries)
        return open_database(target)
    except BaseException:
        _drop(address)
        raise


def drop_scratch(database: Database) -> None:
    """Remove what ``open_scratch`` made."""
    database.close()
    address = database.engine.url
    if database.dialect == "postgresql" and str(address.database).startswith("jingwei_check_"):
        _drop(address)


def _kind_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            head = stream.read(len(_SQLITE))
    except OSError as error:
        raise Unavailable(
            "cannot_open",
            N_("{path} cannot be opened: {reason}"),
            path=str(file),
            reason=error.strerror or str(error),
        ) from error
    if head == _SQLITE:
        return "sqlite"
    if head.startswith(_DUMP):
        return "postgresql"
    raise Refused("not_a_backup", N_("{path} is no backup of a Jingwei database."), path=str(file))


# A file of one's own.


def _file_of(url: str) -> Path:
    return Path(address_of(url).database or "")


def _copy_file(url: str, out: Path) -> Proof:
    source = open_database(url)
    try:
        with source.read() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            with closing(sqlite3.connect(out)) as target:
                # In steps: who writes meanwhile waits for one of them at most, and the copy begins anew where
                # somebody else wrote.
                raw.backup(target, pages=PAGES, sleep=0.005)
                target.execute("PRAGMA journal_mode = DELETE")
    finally:
        source.close()
    return _prove(out)


def _prove(file: Path) -> Proof:
    with closing(sqlite3.connect(file)) as copy:
        said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise Refused("damaged_copy", N_("{path} is damaged: {reason}"), path=str(file), reason=said)
    database = open_database(f"sqlite:///{file}")
    try:
        with database.read() as connection:
            proof = verify(connection)
    finally:
        database.close()
    if not proof.whole:
        raise Refused(
            "broken_chain",
            N_("The journal of {path} does not hold at entry {entry}."),
            path=str(file),
            entry=proof.broken_at,
        )
    return proof


def _photos_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.photos")


def _copy_photos(source: Path, out: Path) -> int:
    """Photos bear the digest of their bytes: what is there already need not be copied again."""
    copied = 0
    folder, target = _photos_of(source), _photos_of(out)
    if not folder.is_dir():
        return 0
    for file in folder.rglob("*"):
        there = target / file.relative_to(folder)
        if file.is_file() and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, there)
            copied += 1
    return copied


def _put_back(file: Path, target: Path) -> None:
    if target.exists():
        raise Refused("file_exists", N_("{path} is there already."), path=str(target))
    _prove(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(f"{target.name}.part")
    shutil.copyfile(file, begun)
    _copy_photos(file, target)
    begun.replace(target)


# A server, by its own tools.


def _dump(address: URL, out: Path, binaries: Path | None) -> None:
    words = ["--format=custom", "--no-owner", f"--file={out}"]
    # The policies hide rows from everybody but the owner.
    _run("pg_dump", [*words, f"--role={OWNER}", "--dbname", _plain(address)], address, binaries)


def _fill(file: Path, address: URL, binaries: Path | None) -> None:
    words = [f"--role={OWNER}", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", [*words, "--dbname", _plain(address), str(file)], address, binaries)


def _plain(address: URL) -> str:
    """The address as PostgreSQL's own tools take it; password and role go another way."""
    plain = address.set(drivername="postgresql", password=None).difference_update_query(["options"])
    return plain.render_as_string(hide_password=False)


def _run(program: str, words: list[str], address: URL, binaries: Path | None) -> None:
    found = shutil.which(program, path=str(binaries) if binaries else None)
    if found is None:
        raise Unavailable(
            "no_program",
            N_(
                "{program} is not there: install PostgreSQL's client programs, or name their folder by --bin."
            ),
            program=program,
        )
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    done = subprocess.run(
        [found, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **secret, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise Unavailable(
            "program_failed",
            N_("{program} failed: {reason}"),
            program=program,
            reason=lines[0] if lines else str(done.returncode),
        )


def _drop(address: URL) -> None:
    admin = open_database(address.set(database="postgres").render_as_string(hide_password=False))
    try:
        engine = admin.engine.execution_options(isolation_level="AUTOCOMMIT")
        with admin.troubles(), engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute(
                sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(str(address.database)))
            )
    finally:
        admin.close()
