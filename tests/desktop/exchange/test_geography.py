"""The import window for map data: what becomes of each feature, just that imported, trouble at its field."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from db.bootstrap import Core, load_reference, open_core
from db.exchange.geography.checking import Checked, Report, check
from db.exchange.geography.fields import read_geography_mapping, register_of
from db.exchange.geography.files import examine
from db.exchange.geography.writing import import_checked
from db.exchange.reading import Progress
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock
from db.registers.tables import area
from desktop.core.jobs import Jobs
from desktop.exchange.geography import CHANGES, GeographyChoice, GeographyDialog, GeographyWork
from desktop.widgets.theme import Theme
from tests.db.engine.kit import rows_of, write
from tests.db.exchange.geography.drawn import geojson, points
from tests.db.registers.quarter import COUNTY, at, box, cell_box, draw_quarter

DEADLINE_MS = 60_000


class Room:
    """A dialog over a real database, its jobs on real threads, under the program's own event loop."""

    def __init__(self, until: Callable[..., None], core: Core) -> None:
        self._until = until
        self.core = core
        self.troubles: list[BaseException] = []
        self.reports: list[Report] = []
        self.jobs = Jobs(self.troubles.append)
        self.dialog = GeographyDialog(Theme(), self.jobs, GeographyWork(self.check, self.write))
        self.dialog.imported.connect(self.reports.append)
        self.dialog.open()

    def check(self, choice: GeographyChoice, progress: Progress) -> Checked:
        register = register_of(choice.kind)
        mapping = read_geography_mapping(choice.mapping, register) if choice.mapping else None
        file = examine(choice.file, choice.datum, choice.encoding, progress)
        return check(file, register, self.core.database, mapping, complete=choice.complete, progress=progress)

    def write(self, checked: Checked, progress: Progress) -> tuple[Report, Path | None]:
        return import_checked(self.core.bus, SYSTEM, checked, None, progress)

    def run(self, act: Callable[[], object]) -> None:
        """Do something within the loop and wait until no job is under way."""
        act()
        self._until(lambda: not self.jobs._tasks and not self.dialog.is_busy, DEADLINE_MS)

    def column(self, key: str) -> list[str]:
        source = self.dialog.table.model().source  # type: ignore[attr-defined]
        return [source.cell(place, key).text for place in range(source.row_count())]


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
    room.dialog.reject()
    room.jobs.close()
    room.dialog.deleteLater()
    core.close()
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)
    assert not room.troubles


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """A new cell, a changed one, one as it was, and a bad one."""
    code = f"{COUNTY}001001"
    return geojson(
        tmp_path / "cells.geojson",
        (cell_box(0, 3), {"code": f"{code}040", "name": "新网格"}),
        (box(0, 0, 1, 0.9), {"code": f"{code}031", "name": "cell 31"}),
        (cell_box(1, 0), {"code": f"{code}032", "name": "cell 32"}),
        (cell_box(1, 3), {"code": "123", "name": "x"}),
    )


def test_each_feature_says_what_becomes_of_it(room: Room, cells: Path) -> None:
    room.run(lambda: room.dialog.choose(cells, "cell"))
    assert room.column("outcome") == ["New", "Changed", "The same", "Skipped"]
    assert room.column("changes")[1] == "outline"
    assert room.column("remark")[3] == "code: The code has not as many digits as it must have."
    dialog = room.dialog
    assert dialog.counts.text() == ("4 rows: 1 new, 1 changed, 1 the same, 1 skipped (WGS-84, UTF-8)")
    assert dialog.effect.text() == "adds 1, changes 1"
    assert dialog.import_button.text() == "Import 2 features"
    # The smaller cell leaves ground to nobody, but only between it and the edge of the quarter.
    assert dialog.remark.isHidden()


def test_pressing_the_button_imports_what_was_shown(room: Room, cells: Path) -> None:
    room.run(lambda: room.dialog.choose(cells, "cell"))
    room.run(room.dialog.import_button.click)
    (report,) = room.reports
    assert (report.new, report.changed) == (1, 1)
    assert room.dialog.effect.text() == "2 features were imported."
    assert not room.dialog.import_button.isEnabled()
    assert not room.dialog.problems_button.isHidden()
    assert len(rows_of(room.core.database, area)) == 16


def test_nothing_happens_before_file_and_kind_are_chosen(room: Room, cells: Path) -> None:
    room.run(lambda: room.dialog.choose(cells))
    assert room.column("outcome") == []
    assert not room.dialog.import_button.isEnabled()


def test_a_complete_file_says_what_it_marks(room: Room, cells: Path) -> None:
    room.run(lambda: room.dialog.choose(cells, "cell"))
    room.run(lambda: room.dialog.complete.setChecked(True))
    assert room.dialog.effect.text() == "adds 1, changes 1, marks 7 as no longer there"


def test_trouble_stands_at_the_field_that_can_mend_it(room: Room, tmp_path: Path, cells: Path) -> None:
    path = points(tmp_path / "a.shp", "utf-8", (*at(0.5, 0.5), {"code": f"{COUNTY}01001000001"}))
    room.run(lambda: room.dialog.choose(path, "component"))
    assert "say in which frame" in room.dialog.datum_field.error()
    room.dialog.datum.setCurrentIndex(room.dialog.datum.findData("CGCS2000"))
    room.run(lambda: room.dialog.datum.activated.emit(0))
    assert room.column("outcome") == ["New"]
    assert room.dialog.datum_field.error() == ""
    room.run(lambda: room.dialog.choose(cells, "rule"))
    assert "Nothing in the file is known as" in room.dialog.kind_field.error()


def test_every_column_that_can_change_has_a_word(room: Room) -> None:
    follow = {"id", "version", "lat", "square_metres"}
    for kind in ("cell", "component", "road", "water", "place", "sensitive", "rule"):
        named = {column.name for column in register_of(kind).table.c} - follow
        assert named <= set(CHANGES), kind


def test_shapes_are_never_drawn_from_text(room: Room, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    path = geojson(tmp_path / "a.geojson", (shapely.Point(at(0.5, 0.5)), {"name": name, "kind": "school"}))
    room.run(lambda: room.dialog.choose(path, "sensitive"))
    assert room.column("name") == [name]
