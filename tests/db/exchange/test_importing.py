"""The way from file to cases as a whole: bad input leaves nothing half-written, memory stays bounded."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.bootstrap import Core, open_core
from db.exchange.importing import check_file, check_source, import_checked, list_problems, problems_beside
from db.exchange.mapping import CaseMapping, read_mapping
from db.exchange.reading import examine
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Trouble, Unavailable
from tests.db.exchange.kit import HEADINGS, quoted, row, write_mapping, write_rows
from tests.kit.source import ROOT

MEGABYTES = 40
"""Size of the generated file. With 200 MB of real columns (377,000 rows) the peak was 210 MB, in 31 s."""
PEAK_MEGABYTES = 250
"""Of which the interpreter takes 86, SQLite's page cache up to 64, and the rows of one bulk load some 40."""


@pytest.fixture
def mapping(tmp_path: Path) -> CaseMapping:
    return read_mapping(write_mapping(tmp_path))


@contextmanager
def opened(url: str, *, create: bool = True) -> Iterator[Core]:
    core = open_core(url, create=create)
    try:
        yield core
    finally:
        core.close()


def test_the_list_of_problems_goes_beside_the_file(tmp_path: Path, mapping: CaseMapping) -> None:
    path = write_rows(tmp_path, row(State="Lost"), row(No="2"))
    with check_file(path, mapping, None) as checked:
        assert list_problems(checked) == tmp_path / "town.csv.problems.csv"
        assert list_problems(checked, tmp_path / "p.csv") == tmp_path / "p.csv"
    assert (tmp_path / "p.csv").read_bytes() == (tmp_path / "town.csv.problems.csv").read_bytes()


def test_a_file_without_problems_has_no_list(tmp_path: Path, mapping: CaseMapping) -> None:
    with check_file(write_rows(tmp_path, row()), mapping, None) as checked:
        assert list_problems(checked) is None
    assert not list(tmp_path.glob("*.problems.csv"))


def test_beside_a_file_in_a_read_only_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert problems_beside(folder / "a.csv") == here / "a.csv.problems.csv"
    finally:
        folder.chmod(stat.S_IRWXU)


def test_a_list_that_cannot_be_written_stops_the_import_before_it_begins(
    core: Core, tmp_path: Path, mapping: CaseMapping
) -> None:
    path = write_rows(tmp_path, row(), row(No="2", Lon=""))
    nothing = pytest.raises(Unavailable, match="cannot be written")
    with check_file(path, mapping, core.database) as checked, nothing:
        import_checked(core.bus, SYSTEM, checked, tmp_path / "none" / "p.csv")
    with check_file(path, mapping, core.database) as checked:
        assert checked.report.already == 0


def test_a_locked_database_is_told_and_nothing_is_written(
    tmp_path: Path, mapping: CaseMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.connections.BUSY_SECONDS", 0.05)
    path = write_rows(tmp_path, row(), row(No="2", Lon="abc"))
    file = tmp_path / "room.db"
    with opened(f"sqlite:///{file}") as core:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with check_file(path, mapping, core.database) as checked, pytest.raises(Unavailable) as trouble:
                import_checked(core.bus, SYSTEM, checked)
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert trouble.value.code == "locked"
        assert not list(tmp_path.glob("*problems*"))
        with check_file(path, mapping, core.database) as checked:
            assert import_checked(core.bus, SYSTEM, checked)[0].taken == 1


def test_a_read_only_database_is_told_and_nothing_is_written(tmp_path: Path, mapping: CaseMapping) -> None:
    path = write_rows(tmp_path, row())
    with opened(f"sqlite:///{tmp_path / 'room.db'}") as core:
        with core.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with check_file(path, mapping, core.database) as checked, pytest.raises(Unavailable) as trouble:
            import_checked(core.bus, SYSTEM, checked)
    assert trouble.value.code == "read_only"


def test_a_full_disk_is_told_and_nothing_is_written(tmp_path: Path, mapping: CaseMapping) -> None:
    file = tmp_path / "room.db"
    path = write_rows(tmp_path, *(row(No=str(n), What="x" * 2000) for n in range(400)))
    with opened(f"sqlite:///{file}"):
        pass
    with opened(f"sqlite:///{file}", create=False) as core:
        with core.database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            # What SQLite says when no page can be added is what it says on a full disk.
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with check_file(path, mapping, core.database) as checked, pytest.raises(Unavailable) as trouble:
            import_checked(core.bus, SYSTEM, checked)
        assert trouble.value.code == "disk_full"
    with (
        opened(f"sqlite:///{file}", create=False) as core,
        check_file(path, mapping, core.database) as checked,
    ):
        assert checked.report.already == 0
        assert checked.report.taken == 400


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_for_the_list_of_problems_is_told(tmp_path: Path, mapping: CaseMapping) -> None:
    path = write_rows(tmp_path, row(State="Lost"))
    link = tmp_path / ".p.csv.part"
    link.symlink_to("/dev/full")
    with check_file(path, mapping, None) as checked, pytest.raises(Unavailable, match="No space left"):
        list_problems(checked, tmp_path / "p.csv")
    assert not link.exists()
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be one", b"PK\x03\x04" * 100]
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "room.db"
    file.write_bytes(content)
    with pytest.raises(Trouble, match="is not a Jingwei database"), opened(f"sqlite:///{file}"):
        pass
    assert file.read_bytes() == content


def test_a_database_from_the_future_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "room.db"
    with opened(f"sqlite:///{file}"):
        pass
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(Trouble, match="written by a newer Jingwei"), opened(f"sqlite:///{file}"):
        pass


def test_a_source_examined_once_can_be_checked_against_a_database(
    core: Core, tmp_path: Path, mapping: CaseMapping
) -> None:
    source = examine(write_rows(tmp_path, row()), mapping)
    with check_source(source, mapping, core.database) as checked:
        assert checked.report.taken == 1


@pytest.mark.speed
def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    filler = "x" * 300
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(quoted(HEADINGS) + "\n")
        number = 0
        while stream.tell() < MEGABYTES * 1_000_000:
            stream.writelines(
                quoted(row(No=str(number + n), What=filler, Lon="" if n % 50 == 0 else "117.15").values())
                + "\n"
                for n in range(1000)
            )
            number += 1000
    peak = peak_megabytes(tmp_path, path, write_mapping(tmp_path))
    assert peak < PEAK_MEGABYTES, f"{peak} MB for a file of {MEGABYTES} MB"


@pytest.mark.speed
def test_one_endless_line_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with path.open("w", encoding="utf-8") as stream:
        stream.write(quoted(HEADINGS) + "\n")
        for _megabyte in range(MEGABYTES):
            stream.write("x" * 1_000_000)
    peak = peak_megabytes(tmp_path, path, write_mapping(tmp_path))
    assert peak < PEAK_MEGABYTES, f"{peak} MB for a line of {MEGABYTES} MB"


def peak_megabytes(folder: Path, path: Path, mapping: Path) -> int:
    """Import ``path`` in a process of its own and return the most memory that it held.

    Asked of ``/proc``: what ``getrusage`` says begins at the size of the process that started this one.
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the most memory that a process held")
    script = f"""
from pathlib import Path
from db.bootstrap import open_core
from db.exchange.importing import check_file, import_checked
from db.exchange.mapping import read_mapping
from db.kernel.actor import SYSTEM

core = open_core("sqlite:///{folder / "large.db"}", create=True)
with check_file(Path({str(path)!r}), read_mapping(Path({str(mapping)!r})), core.database) as checked:
    import_checked(core.bus, SYSTEM, checked)
core.close()
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return int(done.stdout)
