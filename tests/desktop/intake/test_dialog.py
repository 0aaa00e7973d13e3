"""The intake by keyboard alone, over a small real town: what is typed is what is filed."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from sqlalchemy import insert, select

from db.bootstrap import Core, load_reference, open_core
from db.cases.commands.intake import Register, Reject, Report
from db.cases.tables import case, reporter
from db.engine.tables import journal
from db.kernel.actor import SYSTEM
from db.kernel.clock import SetClock
from db.kernel.command import command
from db.kernel.geo import metres_between
from db.live.directory import load_directory
from db.people.tables import unit as unit_table
from db.registers.hours import PutTimeRule
from db.registers.reference import stable_id
from db.registers.tables import area, component, condition, place, road
from desktop.app.intake import IntakeDesk
from desktop.core.jobs import Jobs
from desktop.intake.dialog import IntakeDialog, read_moment
from desktop.intake.work import Filed
from desktop.widgets.theme import Theme
from tests.desktop.turned import TurnedLoop

DEADLINE = 60.0
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 4, 30, 2, 0, tzinfo=UTC)
LON, LAT = 117.15, 35.08
METRE = 1 / 111_195.08
NARROW = math.cos(math.radians(LAT))
COVER = stable_id("category", "GB/T 47678.5-2026|component|01001")
SECOND = stable_id("filing_condition", "GB/T 47678.5-2026|component|01001|2")


@command("test.town", permission="test", label="Town")
@dataclass(frozen=True)
class Town:
    """Stands in for whatever drew the town."""


def at(east: float, north: float) -> tuple[float, float]:
    return LON + east * METRE / NARROW, LAT + north * METRE


def draw_town(core: Core) -> None:
    def box(half: float) -> bytes:
        return shapely.to_wkb(shapely.box(*at(-half, -half), *at(half, half)))

    areas = [
        (1, "district", "D1", "荆河街道", None, None),
        (2, "community", "C1", "银钟社区", 1, None),
        (3, "patrol", "P1", "银钟社区一片", 2, None),
        (4, "cell", "370481001001001", "", 2, 3),
    ]
    with core.database.write(SYSTEM, Town()) as unit:
        put = unit.connection.execute
        for i, name, active in ((1, "荆河街道办", True), (2, "市政处", True), (3, "旧站", False)):
            put(insert(unit_table).values(id=i, code=f"U{i}", name=name, kind="office", active=active))
        put(
            insert(area),
            [
                {
                    "id": i, "kind": kind, "code": code, "name": name, "parent_id": above,
                    "patrol_id": patrol, "outline": box(1000), "lon": LON, "lat": LAT,
                    "unit_id": {"district": 1, "community": 2, "patrol": 3}.get(kind),
                }
                for i, kind, code, name, above, patrol in areas
            ],
        )  # fmt: skip
        for i, name, ends in (
            (1, "荆河路", (at(-500, 0), at(500, 0))),
            (2, "龙泉路", (at(0, -500), at(0, 500))),
        ):
            line = shapely.to_wkb(shapely.LineString(ends))
            put(insert(road).values(id=i, name=name, name_en=f"Road {i}", grade="main", line=line))
        put(
            insert(place).values(
                id=1, kind="crossing", name="龙泉路与荆河路口", name_en="Crossing", lon=LON, lat=LAT
            )
        )
        lon, lat = at(52, 3)
        put(
            insert(component).values(
                id=9, code="37048101001000001", category_id=COVER, state="intact", lon=lon, lat=lat
            )
        )


class Room:
    """A dialog over a real database, its jobs on real threads, under the program's own event loop."""

    def __init__(self, loop: TurnedLoop, core: Core) -> None:
        self.loop = loop
        self.core = core
        self.troubles: list[BaseException] = []
        self.filed: list[Filed] = []
        self.jobs = Jobs(self.troubles.append)
        with core.database.read() as connection:
            directory = load_directory(connection)
        desk = IntakeDesk(core, SYSTEM, directory, {})
        self.dialog = IntakeDialog(Theme(), self.jobs, desk.work(), core.clock, ZONE)
        self.dialog.filed.connect(self.filed.append)
        self.dialog.show()
        self.dialog.activateWindow()
        self.until(self.dialog.isActiveWindow)

    def until(self, claim: Any) -> None:
        async def wait() -> None:
            async with asyncio.timeout(DEADLINE):
                while not claim():
                    await asyncio.sleep(0.005)

        self.loop.run_until_complete(wait())

    def settle(self) -> None:
        self.until(lambda: not self.dialog.is_busy)

    @property
    def focus(self) -> QWidget:
        widget = self.dialog.focusWidget()
        assert widget is not None
        return widget

    def write(self, text: str) -> None:
        """As a keyboard does it, Chinese by way of the input method."""
        for sign in text:
            if sign.isascii():
                QTest.keyClicks(self.focus, sign)
            else:
                event = QInputMethodEvent("", [])
                event.setCommitString(sign)
                QApplication.sendEvent(self.focus, event)

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        mask = Qt.KeyboardModifier.NoModifier
        for modifier in modifiers:
            mask |= modifier

        async def strike() -> None:
            QTest.keyClick(self.focus, key, mask)

        self.loop.run_until_complete(strike())

    def file(self) -> None:
        self.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        self.settle()

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.core.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]

    def journal(self) -> str:
        """The arguments of the reports as the journal keeps them."""
        with self.core.database.read() as connection:
            rows = connection.execute(select(journal.c.command, journal.c.arguments)).all()
        return str([row.arguments for row in rows if row.command == "case.report"])


