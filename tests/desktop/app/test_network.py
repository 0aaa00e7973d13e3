"""Rooms at one server: what one does the other sees, also after a cut, and nobody ever waits for the line."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from sqlalchemy import select

from db.cases.commands.closing import Close
from db.cases.commands.dispatch import Reassign
from db.cases.queries import STATE_CODES
from db.engine.outbox import WAITING
from db.engine.tables import outbox
from db.sync import door
from desktop.casefile.window import CaseWindow
from desktop.tray.window import TrayWindow
from desktop.widgets.acting import ActDialog
from desktop.widgets.notice import Banner
from desktop.widgets.rows import drawn
from tests.desktop.city_server import DEADLINE_S, SOCKET, StationRoom, Turning, Wire, make_city_server
from tests.kit.postgres import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def city_server(postgres: PostgresServer) -> str:
    return make_city_server(postgres)


@pytest.fixture
def turning(application: QApplication) -> Iterator[Turning]:
    made = Turning(application)
    yield made
    made.close()


@pytest.fixture
def database(postgres: PostgresServer, city_server: str) -> Iterator[str]:
    name = postgres.create(city_server)
    yield name
    postgres.drop(name)


@pytest.fixture
def wire(postgres: PostgresServer) -> Iterator[Wire]:
    # A path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="jw-w-", dir="/tmp"))
    made = Wire(folder, postgres.folder / SOCKET)
    yield made
    made.close()
    shutil.rmtree(folder)


Sit = Callable[..., StationRoom]


@pytest.fixture
def sit(
    application: QApplication,
    turning: Turning,
    postgres: PostgresServer,
    database: str,
    wire: Wire,
    tmp_path: Path,
) -> Iterator[Sit]:
    """Sit down at a station of one's own; with ``wired`` its line can be cut."""
    rooms: list[StationRoom] = []

    def sit_down(computer: str, login: str, *, wired: bool = False) -> StationRoom:
        folder = tmp_path / computer
        folder.mkdir(exist_ok=True)
        host = wire.folder if wired else postgres.folder
        room = StationRoom(turning, application, f"postgresql:///{database}?host={host}", folder)
        rooms.append(room)
        if login:
            room.sign_in(login)
            room.until(lambda: room.part("line") == "Live" and room.part("waiting") == "")
        return room

    yield sit_down
    for room in rooms:
        room.close()


def cases_at(room: StationRoom, state: str) -> list[int]:
    store = room.session.context.board.store
    slots = np.flatnonzero(
        store.is_open[: store.size] & (store.state[: store.size] == STATE_CODES.index(state))
    )
    return sorted(store.id[slots].tolist())


def state_of(room: StationRoom, case_id: int) -> str:
    store = room.session.context.board.store
    slot = store.slot_of(case_id)
    return "" if slot is None else str(store.plain(slot)["state"])


def tray_of(room: StationRoom, *case_ids: int) -> TrayWindow:
    """The tray, once it shows the acts on these cases, one for each, and nothing else."""
    assert room.session.server is not None
    tray = room.session.server.show_tray()
    room.until(lambda: lies_in(tray) == sorted(case_ids))
    return tray


def lies_in(tray: TrayWindow) -> list[int]:
    """The cases of the acts that a tray shows and could decide on, now that it has read what there is."""
    current = tray.current()
    if tray.is_busy or current is None or not current.is_parked:
        return []
    return sorted(side.case_id for act in tray._acts.values() for side in act.sides)


def unit_of(room: StationRoom, case_id: int) -> int:
    store = room.session.context.board.store
    slot = store.slot_of(case_id)
    assert slot is not None
    return int(store.plain(slot)["unit_id"] or 0)


def is_sent(room: StationRoom) -> bool:
    """Whether the server has all that was done here; before it hears of an act the strip is empty, too."""
    with room.session.core.database.read() as connection:
        waits = connection.execute(select(outbox.c.id).where(outbox.c.state == WAITING)).first()
    return waits is None


def other_units(room: StationRoom, case_id: int) -> list[int]:
    own = unit_of(room, case_id)
    return [
        each.id for each in room.session.context.board.directory.of("unit") if each.active and each.id != own
    ]


def is_foreseen(dialog: ActDialog) -> bool:
    """Whether it shows what would come of what is chosen in it now."""
    return dialog.view.foresight is not None and not dialog._pause.isActive() and not dialog._is_looking


