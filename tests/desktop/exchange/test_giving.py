"""The export window for map data: just what was chosen is written, and trouble leaves the window open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from qasync import QEventLoop

from db.bootstrap import Core, load_reference, open_core
from db.exchange.geography.checking import check
from db.exchange.geography.exporting import export_geography
from db.exchange.geography.fields import REGISTERS, register_of
from db.exchange.geography.files import examine
from db.kernel.clock import SetClock
from db.kernel.refusal import Unavailable
from desktop.core.jobs import Jobs
from desktop.exchange.giving import Giving, GivingDialog, told
from desktop.widgets.theme import Theme
from tests.db.engine.kit import write
from tests.db.registers.quarter import draw_quarter

DEADLINE_MS = 60_000


class Room:
    """A dialog over a real database, its jobs on real threads, under the program's own event loop."""

    def __init__(self, until: Callable[..., None], core: Core) -> None:
        self._until = until
        self.core = core
        self.troubles: list[BaseException] = []
        self.given: list[Giving] = []
        self.gate = threading.Event()
        self.gate.set()
        self.jobs = Jobs(self.troubles.append)
        self.dialog = GivingDialog(Theme(), self.jobs, self.write)
        self.dialog.written.connect(self.given.append)
        self.dialog.open()

    def write(self, giving: Giving) -> int:
        assert self.gate.wait(DEADLINE_MS / 1000)
        with self.core.database.read() as connection:
            return export_geography(
                connection, register_of(giving.kind), giving.file, giving.datum, giving.encoding
            )

    def choose(self, kind: str, datum: str = "WGS-84", encoding: str = "utf-8") -> None:
        dialog = self.dialog
        for box, value in ((dialog.kind, kind), (dialog.datum, datum), (dialog.encoding, encoding)):
            box.setCurrentIndex(box.findData(value))
            box.activated.emit(box.currentIndex())

    def save(self, file: Path) -> None:
        self.dialog.save(file)
        self.rest()

    def rest(self) -> None:
        """Wait until no job is under way."""
        self._until(lambda: not self.jobs._tasks, DEADLINE_MS)


@pytest.fixture
def room(application: QApplication, sqlite_url: str, until: Callable[..., None]) -> Iterator[Room]:
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    core = open_core(sqlite_url, clock=SetClock(datetime(2026, 3, 16, 2, tzinfo=UTC)))
    load_reference(core.database)
    write(core.database, draw_quarter)
    room = Room(until, core)
    yield room
    if shiboken6.isValid(room.dialog):
        room.dialog.reject()
    room.jobs.close()
    core.close()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)
    assert not room.troubles


@pytest.mark.parametrize(
    "name,datum,encoding",
    [
        ("a.geojson", "WGS-84", "utf-8"),
        ("a.geojson", "GCJ-02", "utf-8"),
        ("a.shp", "CGCS2000", "gb18030"),
        ("a.shp", "EPSG:4548", "utf-8"),
    ],
)
def test_what_was_written_is_taken_in_again_as_it_is(
    room: Room, tmp_path: Path, name: str, datum: str, encoding: str
) -> None:
    room.choose("cell", datum, encoding)
    room.save(tmp_path / name)
    assert room.given == [Giving(tmp_path / name, "cell", datum, encoding)]
    file = examine(tmp_path / name, datum, "auto")
    with check(file, register_of("cell"), room.core.database) as checked:
        report = checked.report
    assert (report.rows, report.same) == (report.same, report.rows)
    assert room.dialog.told.text() == f"{report.rows} features in {name}."
    assert room.dialog.isVisible()


def test_the_dialog_asks_where_to_and_the_ending_follows_the_kind_of_file(room: Room, tmp_path: Path) -> None:
    room.choose("district")
    room.dialog.form.send_button.click()
    (chooser,) = room.dialog.findChildren(QFileDialog)
    assert chooser.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    assert chooser.defaultSuffix() == "geojson"
    chooser.filterSelected.emit(chooser.nameFilters()[1])
    assert chooser.defaultSuffix() == "shp"
    chooser.fileSelected.emit(str(tmp_path / "a.shp"))
    chooser.reject()
    room.rest()
    assert [giving.kind for giving in room.given] == ["district"]
    assert (tmp_path / "a.dbf").exists()


def test_while_a_file_is_written_nothing_else_is_begun(room: Room, tmp_path: Path) -> None:
    room.gate.clear()
    dialog = room.dialog
    dialog.save(tmp_path / "a.geojson")
    room._until(lambda: dialog.is_busy, DEADLINE_MS)
    assert not dialog.form.send_button.isEnabled()
    assert not dialog.kind.isEnabled()
    assert dialog.told.text() == "a.geojson is being written…"
    dialog.save(tmp_path / "b.geojson")
    room.gate.set()
    room.rest()
    assert [giving.file.name for giving in room.given] == ["a.geojson"]
    assert dialog.form.send_button.isEnabled()


@pytest.mark.parametrize("folder,files,troubles", [("", ["a.geojson"], 0), ("absent", [], 1)])
def test_a_window_closed_meanwhile_leaves_the_file_and_the_trouble_to_the_room(
    room: Room, tmp_path: Path, folder: str, files: list[str], troubles: int
) -> None:
    room.gate.clear()
    room.dialog.save(tmp_path / folder / "a.geojson")
    room._until(lambda: room.dialog.is_busy, DEADLINE_MS)
    room.dialog.reject()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    room.gate.set()
    room.rest()
    assert [each.name for each in tmp_path.rglob("*.geojson")] == files
    assert len(room.troubles) == troubles
    assert all(isinstance(each, Unavailable) for each in room.troubles)
    room.troubles.clear()


def test_trouble_is_told_and_mended_by_another_choice(room: Room, tmp_path: Path) -> None:
    room.choose("sensitive")
    room.save(tmp_path / "a.geojson")
    general = room.dialog.form._general
    assert general.text() == "There is nothing of this kind to write."
    room.choose("cell")
    assert not general.isVisible()
    room.save(tmp_path / "absent" / "a.geojson")
    assert "cannot be written" in general.text()
    room.save(tmp_path / "a.txt")
    assert "write .geojson or .shp" in general.text()
    assert room.given == []
    assert list(tmp_path.glob("a*")) == []
    room.save(tmp_path / "a.geojson")
    assert len(room.given) == 1


def test_every_register_can_be_chosen(room: Room) -> None:
    box = room.dialog.kind
    assert [box.itemData(place) for place in range(box.count())] == list(REGISTERS)
    assert box.currentData() == "cell"


def test_that_a_prj_cannot_name_a_shifted_frame_is_said() -> None:
    remark = "A .prj cannot name GCJ-02"
    assert remark in told(Giving(Path("a.shp"), "cell", "GCJ-02", "utf-8"), 3)
    assert remark not in told(Giving(Path("a.geojson"), "cell", "GCJ-02", "utf-8"), 3)
    assert told(Giving(Path("a.shp"), "cell", "WGS-84", "utf-8"), 1) == "1 feature in a.shp."