@pytest.fixture
def room(application: QApplication, sqlite_url: str) -> Iterator[Room]:
    # The dialog closes itself, and is the only window here.
    application.setQuitOnLastWindowClosed(False)
    # The loop of an earlier test must not be collected on a reader's thread: its timers live on this one.
    gc.collect()
    loop = TurnedLoop(application)
    core = open_core(sqlite_url, clock=SetClock(NOW))
    load_reference(core.database)
    draw_town(core)
    room = Room(loop, core)
    yield room
    room.dialog.reject()
    room.jobs.close()
    room.dialog.deleteLater()
    core.close()
    loop.close()
    application.setQuitOnLastWindowClosed(True)
    assert not room.troubles


ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def test_a_case_is_filed_by_keys_alone_with_exactly_what_was_typed(room: Room) -> None:
    assert room.focus is room.dialog.category
    room.write("gsjg")
    room.settle()
    room.press(Qt.Key.Key_Return)
    room.settle()
    assert room.focus is room.dialog.condition
    room.press(Qt.Key.Key_Down)
    room.press(Qt.Key.Key_Tab)
    room.write("井盖破损 <b>很危险</b>")
    room.press(Qt.Key.Key_Tab)
    room.write("龙泉路与荆河路口东50米")
    room.settle()
    assert room.dialog.found["district"].text() == "荆河街道"
    assert room.dialog.found["cell"].text() == "370481001001001"
    assert room.dialog.found["unit"].text() == "市政处"
    room.press(Qt.Key.Key_Tab)
    assert room.focus is room.dialog.reporter
    room.write("Zhang San")
    room.press(Qt.Key.Key_Tab)
    room.write("13812345678")
    room.press(Qt.Key.Key_N, ALT)
    assert room.focus is room.dialog.foreign_number
    room.write("TZ-2026-0001")
    room.press(Qt.Key.Key_Tab)
    room.write("05-06 17:00")
    room.file()
    (row,) = room.rows(case)
    assert room.filed == [Filed(row["id"], row["number"])]
    assert not room.dialog.isVisible()
    assert {
        key: row[key]
        for key in (
            "state", "source", "category_id", "condition_id", "description", "address", "district_id",
            "community_id", "patrol_id", "cell_id", "component_id", "foreign_system", "foreign_number",
            "foreign_due_at", "datum", "original_x",
        )
    } == {
        "state": "reported",
        "source": "hotline",
        "category_id": COVER,
        "condition_id": SECOND,
        "description": "井盖破损 <b>很危险</b>",
        "address": "龙泉路与荆河路口东50米",
        "district_id": 1,
        "community_id": 2,
        "patrol_id": 3,
        "cell_id": 4,
        "component_id": None,
        "foreign_system": "hotline",
        "foreign_number": "TZ-2026-0001",
        "foreign_due_at": datetime(2026, 5, 6, 9, 0, tzinfo=UTC),
        "datum": None,
        "original_x": None,
    }  # fmt: skip
    assert metres_between((row["lon"], row["lat"]), at(50, 0)) < 1
    (contact,) = room.rows(reporter)
    assert (contact["name"], contact["phone"]) == ("Zhang San", "13812345678")
    told = room.journal()
    assert "井盖破损" in told
    assert "13812345678" not in told
    assert "Zhang San" not in told


def fill(room: Room, place_text: str = "龙泉路与荆河路口东50米") -> None:
    room.write("gsjg")
    room.settle()
    room.press(Qt.Key.Key_Tab)
    room.press(Qt.Key.Key_W, ALT)
    room.write("井盖破损")
    room.press(Qt.Key.Key_P, ALT)
    room.write(place_text)
    room.settle()