def test_an_act_in_one_room_is_in_the_queue_the_figures_and_the_map_of_the_other(sit: Sit) -> None:
    mine, theirs = sit("one", "zhiban"), sit("two", "shouli")
    case_id = cases_at(mine, "pending_close")[0]
    board, on_map = theirs.session.context.board, theirs.session.panes.map.map
    figures, picture = board.lens.total_open, on_map.generation
    mine.session.desk.do(Close((case_id,)))
    theirs.until(lambda: state_of(theirs, case_id) in ("closed", ""))
    assert board.lens.total_open == figures - 1
    assert theirs.session.panes.queue.rows.row_of(case_id) == -1
    theirs.until(lambda: on_map.generation > picture)
    mine.until(lambda: is_sent(mine) and mine.part("waiting") == "")
    assert mine.told == theirs.told == []


def test_both_go_on_working_while_one_is_cut_off_and_agree_when_the_line_is_back(
    sit: Sit, wire: Wire
) -> None:
    mine, theirs = sit("one", "zhiban", wired=True), sit("two", "paiqian")
    free, contested, *_rest = cases_at(mine, "handling")
    first, second = other_units(mine, contested)[:2]
    elsewhere = other_units(mine, free)[0]
    wire.cut()
    mine.until(lambda: mine.part("line").startswith("Offline since"))
    mine.session.desk.do(Reassign((free,), elsewhere, "too far away"))
    mine.until(lambda: mine.part("waiting") == "1 waiting")
    mine.session.desk.do(Reassign((contested,), first, "they know the place"))
    mine.until(lambda: mine.part("waiting") == "2 waiting")
    mine.until(lambda: unit_of(mine, contested) == first)
    theirs.session.desk.do(Reassign((contested,), second, "nearer"))
    theirs.until(lambda: unit_of(theirs, contested) == second and is_sent(theirs))
    wire.mend()
    mine.until(lambda: mine.part("line") == "Live")
    mine.until(lambda: mine.part("parked") == "1 to decide")
    # Who was quicker is right, on both screens; what nobody contested is there.
    mine.until(lambda: unit_of(mine, contested) == second)
    theirs.until(lambda: unit_of(theirs, free) == unit_of(mine, free) == elsewhere)
    name = theirs.session.context.who.name
    mine.until(lambda: any(name in words for words in mine.window._notices.notices()))
    act = tray_of(mine, contested).current()
    assert act is not None
    assert act.is_parked
    assert act.words == "they know the place"
    (side,) = act.sides
    assert (side.case_id, side.who) == (contested, name)
    directory = mine.session.context.board.directory
    told = {each.field: (each.mine, each.theirs) for each in side.differences}
    assert told["Unit"] == tuple(directory.label("unit", each, "en") for each in (first, second))


def test_what_was_refused_is_done_on_the_new_state_or_dropped_with_a_reason(sit: Sit, wire: Wire) -> None:
    mine, theirs = sit("one", "zhiban", wired=True), sit("two", "paiqian")
    again, gone, *_rest = cases_at(mine, "handling")
    wire.cut()
    mine.until(lambda: mine.part("line").startswith("Offline since"))
    first, second = (other_units(mine, each)[:2] for each in (again, gone))
    for case_id, units in ((again, first), (gone, second)):
        mine.session.desk.do(Reassign((case_id,), units[0], "here"))
        mine.until(lambda case_id=case_id, units=units: unit_of(mine, case_id) == units[0])
        theirs.session.desk.do(Reassign((case_id,), units[1], "there"))
        theirs.until(lambda case_id=case_id, units=units: unit_of(theirs, case_id) == units[1])
    theirs.until(lambda: is_sent(theirs))
    wire.mend()
    mine.until(lambda: mine.part("parked") == "2 to decide")
    # The new state, on which it is done again: the room shows it later than the strip its figure.
    mine.until(lambda: unit_of(mine, again) == first[1] and unit_of(mine, gone) == second[1])
    tray = tray_of(mine, again, gone)
    assert [side.case_id for side in tray.current().sides] == [again]  # type: ignore[union-attr]
    tray.again_button.click()
    theirs.until(lambda: unit_of(theirs, again) == first[0])
    # The strip says what is left before the tray has read it: until then the other act is in hand.
    mine.until(lambda: lies_in(tray) == [gone])
    tray.drop_button.click()
    assert tray._field.error() == "A reason is required."
    tray.reason.setText("theirs is better")
    tray.drop_button.click()
    mine.until(lambda: mine.part("parked") == mine.part("waiting") == "")
    mine.until(lambda: unit_of(mine, gone) == unit_of(theirs, gone) == second[1])
    mine.until(lambda: unit_of(mine, again) == first[0])


