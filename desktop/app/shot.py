"""``jingwei shot``: a picture of a page, taken once everything on it is drawn."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from qasync import QEventLoop

from db.cases.queries import STATE_CODES
from db.exchange.geography.exporting import export_geography
from db.exchange.geography.fields import register_of
from db.kernel.actor import Actor
from db.kernel.language import N_, _, language
from db.kernel.refusal import Refused, Unavailable
from db.live.filters import Filter
from db.people.commands import actor_of
from db.people.queries import accounts
from desktop.app.program import NOBODY, Options, Program, make_application
from desktop.app.session import Session
from desktop.app.shot_map import ZOOMS, stage
from desktop.app.shot_server import SERVER_PAGES, cut_off, signing_in, stations, tray
from desktop.calendars.window import CalendarWindow
from desktop.core import logs
from desktop.core.preferences import passing
from desktop.duties.summary import Line
from desktop.duties.window import DutyWindow
from desktop.exchange.geography import GeographyDialog
from desktop.intake.dialog import IntakeDialog
from desktop.search.window import SearchWindow
from desktop.shell.window import Window
from desktop.tray.stations import StationsWindow
from desktop.tray.window import TrayWindow
from desktop.widgets.acting import ActDialog
from desktop.widgets.theme import Theme

PAGES = (
    "room",
    "signin",
    "wall",
    "intake",
    "search",
    "case",
    "calendar",
    "duties",
    "accounts",
    "scope",
    "geography",
    "board",
    "reassign",
    "palette",
    "sentence",
    "keys",
    "areas",
    "lasso",
    "hours",
    *ZOOMS,
    *SERVER_PAGES,
)
PATIENCE_S = 60.0
SETTLE_MS = 350
"""Time for the last repaint of charts and of the page's compositor after the data is there."""


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser("shot", help=_("write a picture of a page"))
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--page", choices=PAGES, default="room")
    parser.add_argument("--size", default="1920x1080", metavar="WxH")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--db", metavar="URL", default=None)
    parser.add_argument(
        "--user", metavar="NAME", default=None, help=_("whose room; by default the duty leader's")
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw and write; raises ``Trouble``."""
    # A picture never needs a screen, and never opens a window on one.
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    logs.start(None, verbose=False)
    size = parsed_size(arguments.size)
    preferences = passing()
    options = Options(arguments.db, lang=language(), theme=arguments.theme)
    app, theme = make_application(options, preferences, scale=Theme.scale_for(size))
    program = Program(options, preferences, theme)
    program.open()
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)
    try:
        with loop:
            image = loop.run_until_complete(_take(program, arguments.page, arguments.user, size))
            program.close()
    finally:
        if program.core is not None:
            program.core.close()
    write(image, arguments.out)
    print(arguments.out)
    return 0


def parsed_size(text: str) -> QSize:
    """``1920x1080`` as a size; raises ``Refused``."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.isdigit() and 200 <= int(part) <= 16_000 for part in parts):
        raise Refused("bad_size", N_("“{text}” is no size; write for example 1920x1080."), text=text)
    return QSize(int(parts[0]), int(parts[1]))


def duty_officer(program: Program, login: str | None) -> Actor:
    """The account named, or the first duty leader's, or the first there is; raises ``Refused``."""
    assert program.core is not None
    database = program.core.database
    if login is None:
        with database.read() as connection:
            known = accounts(connection)
        if not known:
            # Nobody's room: everything is shown and nothing can be done.
            return NOBODY
        login = next((each.login for each in known if each.post == "duty_leader"), known[0].login)
    return actor_of(database, login)


async def _take(program: Program, page: str, login: str | None, size: QSize) -> QImage:
    if page == "signin":
        program.ask()
        window: QWidget = program.sign_in_page()
        window.resize(size)
    elif page == "signin-server":
        window = signing_in(program)
        window.resize(size)
    else:
        session = program.enter(duty_officer(program, login), wall=page == "wall")
        window = session.window
        # The wall comes full screen; a picture has the size that was asked for.
        window.showNormal()
        window.resize(size)
        drawn = asyncio.Event()
        session.drawn.connect(drawn.set)
        try:
            await asyncio.wait_for(drawn.wait(), PATIENCE_S)
        except TimeoutError:
            raise Unavailable(
                "not_drawn", N_("The page was not drawn within {seconds} s."), seconds=int(PATIENCE_S)
            ) from None
        if page == "search":
            window = await _search(session, size)
        if page == "intake":
            window = await _intake(session, size)
        if page == "calendar":
            window = session.show_calendar()
            window.resize(size)
            await _answered(window)
        if page == "geography":
            window = await _geography(session, size)
        if page == "duties":
            window = await _duties(session, size)
        if page in ("accounts", "scope"):
            window = await _accounts(session, size, page)
        if page == "case":
            window = await _case(session, size)
        if page in ("palette", "sentence") and isinstance(window, Window):
            window.open_palette("" if page == "palette" else _sentence(session))
        if page == "keys":
            window = session.show_keys()
            window.resize(size)
        if page in ("areas", "lasso", "hours"):
            await _map_with(session, page)
        if page in ZOOMS:
            await stage(session, page)
        if page == "offline":
            cut_off(session)
        if page in ("tray", "stations"):
            window = tray(session) if page == "tray" else stations(session)
            window.resize(size)
            await _answered(window)
        if page == "board":
            _board(session)
        if page == "reassign":
            window = await _reassign(session)
    await asyncio.sleep(SETTLE_MS / 1000)
    return picture(window)


async def _map_with(session: Session, page: str) -> None:
    """The map alone: areas in colours, a shape half drawn, or what is allowed at half past seven."""
    pane = session.panes.map
    drawn: list[int] = []
    pane.drawn.connect(drawn.append)
    pane.maximized.emit(True)
    if page == "areas":
        pane.shading.show("open_per_km2")
        pane.shading.set_level("community")
        pane.shading.step(1)
    elif page == "lasso" and (view := pane.map.view()) is not None:
        ring = [(-0.02, -0.008), (0.012, -0.012), (0.02, 0.006), (-0.004, 0.012)]
        pane.tools.take("lasso", points=[(view.lon + east, view.lat + north) for east, north in ring])
    elif page == "hours":
        await session.maps.show_hours()
        pane.hours.go_to(7 * 60 + 30)
    async with asyncio.timeout(PATIENCE_S):
        while not drawn or drawn[-1] < pane.map.generation:
            await asyncio.sleep(SETTLE_MS / 1000)
    # The page learns of its new width a little after the pane.
    await asyncio.sleep(3 * SETTLE_MS / 1000)


def _sentence(session: Session) -> str:
    """An order as somebody types it, for the case that has waited longest to be dispatched."""
    board = session.context.board
    board.set_filter(Filter(states=frozenset({"pending_dispatch"})))
    lens = board.lens
    end = board.store.number[int(lens.rows[0])][-3:] if lens.count else "37"
    board.set_filter(Filter())
    unit = next((each for each in board.directory.of("unit") if each.kind == "squad"), None)
    return f"派 {end} {unit.name if unit is not None else ''}"


async def _case(session: Session, size: QSize) -> QWidget:
    """The case that stands first in the queue; the room itself when there is none."""
    lens = session.context.board.lens
    window = await session.show_case(lens.id_at(0)) if lens.count else None
    if window is None:
        return session.window
    window.resize(size)
    return window


def _board(session: Session) -> None:
    """The units beside the queue, with a dozen cases selected and the keyboard on one unit."""
    board, panes = session.context.board, session.panes
    handled = np.flatnonzero((board.store.unit[board.lens.rows] > 0) & board.store.runs[board.lens.rows])[:12]
    session.context.select(frozenset(board.store.id[board.lens.rows[handled]].tolist()))
    session.window.room.call("board", True)  # type: ignore[union-attr]
    panes.board.stand_on(panes.board.rows.units()[1])


async def _reassign(session: Session) -> QWidget:
    """The dialog with forty cases in hand and three that were handed back already: those stay."""
    board, panes = session.context.board, session.panes
    rows = board.lens.rows
    waiting = np.flatnonzero(board.store.state[rows] == STATE_CODES.index("pending_check"))[:3]
    handled = np.flatnonzero((board.store.unit[rows] > 0) & board.store.runs[rows])[:37]
    chosen = board.store.id[rows[np.concatenate([handled, waiting])]]
    session.context.select(frozenset(chosen.tolist()))
    units = [entry.id for entry in board.directory.of("unit") if entry.active]
    panes.queue.bar.ask("reassign", given={"unit": units[3], "text": "中队今日人手不足，请协助处置"})
    dialog = next(each for each in session.window.findChildren(ActDialog) if each.isVisible())
    async with asyncio.timeout(PATIENCE_S):
        while dialog.view.foresight is None:
            await asyncio.sleep(SETTLE_MS / 1000)
    return dialog


async def _duties(session: Session, size: QSize) -> QWidget:
    """The list of duties with a class unfolded, one district opened, and a community chosen to be painted."""
    window = session.show_duties()
    window.resize(size)
    await _answered(window)
    areas = [each for each in window.matrix.columns if each.kind == "district"]
    if areas:
        window.matrix.show_place(Line("matter", "09003"), areas[0].id)
        window.matrix.fold_column(opened=True)
        window.proof.setChecked(True)
        window.level.setCurrentIndex(window.level.findData("community"))
        window.unit.setCurrentIndex(min(3, window.unit.count() - 1))
        window.map.choose([each.id for each in window.matrix.columns if each.kind == "community"][:2])
    await _answered(window)
    return window


async def _accounts(session: Session, size: QSize, page: str) -> QWidget:
    """The accounts, or where the first of them that is bound to a unit may act."""
    window = session.show_accounts()
    window.resize(size)
    await _answered(window)
    bound = [each.id for each in window.book.accounts if each.units] if window.book else []
    window.table.select(set(bound[:1]))
    if page == "scope":
        window.scope_button.click()
        return window.asking or window
    return window


async def _geography(session: Session, size: QSize) -> QWidget:
    """The import of map data with a file of the register's own places, some of them changed or spoilt."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sensitive.geojson"
        with session.core.database.read() as connection:
            export_geography(connection, register_of("sensitive"), file)
        document = json.loads(file.read_text("utf-8"))
        features = document["features"]
        features[0]["properties"]["visits"] = 6
        features[1]["properties"]["kind"] = "网吧"
        features[2]["geometry"]["coordinates"] = [121.47, 31.23]
        features[3]["properties"] |= {"code": "", "name": "书院街小学东校区"}
        file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        dialog = session.show_geography()
        dialog.resize(size)
        dialog.choose(file, "sensitive")
        await _answered(dialog)
    return dialog


async def _intake(session: Session, size: QSize) -> QWidget:
    """The intake with a report half taken down: that of an open case, as a second caller makes it."""
    dialog = session.show_intake()
    dialog.resize(size)
    store = session.context.board.store
    placed = np.flatnonzero(store.is_open[: store.size] & ~np.isnan(store.lon[: store.size]))
    if placed.size:
        newest = store.plain(int(placed[store.reported_at[placed].argmax()]))
        name = store.directory.label("category", newest["category_id"], "zh_CN")
        for field, words in ((dialog.category, name), (dialog.place, newest["address"])):
            field.setFocus()
            field.setText(words)
            field.typed.emit(words)
            await _answered(dialog)
            if field.is_open:
                field.take(0)
        dialog.description.setFocus()
        await _answered(dialog)
    return dialog


async def _answered(
    window: IntakeDialog
    | SearchWindow
    | CalendarWindow
    | DutyWindow
    | GeographyDialog
    | TrayWindow
    | StationsWindow,
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.sleep(SETTLE_MS / 1000)
        while window.is_busy:
            await asyncio.sleep(SETTLE_MS / 1000)


async def _search(session: Session, size: QSize) -> QWidget:
    """The search window with something found."""
    window = session.show_search()
    window.resize(size)
    window.field.setText("井盖")
    await _answered(window)
    return window


def picture(window: QWidget) -> QImage:
    """What a window shows, as an image of its own size."""
    image = QImage(window.size() * window.devicePixelRatioF(), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(window.devicePixelRatioF())
    painter = QPainter(image)
    window.render(painter, QPoint())
    painter.end()
    return image


def write(image: QImage, path: Path) -> None:
    """Write a PNG; raises ``Unavailable`` when it cannot be."""
    if not image.save(str(path), "PNG"):
        raise Unavailable("cannot_write", N_("{path} cannot be written."), path=path)