def test_the_proposed_condition_sets_the_limit_when_the_case_is_registered(room: Room) -> None:
    room.write("gsjg")
    room.settle()
    room.press(Qt.Key.Key_Return)
    room.settle()
    room.press(Qt.Key.Key_Down)
    room.press(Qt.Key.Key_W, ALT)
    room.write("x")
    room.press(Qt.Key.Key_P, ALT)
    room.write("荆河路")
    room.file()
    (row,) = room.rows(case)
    assert row["limit_amount"] is None
    room.core.bus.run(Register((row["id"],)), SYSTEM)
    (row,) = room.rows(case)
    (wanted,) = [each for each in room.rows(condition) if each["id"] == SECOND]
    assert (row["limit_amount"], row["limit_unit"]) == (wanted["limit_amount"], wanted["limit_unit"])


def test_all_errors_stand_under_their_fields_at_once(room: Room) -> None:
    room.press(Qt.Key.Key_U, ALT)
    room.write("soon")
    room.file()
    errors = {key: field.error() for key, field in room.dialog.fields.items() if field.error()}
    assert errors == {
        "foreign_due": "For example 12-31 17:00.",
        "category": "Choose a category from the list.",
        "description": "Write what is the matter.",
        "place": "Say where it is.",
    }
    assert room.focus is room.dialog.foreign_due
    assert room.dialog.isVisible()
    assert room.rows(case) == []


def test_what_the_rules_refuse_is_said_and_nothing_that_was_typed_is_lost(room: Room) -> None:
    room.core.bus.run(Report("hotline", COVER, "x", foreign_system="hotline", foreign_number="T-1"), SYSTEM)
    fill(room)
    room.press(Qt.Key.Key_N, ALT)
    room.write("T-1")
    room.file()
    assert "T-1 is here already" in room.dialog.trouble.text()
    assert room.dialog.isVisible()
    assert room.dialog.description.toPlainText() == "井盖破损"
    assert len(room.rows(case)) == 1


def test_coordinates_keep_their_pair_and_frame_and_the_address_is_the_nearest_name(room: Room) -> None:
    fill(room, "514000.5, 3883500")
    found = room.dialog.found["point"].text()
    assert "EPSG:4548" in found
    room.press(Qt.Key.Key_A, CONTROL)
    lon, lat = at(0, 40)
    room.write(f"{lat:.6f} {lon:.6f}")
    room.settle()
    room.press(Qt.Key.Key_Tab)
    assert room.focus is room.dialog.datum
    room.file()
    (row,) = room.rows(case)
    assert (row["datum"], row["original_x"], row["original_y"]) == (
        "WGS-84",
        pytest.approx(lon, abs=1e-6),
        pytest.approx(lat, abs=1e-6),
    )
    assert row["address"] == "龙泉路与荆河路口北40米"


def test_a_quick_hand_files_before_the_answers_are_there(room: Room) -> None:
    room.write("gsjg")
    room.settle()
    room.press(Qt.Key.Key_Tab)
    room.press(Qt.Key.Key_W, ALT)
    room.write("x")
    room.press(Qt.Key.Key_P, ALT)
    room.write("龙泉路与荆河路口北30米")
    room.file()
    (row,) = room.rows(case)
    assert metres_between((row["lon"], row["lat"]), at(0, 30)) < 1


def test_an_address_that_nobody_knows_is_filed_without_a_position(room: Room) -> None:
    fill(room, "某某村东头")
    room.file()
    (row,) = room.rows(case)
    assert (row["address"], row["lon"]) == ("某某村东头", None)


def test_a_name_is_picked_from_the_list_with_the_arrows(room: Room) -> None:
    fill(room, "龙泉")
    assert room.dialog.place.is_open
    names = [choice.text for choice in room.dialog.place.choices]
    assert names == ["龙泉路", "龙泉路与荆河路口"]
    room.press(Qt.Key.Key_Down)
    room.press(Qt.Key.Key_Return)
    room.settle()
    assert room.dialog.place.text() == "龙泉路与荆河路口"
    room.file()
    (row,) = room.rows(case)
    assert metres_between((row["lon"], row["lat"]), (LON, LAT)) < 1


def test_escape_closes_the_list_before_it_closes_the_window(room: Room) -> None:
    room.write("gsjg")
    room.settle()
    assert room.dialog.category.is_open
    room.press(Qt.Key.Key_Escape)
    assert not room.dialog.category.is_open
    assert room.dialog.isVisible()
    room.press(Qt.Key.Key_Escape)
    assert not room.dialog.isVisible()


def test_a_component_near_by_is_picked_and_gives_its_own_place(room: Room) -> None:
    fill(room)
    room.press(Qt.Key.Key_M, ALT)
    assert room.focus is room.dialog.components
    room.press(Qt.Key.Key_Down)
    room.press(Qt.Key.Key_Return)
    room.settle()
    room.file()
    (row,) = room.rows(case)
    assert row["component_id"] == 9
    assert metres_between((row["lon"], row["lat"]), at(52, 3)) < 1