def test_the_words_of_a_refused_act_stand_in_its_dialog_again(sit: Sit, wire: Wire) -> None:
    mine, theirs = sit("one", "zhiban", wired=True), sit("two", "paiqian")
    case_id = cases_at(mine, "handling")[0]
    first, second, third = other_units(mine, case_id)[:3]
    wire.cut()
    mine.until(lambda: mine.part("line").startswith("Offline since"))
    mine.session.desk.do(Reassign((case_id,), first, "they know the place"))
    mine.until(lambda: unit_of(mine, case_id) == first)
    theirs.session.desk.do(Reassign((case_id,), second, "nearer"))
    theirs.until(lambda: unit_of(theirs, case_id) == second and is_sent(theirs))
    wire.mend()
    # On what the room shows by then it is decided anew.
    mine.until(lambda: mine.part("parked") == "1 to decide" and unit_of(mine, case_id) == second)
    tray = tray_of(mine, case_id)
    tray.edit_button.click()
    dialog = next(each for each in mine.window.findChildren(ActDialog) if each.isVisible())
    directory = mine.session.context.board.directory
    assert dialog.text.text() == "they know the place"
    assert dialog.unit.currentText().startswith(directory.label("unit", first, "en"))
    dialog.unit.setCurrentText(next(name for name, entry in dialog._units.items() if entry.id == third))
    mine.until(lambda: is_foreseen(dialog))
    dialog.form.sent.emit()
    mine.until(lambda: mine.part("parked") == "")
    theirs.until(lambda: unit_of(theirs, case_id) == third)


def test_somebody_who_was_here_before_signs_in_without_a_line_and_is_let_in_when_it_comes(
    sit: Sit, wire: Wire
) -> None:
    room = sit("one", "zhiban", wired=True)
    wire.cut()
    room.window.actions_["sign_out"].trigger()
    room.until(lambda: room.program.session is None and not room.program.jobs._tasks)
    room.send("paiqian")
    page = room.program.server_page()
    room.until(lambda: page.form.send_button.isEnabled() and bool(page.form.fields["password"].error()))
    assert "you have not signed in on this computer before" in page.form.fields["password"].error()
    room.send("zhiban", "not-the-one-1")
    room.until(lambda: page.form.fields["password"].error() == "Name or password is not right.")
    room.sign_in("zhiban")
    room.until(lambda: room.part("line").startswith("Offline since"))
    case_id = cases_at(room, "pending_close")[0]
    room.session.desk.do(Close((case_id,)))
    room.until(lambda: room.part("waiting") == "1 waiting")
    wire.mend()
    room.until(lambda: room.part("line") == "Live" and room.part("waiting") == "")


def test_what_only_the_server_can_decide_says_so_while_there_is_no_line(sit: Sit, wire: Wire) -> None:
    room = sit("one", "zhiban", wired=True)
    case_id = cases_at(room, "reported")[0]
    wire.cut()
    room.until(lambda: room.part("line").startswith("Offline since"))
    room.session.context.select(frozenset({case_id}))
    room.session.desk.claim()
    room.until(lambda: bool(room.told))
    assert room.told == [("unavailable", "This needs the server, and there is no line to it.")]


