"""Whatever is wrong with a database is told in one sentence in both languages; nothing is half-written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.bootstrap import Core, load_reference, open_core
from db.cases.commands.intake import Report
from db.cli.main import guarded
from db.engine import connections
from db.engine.connections import open_database
from db.engine.journal import verify
from db.kernel.actor import SYSTEM
from db.kernel.language import set_language
from db.kernel.refusal import Trouble
from db.live.feed import Feed
from tests.faults.unprivileged import as_nobody, open_folder
from tests.kit.databases import SqliteTemplate
from tests.kit.source import ROOT

REPORT = Report("hotline", 0, "井盖丢失")


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def city(folder: Path, sqlite_template: SqliteTemplate) -> Path:
    """A database with reference data that nobody has open."""
    file = folder / "city.db"
    core = open_core(sqlite_template.copy_to(file))
    load_reference(core.database)
    core.close()
    assert [path.name for path in folder.iterdir()] == ["city.db"]
    return file


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def report(core: Core) -> Any:
    with core.database.read() as connection:
        category = connection.exec_driver_sql("SELECT min(id) FROM category").scalar()
    return core.bus.run(Report("hotline", int(category or 0), "井盖丢失"), SYSTEM)


def trouble_of(capsys: pytest.CaptureFixture[str], work: Callable[[], Any]) -> str:
    """The code of the trouble; in both languages one filled sentence on standard error, and exit code 2."""
    codes = set()

    def run() -> int:
        try:
            work()
        except Trouble as trouble:
            codes.add(trouble.code)
            raise
        return 0

    for language in ("zh_CN", "en"):
        set_language(language)
        assert guarded(run) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.strip()
        assert "{" not in told.err
        assert "Traceback" not in told.err
    assert len(codes) == 1
    return str(codes.pop())


@pytest.mark.parametrize(
    "content, code",
    [
        (b"number,state\n1,closed\n", "not_a_database"),
        (b"SQLite format 3\x00" + b"\xff" * 2000, "not_a_database"),
        (b"", "empty_database"),
        (b"SQLite", "not_a_database"),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str
) -> None:
    file = folder / "cases.csv"
    file.write_bytes(content)
    assert trouble_of(capsys, lambda: open_core(url(file))) == code
    assert file.read_bytes() == content
    assert list(folder.iterdir()) == [file]


def test_the_database_of_another_program_is_refused_and_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "theirs.db"
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("CREATE TABLE albums (title)")
    content = file.read_bytes()
    assert trouble_of(capsys, lambda: open_core(url(file))) == "not_a_database"
    assert trouble_of(capsys, lambda: open_core(url(file), create=True)) == "not_a_database"
    assert file.read_bytes() == content
    assert list(folder.iterdir()) == [file]


def test_a_folder_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trouble_of(capsys, lambda: open_core(url(folder), create=True)) == "is_a_folder"


def test_a_file_that_is_not_there_is_not_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trouble_of(capsys, lambda: open_core(url(folder / "no.db"))) == "database_gone"
    assert list(folder.iterdir()) == []


def test_a_damaged_file_says_so(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(city.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 4096] = b"\xa5" * 4096
    city.write_bytes(content)
    assert trouble_of(capsys, lambda: open_core(url(city))) == "damaged"


def test_a_file_that_may_not_be_read_says_so(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city.chmod(0)
    with as_nobody():
        assert trouble_of(capsys, lambda: open_core(url(city))) == "cannot_open"


def test_a_file_cannot_be_made_where_nobody_may_write(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o555)
    with as_nobody():
        made = folder / "new" / "city.db"
        assert trouble_of(capsys, lambda: open_core(url(made), create=True)) == "cannot_open"
        assert trouble_of(capsys, lambda: open_core(url(folder / "city.db"), create=True)) == "cannot_open"


@pytest.mark.parametrize("folder_too", [False, True])
def test_a_read_only_copy_can_be_read_and_not_written(
    city: Path, capsys: pytest.CaptureFixture[str], folder_too: bool
) -> None:
    city.chmod(0o444)
    city.parent.chmod(0o555 if folder_too else 0o777)
    content = city.read_bytes()
    with as_nobody():
        core = open_core(url(city))
        assert core.database.read_only
        assert core.database.data_version() == core.database.data_version()
        with core.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM category").scalar()
        assert Feed(core.database, core.clock).snapshot().full, "a wall may show it"
        assert trouble_of(capsys, lambda: report(core)) == "read_only"
        core.close()
    assert city.read_bytes() == content


def test_a_read_only_folder_that_somebody_else_writes_in_shows_what_is_new(city: Path) -> None:
    writer = open_core(url(city))
    report(writer)
    city.chmod(0o444)
    city.parent.chmod(0o555)
    with as_nobody():
        core = open_core(url(city))

        def count() -> Any:
            with core.database.read() as connection:
                return connection.exec_driver_sql("SELECT count(*) FROM cases").scalar()

        assert count() == 1
    city.chmod(0o644)
    city.parent.chmod(0o777)
    report(writer)
    assert count() == 2
    core.close()
    writer.close()


def test_an_older_copy_that_cannot_be_written_is_not_brought_up_to_date(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(city)) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '0001'")
        plain.commit()
        plain.execute("PRAGMA journal_mode = DELETE")
    city.chmod(0o444)
    city.parent.chmod(0o555)
    with as_nobody():
        assert trouble_of(capsys, lambda: open_core(url(city))) == "read_only_and_older"


def test_a_database_that_another_program_locks_says_so_and_goes_on_later(
    city: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    core = open_core(url(city))
    with closing(sqlite3.connect(city, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert trouble_of(capsys, lambda: report(core)) == "locked"
        with core.database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM cases").scalar() == 0, "reading goes on"
        other.execute("ROLLBACK")
    report(core)
    core.close()


FILL = """
import resource, signal, sys
from db.bootstrap import open_core
from db.cli.main import guarded
from tests.faults.test_unusable_databases import report
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
core = open_core(sys.argv[1])
report(core)
if sys.argv[2:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
def fill():
    while True:
        report(core)
code = guarded(fill)
core.close()
sys.exit(code)
"""


def fill(file: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FILL, url(file), *words], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stderr
    return done.stderr


def assert_sound(file: Path) -> None:
    """Every case that was written is whole: with its step, its entry, and an unbroken chain."""
    with closing(sqlite3.connect(file)) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        cases, steps, entries = (
            plain.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("cases", "case_step", "journal")
        )
    assert cases == steps == entries - 1 > 0
    database = open_database(url(file))
    with database.read() as connection:
        assert verify(connection).whole
    database.close()


def test_a_file_that_may_not_grow_says_so_and_keeps_what_it_had(city: Path) -> None:
    limit = city.stat().st_size + 200_000
    assert "nothing was changed" in fill(city, str(limit))
    assert_sound(city)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if not mounted or subprocess.run(["mount", *options], capture_output=True).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_says_so_and_keeps_what_it_had(city: Path) -> None:
    with small_disk(city.parent, 2) as disk:
        file = disk / "city.db"
        shutil.copyfile(city, file)
        (disk / "ballast").write_bytes(bytes(2 * 1024 * 1024 - file.stat().st_size - 400_000))
        assert "is full; nothing was changed" in fill(file)
        (disk / "ballast").unlink()
        assert_sound(file)


def test_a_limit_of_pages_is_a_full_disk(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    core = open_core(url(city))
    with core.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill_up() -> None:
        while True:
            report(core)

    assert trouble_of(capsys, fill_up) == "disk_full"
    core.close()
    assert_sound(city)


def test_a_server_that_is_not_there_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code = trouble_of(capsys, lambda: open_core("postgresql://jingwei:geheim@127.0.0.1:1/city"))
    assert code == "database_lost"


def test_a_database_that_the_server_does_not_have_says_so(
    postgres: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trouble_of(capsys, lambda: open_core(postgres.url("nowhere"))) == "database_lost"


def test_a_server_that_goes_away_says_so_and_comes_back(
    postgres_url: str, postgres: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    core = open_core(postgres_url)
    load_reference(core.database)
    report(core)
    with core.database.read() as connection:
        mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with postgres.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [mine])
        with pytest.raises(Trouble) as caught, core.database.troubles():
            connection.exec_driver_sql("SELECT 1")
    assert caught.value.code == "database_lost"
    report(core)
    core.close()


def test_a_server_whose_journal_is_held_too_long_says_so(
    postgres_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 1)
    core, other = open_core(postgres_url), open_database(postgres_url)
    load_reference(core.database)
    with other.engine.connect() as connection:
        connection.exec_driver_sql("SELECT seq FROM journal_head FOR UPDATE")
        assert trouble_of(capsys, lambda: report(core)) == "locked"
    report(core)
    other.close()
    core.close()


def test_a_server_that_only_reads_can_be_read(postgres_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    core = open_core(postgres_url)
    load_reference(core.database)
    core.close()
    core = open_core(f"{postgres_url}&options=-c default_transaction_read_only=on")
    assert core.database.data_version() == 1
    assert trouble_of(capsys, lambda: report(core)) == "read_only"
    core.close()