def test_one_key_joins_the_report_to_the_case_that_is_there(room: Room) -> None:
    lon, lat = at(45, 0)
    first = room.core.bus.run(Report("collector", COVER, "井盖破损了", lon=lon, lat=lat), SYSTEM).result
    fill(room)
    assert room.dialog.twins_title.text() == "This may have been reported already:"
    assert "same category · 5 m away" in room.dialog.twin_rows[0][2].text()
    room.press(Qt.Key.Key_R, ALT)
    room.write("Li")
    room.press(Qt.Key.Key_1, ALT)
    room.settle()
    old, new = room.rows(case)
    assert (old["id"], old["state"]) == (first, "reported")
    assert (new["merged_into_id"], new["state"]) == (first, "merged")
    assert room.filed == [Filed(new["id"], new["number"], old["number"])]
    assert [row["case_id"] for row in room.rows(reporter)] == [new["id"]]


def test_a_report_stands_on_its_own_when_its_twin_ended_meanwhile(room: Room) -> None:
    first = room.core.bus.run(Report("collector", COVER, "井盖破损了", lon=LON, lat=LAT), SYSTEM).result
    fill(room, "龙泉路与荆河路口")
    room.core.bus.run(Reject((first,), "nothing there"), SYSTEM)
    room.press(Qt.Key.Key_1, ALT)
    room.settle()
    _old, new = room.rows(case)
    assert (new["merged_into_id"], new["state"]) == (None, "reported")
    assert room.filed == [Filed(new["id"], new["number"])]


def test_a_report_is_undone_with_all_that_belongs_to_it(room: Room) -> None:
    fill(room)
    room.press(Qt.Key.Key_T, ALT)
    room.write("13812345678")
    room.file()
    room.core.bus.undo(SYSTEM)
    assert room.rows(case) == room.rows(reporter) == []


def test_a_key_without_a_twin_does_nothing(room: Room) -> None:
    fill(room)
    room.press(Qt.Key.Key_1, ALT)
    room.settle()
    assert room.dialog.isVisible()
    assert room.rows(case) == []


def test_a_point_from_the_map_is_taken_like_typed_coordinates(room: Room) -> None:
    room.dialog.take_point(*at(100, 0))
    room.settle()
    assert room.dialog.found["community"].text() == "银钟社区"


def test_every_field_has_a_name_and_a_key_of_its_own(room: Room) -> None:
    dialog = room.dialog
    editors = [field.editor for field in dialog.fields.values()]
    assert all(editor.accessibleName() and "&" not in editor.accessibleName() for editor in editors)
    assert dialog.components.accessibleName() == "Components near it"
    titles = [each.text() for each in dialog.findChildren(QLabel) if each.buddy() is not None]
    titles.append(dialog.wants_answer.text())
    keys = [title[title.index("&") + 1].lower() for title in titles]
    assert len(keys) == len(editors) + 2
    assert len(set(keys)) == len(keys)


def test_their_number_is_asked_only_of_sources_that_have_one(room: Room) -> None:
    dialog = room.dialog
    for code, wanted in (("hotline", True), ("collector", False), ("upper", True), ("video", False)):
        dialog.source.setCurrentIndex(dialog.source.findData(code))
        assert dialog.foreign_number.isEnabled() is wanted


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-05-06 17:00", datetime(2026, 5, 6, 17, 0, tzinfo=ZONE)),
        ("05-06 17:00", datetime(2026, 5, 6, 17, 0, tzinfo=ZONE)),
        ("5/6 9:00", datetime(2026, 5, 6, 9, 0, tzinfo=ZONE)),
        ("17:00", datetime(2026, 4, 30, 17, 0, tzinfo=ZONE)),
        ("08:00", datetime(2026, 5, 1, 8, 0, tzinfo=ZONE)),
    ],
)
def test_a_moment_is_read_as_the_next_that_comes(text: str, expected: datetime) -> None:
    assert read_moment(text, NOW.astimezone(ZONE)) == expected


def test_on_new_years_eve_january_is_next_year() -> None:
    eve = datetime(2026, 12, 31, 12, 0, tzinfo=ZONE)
    assert read_moment("01-02 09:00", eve) == datetime(2027, 1, 2, 9, 0, tzinfo=ZONE)
    assert read_moment("soon", eve) is None


def test_the_desk_is_told_that_a_stall_is_allowed_here_at_this_hour(room: Room) -> None:
    ground = shapely.to_geojson(shapely.box(*at(-100, -100), *at(100, 100)))
    rule = PutTimeRule("早市", "09006", ground, 9 * 60, 11 * 60, True, "2026-01-01", name_en="Market")
    room.core.bus.run(rule, SYSTEM)
    room.write("占道经营")
    room.settle()
    room.press(Qt.Key.Key_Return)
    room.settle()
    room.dialog.place.setFocus()
    room.write("龙泉路与荆河路口")
    room.settle()
    assert room.dialog.hours.text() == "Allowed here until 11:00 (Market)."
    assert room.dialog.hours.isVisible()