def test_the_gui_thread_asks_nothing_of_the_network_and_acts_at_once_while_the_server_hangs(
    sit: Sit, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The station never gives up: whatever waits for it would wait to the end of the test.
    monkeypatch.setattr(door, "PATIENCE_SECONDS", 3600.0)
    room = sit("one", "zhiban", wired=True)
    gui = threading.get_ident()
    trespasses: list[str] = []

    def watched(what: str, really: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if threading.get_ident() == gui or threading.current_thread().name.startswith("writer"):
                # Nor does whatever carries an act out: it would wait for the line.
                trespasses.append(what)
            return really(*args, **kwargs)

        return call

    for owner, name in (
        (psycopg.Connection, "connect"),
        (psycopg.Connection, "execute"),
        (psycopg.Connection, "commit"),
        (psycopg.Cursor, "execute"),
        (psycopg.Cursor, "executemany"),
        (socket.socket, "connect"),
        (socket.socket, "recv"),
        (socket.socket, "sendall"),
    ):
        monkeypatch.setattr(owner, name, watched(f"{owner.__name__}.{name}", getattr(owner, name)))
    wire.swallow()
    acts = cases_at(room, "pending_close")[:5]
    for case_id in acts:
        room.session.desk.do(Close((case_id,)))
        room.until(lambda case_id=case_id: state_of(room, case_id) in ("closed", ""))
    room.session.desk.claim_next()
    room.session.server.show_stations()  # type: ignore[union-attr]
    room.session.server.show_tray()  # type: ignore[union-attr]
    room.until(lambda: room.part("line").startswith(("Behind", "Offline")))
    room.until(lambda: room.part("waiting") == "5 waiting")
    room.window.actions_["sign_out"].trigger()
    assert trespasses == []
    wire.cut()


def test_the_stations_of_the_server_are_listed_with_who_sits_there(sit: Sit) -> None:
    mine, _theirs = sit("one", "zhiban"), sit("two", "paiqian")
    assert mine.session.server is not None
    shown = mine.session.server.show_stations()
    # It looks again by itself.
    mine.until(lambda: drawn(shown._model).count("● Live") == shown.table.model().rowCount() == 2)
    assert drawn(shown._model).count("this computer · ") == 1


def test_a_first_copy_that_was_stopped_goes_on_from_there(sit: Sit) -> None:
    room = sit("one", "")
    page = room.program.server_page()
    seen: list[str] = []
    stopped = threading.Event()

    def stop(_done: int, _total: int, words: str) -> None:
        seen.append(words)
        page.progress.cancelled.emit()
        stopped.set()

    def hold(_done: int, _total: int, _words: str) -> None:
        """On the thread that copies: it does not run ahead of the hand."""
        stopped.wait(DEADLINE_S)

    page._went_on.connect(stop, Qt.ConnectionType.QueuedConnection)
    page._went_on.connect(hold, Qt.ConnectionType.DirectConnection)
    room.send("zhiban")
    room.until(
        lambda: page.form.fields["password"].error() == "Stopped. The next time it goes on from there."
    )
    assert seen
    assert seen[0].startswith("First copy: ")
    assert room.program.session is None
    page._went_on.disconnect(stop)
    page._went_on.disconnect(hold)
    assert room.sign_in("zhiban").context.board.lens.count > 100
    assert not any(isinstance(each, QWidget) and each is page for each in QApplication.topLevelWidgets())


def test_older_cases_are_asked_of_the_server_and_shown_as_such(
    sit: Sit, wire: Wire, postgres: PostgresServer, database: str
) -> None:
    with psycopg.connect(f"host={postgres.folder} user=postgres dbname={database}") as server:
        found = server.execute("SELECT id, number FROM cases WHERE state = 'closed' ORDER BY id LIMIT 1")
        case_id, number = found.fetchone() or (0, "")
        server.execute("UPDATE cases SET closed_at = 1700000000000 WHERE id = %s", [case_id])
    room = sit("one", "zhiban", wired=True)
    search = room.session.show_search()
    search.field.setText(number)
    room.until(lambda: not search.is_busy and search.query.text == number)
    room.until(lambda: search.rows.row_count() == 0)
    search.older_button.click()
    room.until(lambda: not search.is_busy and search.rows.row_count() == 1)
    room.until(lambda: search.strip.count_text().endswith(", from the server"))
    room.session.context.opened.emit(case_id)
    room.until(lambda: any(each.isVisible() for each in room.window.findChildren(CaseWindow)))
    shown = next(each for each in room.window.findChildren(CaseWindow) if each.isVisible())
    room.until(lambda: not room.program.jobs._tasks)
    assert shown.file.details.number == number
    assert shown.findChild(Banner).text().startswith("From the server")
    shown.reject()
    wire.cut()
    room.until(lambda: room.part("line").startswith("Offline since"))
    room.session.context.opened.emit(case_id)
    room.until(lambda: bool(room.told))
    assert room.told == [("unavailable", "Older cases lie on the server, and there is no line to it.")]
