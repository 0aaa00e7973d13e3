"""A session from first picture to last: acts and their undo, other processes, lost files, languages."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from db.cases.commands.closing import Close, PassCheck
from db.kernel.actor import SYSTEM
from db.kernel.language import set_language
from db.live.filters import Filter
from db.tiles.commands import AddTiles
from desktop.core.context import Freshness
from desktop.shell.commands import Commands
from desktop.wall.window import WallWindow
from tests.db.tiles.drawn import pmtiles, png
from tests.desktop.open_room import OpenRoom
from tests.kit.source import ROOT

OTHER = """
import sys, time
from db.bootstrap import open_core
from db.cases.commands.intake import Void
from db.people.commands import actor_of
core = open_core(sys.argv[1])
who = actor_of(core.database, "zhiban")
print("ready", flush=True)
for line in sys.stdin:
    core.bus.run(Void((int(line),), "elsewhere"), who)
    print(time.time(), flush=True)
core.close()
"""

Opened = Callable[..., OpenRoom]


@pytest.fixture
def opened(application: QApplication, city_url: str, tmp_path: Path) -> Iterator[Opened]:
    rooms: list[OpenRoom] = []

    def open_(**options: object) -> OpenRoom:
        made = OpenRoom(application, city_url, tmp_path, **options)  # type: ignore[arg-type]
        rooms.append(made)
        made.open()
        return made

    yield open_
    for room in rooms:
        room.close()
    set_language("en")


def first_of(room: OpenRoom, *states: str) -> int:
    room.session.context.set_filter(Filter(states=frozenset(states)))
    case_id = room.session.panes.queue.rows.id_at(0)
    room.session.context.set_filter(Filter())
    return case_id


def state_of(room: OpenRoom, case_id: int) -> str:
    store = room.session.context.board.store
    slot = store.slot_of(case_id)
    assert slot is not None
    return str(store.plain(slot)["state"])


def test_an_act_shows_by_itself_and_its_undo_too(opened: Opened) -> None:
    room = opened()
    case_id = first_of(room, "pending_check")
    room.session.panes.queue.bar.commanded.emit(PassCheck((case_id,)))
    room.until(lambda: state_of(room, case_id) == "pending_close")
    room.until(lambda: bool(room.window._notices.notices()))
    assert room.window._notices.notices() == ["Pass the check: 1"]
    room.window.acted.emit("undo")
    room.until(lambda: state_of(room, case_id) == "pending_check")
    room.until(lambda: "Undone: Pass the check" in room.window._notices.notices())
    assert room.told == []


def test_a_refusal_is_said_in_words_and_changes_nothing(opened: Opened) -> None:
    room = opened()
    case_id = first_of(room, "pending_check")
    room.session.panes.queue.bar.commanded.emit(Close((case_id,)))
    room.until(lambda: bool(room.told))
    ((kind, words),) = room.told
    assert kind == "refused"
    assert "is not possible while the case is at" in words
    assert state_of(room, case_id) == "pending_check"


def test_an_act_decided_on_what_somebody_has_changed_since_is_refused(opened: Opened) -> None:
    room = opened()
    case_id = first_of(room, "pending_check")
    store = room.session.context.board.store
    # What the eye saw is one change older than what stands in the database.
    store.version[store.slot_of(case_id)] -= 1
    room.session.panes.queue.bar.commanded.emit(PassCheck((case_id,)))
    room.until(lambda: bool(room.told))
    ((kind, words),) = room.told
    assert kind == "refused"
    assert "It has changed since you looked." in words
    assert state_of(room, case_id) == "pending_check"


@pytest.mark.speed
def test_what_another_process_writes_is_in_the_open_window_within_a_second(
    opened: Opened, city_url: str
) -> None:
    room = opened()
    case_id = first_of(room, "reported", "pending_register")
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, city_url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "ready"
        other.stdin.write(f"{case_id}\n")
        other.stdin.flush()
        room.until(lambda: state_of(room, case_id) == "void")
        seen = time.time()
        committed = float(other.stdout.readline())
        # 50 ms until the feed looks, 100 ms until the beat; the rest is for a busy machine.
        assert seen - committed < 1.0
        assert room.session.panes.queue.rows.row_of(case_id) == -1
    finally:
        other.communicate(timeout=120)


def test_a_file_taken_away_is_lost_and_dated_and_recovers_when_it_is_back(
    opened: Opened, city_url: str
) -> None:
    room = opened()
    file = Path(city_url.removeprefix("sqlite:///"))
    count = room.session.context.board.lens.count
    file.rename(file.with_suffix(".away"))
    room.until(lambda: room.session.context.age.state is Freshness.LOST)
    assert all(pane.is_stale() for pane in room.session.panes.by_id().values())
    assert "Database lost" in room.window.status.part("database").accessibleName()
    assert room.session.context.board.lens.count == count
    file.with_suffix(".away").rename(file)
    room.until(lambda: room.session.context.age.state is Freshness.LIVE)
    assert not any(pane.is_stale() for pane in room.session.panes.by_id().values())


def test_the_language_changes_with_everything_else_as_it_was(opened: Opened) -> None:
    room = opened()
    context = room.session.context
    context.set_filter(Filter(lights=frozenset({2})))
    chosen = room.session.panes.queue.rows.id_at(0)
    context.select(frozenset({chosen}))
    before = room.window
    room.window.actions_["language"].trigger()
    assert room.window is not before
    room.until(lambda: not any(widget is before for widget in QApplication.topLevelWidgets()))
    assert context.selection == {chosen}
    assert context.filter == Filter(lights=frozenset({2}))
    assert room.session.panes.queue.table.selected_ids() == {chosen}
    # Nobody of the old window listens any more: news, theme and filter reach the new one only.
    context.announce(context.board.tick(context.board.now_ms + 1000))
    room.window.actions_["theme"].trigger()
    room.window.actions_["theme"].trigger()
    context.set_filter(Filter())
    room.window.actions_["language"].trigger()
    assert room.told == []


def test_what_a_room_is_made_of_is_not_searched_for_garbage_while_it_stands(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[list[str]] = []
    monkeypatch.setattr(Commands, "warm", lambda _commands: learned.append(["what is read last"]))
    room = opened()
    room.until(lambda: bool(learned) and not room.session._jobs._tasks)
    assert gc.get_freeze_count() > 10_000
    assert not any(each is learned[0] for each in gc.get_objects())
    room.window.actions_["language"].trigger()
    assert gc.get_freeze_count() == 0
    room.until(lambda: gc.get_freeze_count() > 10_000)
    room.window.actions_["language"].trigger()
    room.window.actions_["sign_out"].trigger()
    assert gc.get_freeze_count() == 0


def test_the_next_person_signs_in_to_a_room_of_his_own(opened: Opened) -> None:
    room = opened()
    room.window.actions_["sign_out"].trigger()
    assert room.program.session is None
    page = room.program.sign_in_page()
    page.password.setText("jingwei-2026")
    page.login.setText("lingdao")
    page.form.sent.emit()
    room.until(lambda: room.program.session is not None)
    room.until(lambda: room.session.context.board.lens.count > 0)
    assert room.window.status.part("who", right=True).accessibleName() == "signed in: 赵传英"
    assert not room.window.actions_["import"].isEnabled()
    assert room.told == []


def test_a_wrong_password_is_told_and_a_locked_account_says_how_long(opened: Opened) -> None:
    room = opened()
    room.window.actions_["sign_out"].trigger()
    page = room.program.sign_in_page()
    said = []
    for _attempt in range(6):
        page.password.setText("wrong")
        page.form.sent.emit()
        room.until(lambda: page.form.send_button.isEnabled() and not page.password.text())
        said.append(page.form.fields["password"].error())
    assert said[:5] == ["Name or password is not right."] * 5
    assert said[5].startswith("Too many wrong passwords.")


def test_the_page_changes_theme_and_language_before_anybody_is_in(opened: Opened) -> None:
    room = opened()
    room.window.actions_["sign_out"].trigger()
    dark = room.theme.is_dark
    page = room.program.sign_in_page()
    page.login.setText("paiqian")
    page.theme_button.click()
    assert room.theme.is_dark != dark
    page.language_button.click()
    assert room.program.sign_in_page() is not page
    assert room.program.sign_in_page().login.text() == "paiqian"
    room.program.sign_in_page().language_button.click()
    room.program.sign_in_page().theme_button.click()


@pytest.mark.expects_log("unexpected error")
def test_a_bug_while_signing_in_is_said_on_the_page(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    room = opened()
    room.window.actions_["sign_out"].trigger()
    page = room.program.sign_in_page()

    async def broken(_login: str, _password: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(page, "_check_in", broken)
    page.password.setText("x")
    page.form.sent.emit()
    room.until(lambda: bool(page.form.fields["password"].error()))
    assert "Something went wrong" in page.form.fields["password"].error()


def test_the_wall_shows_the_same_cases_and_no_act(opened: Opened) -> None:
    room = opened(wall=True, size=(1920, 1080))
    assert isinstance(room.session.window, WallWindow)
    assert room.session.context.board.lens.count > 50
    assert room.session.window.findChildren(type(room.session.panes.queue.bar))[0].isHidden()


def test_tiles_registered_elsewhere_reach_the_wall_too(opened: Opened, tmp_path: Path) -> None:
    room = opened(wall=True, size=(1920, 1080))
    room.until(lambda: not room.program.jobs._tasks)
    path = pmtiles(tmp_path / "a", {(0, 0, 0): png((1, 2, 3))}, (100.0, 20.0, 120.0, 40.0))
    room.core.bus.run(AddTiles("p", str(path), "wgs84", 0, 0), SYSTEM)
    room.session._minute.timeout.emit()
    room.until(lambda: [each["name"] for each in room.session.panes.map.map._values["tiles"]] == ["p"])


def test_a_day_set_in_the_calendar_is_undone_like_any_act(opened: Opened) -> None:
    room = opened(login="guanli")
    room.window.status.part("calendar").pressed.emit()
    window = room.session._calendar
    assert window is not None
    room.until(lambda: not window.is_busy)
    day = next(each for each in (date(window.year, 8, d) for d in range(1, 29)) if each.weekday() == 2)
    window._on_day(day)
    assert window.asking is not None
    window.asking.form.send_button.click()
    room.until(lambda: window.page is not None and day in window.page.days)
    window.undo_button.click()
    room.until(lambda: window.page is not None and day not in window.page.days)
    room.window.actions_["calendar"].trigger()
    assert room.session._calendar is window
    room.until(lambda: not window.is_busy)
