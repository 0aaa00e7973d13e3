"""Every window and dialog there is, opened over a room: who adds one adds a line, and it is walked too."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from db.live.filters import Filter
from desktop.app.shot_server import stations, tray
from desktop.core.trouble import Kind
from desktop.exchange.dialog import ImportDialog
from desktop.queue.kept import KeepDialog, KeptSheet
from desktop.signin.page import SignInPage
from desktop.signin.server import ServerPage
from desktop.widgets.acting import VERBS, ActDialog
from tests.desktop.open_room import OpenRoom

Opening = Callable[[OpenRoom], QWidget]


def _busy_room(room: OpenRoom) -> QWidget:
    """Cases selected, filters on, a notice up: all that comes and goes is there."""
    context = room.session.context
    context.set_filter(Filter(lights=frozenset({0, 2}), text="路"))
    context.select(frozenset({room.session.panes.queue.rows.id_at(0)}))
    room.window.tell(Kind.DONE, "Reassigned: 3", "Undo", "undo", "Ctrl Z")
    return room.window


def _act(verb: str) -> Opening:
    def opened(room: OpenRoom) -> QWidget:
        ids = (room.session.panes.queue.rows.id_at(0),)
        room.session.panes.queue.bar.ask(verb, ids)
        dialogs = [each for each in room.window.findChildren(ActDialog) if each.isVisible()]
        return dialogs[-1]

    return opened


def _case(room: OpenRoom) -> QWidget:
    case_id = room.session.panes.queue.rows.id_at(0)
    room.session.context.opened.emit(case_id)
    room.until(lambda: case_id in room.session._cases)
    return room.session._cases[case_id]


def _import(room: OpenRoom) -> QWidget:
    room.session._on_import()
    return next(each for each in room.window.findChildren(ImportDialog) if each.isVisible())


def _nobody(*_given: str) -> None:
    """Lets nobody in."""


def _sign_in(room: OpenRoom) -> QWidget:
    page = SignInPage(room.theme, room.program.jobs, _nobody, city="滕州市")
    page.show()
    return page


def _sign_in_at_server(room: OpenRoom) -> QWidget:
    page = ServerPage(room.theme, room.program.jobs, _nobody, _nobody, address="10.1.2.3")
    page.show_progress(20_000, 100_000, "First copy: Cases")
    page.show()
    return page


def _tray(room: OpenRoom) -> QWidget:
    window = tray(room.session)
    room.until(lambda: not window.is_busy)
    return window


def _stations(room: OpenRoom) -> QWidget:
    window = stations(room.session)
    room.until(lambda: not window.is_busy)
    return window


def _kept(room: OpenRoom) -> QWidget:
    room.session.desk.show_kept()
    return _awaited(room, KeptSheet)


def _keep(room: OpenRoom) -> QWidget:
    room.session.desk.keep_filter()
    return _awaited(room, KeepDialog)


def _awaited(room: OpenRoom, kind: type[QWidget]) -> QWidget:
    """The dialog of a kind, once it has come."""
    room.until(lambda: any(each.isVisible() for each in room.window.findChildren(kind)))
    return next(each for each in room.window.findChildren(kind) if each.isVisible())


def _account(asks: str) -> Opening:
    def opened(room: OpenRoom) -> QWidget:
        window = room.session.show_accounts()
        room.until(lambda: not window.is_busy and window.current() is not None)
        # Whoever is signed in may only look.
        window._may_change = True
        window._enable()
        getattr(window, f"{asks}_button").click()
        assert window.asking is not None
        window.asking.finished.connect(window.hide)
        return window.asking

    return opened


def _palette(room: OpenRoom) -> QWidget:
    return room.window.open_palette("派 1")


WINDOWS: dict[str, Opening] = {
    "room": lambda room: room.window,
    "busy room": _busy_room,
    "palette": _palette,
    "keys": lambda room: room.session.show_keys(),
    "kept": _kept,
    "keep": _keep,
    "duties": lambda room: room.session.show_duties(),
    "own password": lambda room: room.session.show_own_password(is_first=True),
    "accounts": lambda room: room.session.show_accounts(),
    **{f"accounts: {asks}": _account(asks) for asks in ("roles", "scope", "password", "new")},
    "intake": lambda room: room.session.show_intake(),
    "search": lambda room: room.session.show_search(),
    "calendar": lambda room: room.session.show_calendar(),
    "case": _case,
    "import": _import,
    "export of map data": lambda room: room.session.show_export(),
    "sign in": _sign_in,
    "sign in at a server": _sign_in_at_server,
    "tray": _tray,
    "stations": _stations,
    **{f"act: {key}": _act(key) for key, verb in VERBS.items() if verb.asks and not verb.alone},
}
