"""The import window: it shows what would be taken, imports exactly that, and can be stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.bootstrap import Core, load_reference, open_core
from db.exchange.checking import Checked, Report
from db.exchange.importing import check_file, import_checked
from db.exchange.mapping import read_mapping
from db.exchange.reading import Progress
from db.kernel.actor import SYSTEM
from db.kernel.language import set_language
from desktop.core.jobs import Jobs
from desktop.exchange.dialog import ImportDialog, ImportWork
from desktop.widgets.theme import Theme
from tests.db.exchange.kit import real_file, row, write_mapping, write_rows

DEADLINE = 60.0


class Room:
    """A dialog over a real database, its jobs on real threads, under the program's own event loop."""

    def __init__(self, until: Callable[..., None], core: Core) -> None:
        self._until = until
        self.core = core
        self.troubles: list[BaseException] = []
        self.reports: list[Report] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.jobs = Jobs(self.troubles.append)
        self.dialog = ImportDialog(Theme(), self.jobs, ImportWork(self.check, self.write))
        self.dialog.imported.connect(self.reports.append)
        self.dialog.open()

    def check(self, file: Path, mapping: Path, progress: Progress) -> Checked:
        progress(1, 2, "Checking")
        self.may_go_on.wait(DEADLINE)
        return check_file(file, read_mapping(mapping), self.core.database, progress)

    def write(self, checked: Checked, progress: Progress) -> tuple[Report, Path | None]:
        return import_checked(self.core.bus, SYSTEM, checked, None, progress)

    def until(self, claim: Callable[[], bool]) -> None:
        self._until(claim, round(DEADLINE * 1000))

    def run(self, act: Callable[[], object]) -> None:
        """Do something within the loop and wait until no job is under way."""

        act()
        self.until(lambda: not self.jobs._tasks and not self.dialog.is_busy)

    def column(self, key: str) -> list[str]:
        source = self.dialog.table.model().source  # type: ignore[attr-defined]
        return [source.cell(place, key).text for place in range(source.row_count())]


@pytest.fixture
def room(application: QApplication, sqlite_url: str, until: Callable[..., None]) -> Iterator[Room]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    core = open_core(sqlite_url)
    load_reference(core.database)
    room = Room(until, core)
    yield room
    room.dialog.reject()
    room.jobs.close()
    room.dialog.deleteLater()
    core.close()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)
    assert not room.troubles


def test_nothing_can_be_imported_before_a_file_is_chosen(room: Room) -> None:
    assert not room.dialog.import_button.isEnabled()
    assert [room.dialog.mapping.itemText(place) for place in range(room.dialog.mapping.count())] == [
        "",
        "hotline_12345",
        "nyc311",
    ]


def test_the_first_rows_are_shown_as_they_would_be_taken(room: Room, tmp_path: Path) -> None:
    path = write_rows(
        tmp_path, row(), row(No="2", Lon="", Lat=""), row(No="3", State="Lost"), row(What="<b>twice</b>")
    )
    room.run(lambda: room.dialog.choose(path, write_mapping(tmp_path)))
    assert room.column("outcome") == ["Taken", "Taken, see remark", "Skipped", "Skipped"]
    assert room.column("number") == ["T-1", "T-2", "3", "1"]
    assert room.column("category")[0] == "Noise nuisance"
    assert room.column("reported")[0] == "2024-04-16 03:03"
    assert room.column("position")[:2] == ["117.15000, 35.08000", "No position"]
    assert room.column("remark")[2] == "State: The mapping does not know this state."
    dialog = room.dialog
    assert dialog.counts.text() == (
        "4 rows: 2 taken, 1 of them without a position; 2 skipped; 0 there already"
    )
    assert dialog.effect.text() == "adds 2 open and 0 closed cases, 1 new unit, 1 new district"
    assert dialog.import_button.text() == "Import 2 cases"


def test_pressing_the_button_imports_what_was_shown(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(tmp_path, row(), row(No="2", State="Lost"))
    room.run(lambda: room.dialog.choose(path, write_mapping(tmp_path)))
    room.run(room.dialog.import_button.click)
    (report,) = room.reports
    assert (report.taken, report.skipped) == (1, 1)
    assert room.dialog.effect.text() == "1 case was imported."
    assert not room.dialog.import_button.isEnabled()
    opened: list[str] = []
    monkeypatch.setattr(
        "desktop.exchange.taking.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile())
    )
    room.dialog.problems_button.click()
    assert opened == [f"{path}.problems.csv"]
    room.run(lambda: room.dialog.choose(path))
    assert room.column("outcome") == ["There already", "Skipped"]
    assert "Nothing to import" in room.dialog.effect.text()


def test_a_file_that_cannot_be_read_says_so_at_its_field(room: Room, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    room.run(lambda: room.dialog.choose(tmp_path / "empty.csv", write_mapping(tmp_path)))
    assert "is empty" in room.dialog.file_field.error()
    assert not room.dialog.import_button.isEnabled()


def test_a_faulty_mapping_says_so_at_its_field(room: Room, tmp_path: Path) -> None:
    path = write_rows(tmp_path, row())
    room.run(lambda: room.dialog.choose(path, write_mapping(tmp_path, "[source]")))
    assert "source.name is missing" in room.dialog.mapping_field.error()
    assert room.dialog.file_field.error() == ""


def test_a_check_can_be_stopped_and_the_window_stays(room: Room, tmp_path: Path) -> None:
    path, mapping = write_rows(tmp_path, row()), write_mapping(tmp_path)
    room.may_go_on.clear()
    room.dialog.choose(path, mapping)
    room.until(lambda: room.dialog.is_busy)
    room.dialog.reject()
    room.may_go_on.set()
    room.until(lambda: not room.dialog.is_busy)
    assert room.dialog.isVisible()
    assert "cancelled" in room.dialog.file_field.error()


def test_new_york_is_shown_and_imported_from_the_window(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "nyc311.csv"
    path.write_bytes(real_file().read_bytes())
    room.run(lambda: room.dialog.choose(path, Path(room.dialog.mapping.itemData(2))))
    assert len(room.column("number")) == 200
    assert room.dialog.import_button.text() == "Import 1,000 cases"
    room.run(room.dialog.import_button.click)
    assert [(report.taken, report.marked) for report in room.reports] == [(1000, 23)]


def test_the_window_speaks_chinese_names(room: Room, tmp_path: Path) -> None:
    set_language("zh_CN")
    path = tmp_path / "nyc311.csv"
    path.write_bytes(b"".join(real_file().read_bytes().splitlines(keepends=True)[:10]))
    room.run(lambda: room.dialog.choose(path, Path(room.dialog.mapping.itemData(2))))
    assert room.column("unit")[0] == "交通局"
    assert room.column("district")[0] == "皇后区"
    assert room.column("category")[0] == "道路破损"
