"""The pages of a room at a server as pictures: with what would lie there, told about cases that are there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from PySide6.QtWidgets import QWidget

from db.cases.queries import STATE_CODES
from db.kernel.refusal import Refused
from db.sync.standing import Line, Standing
from db.sync.tray import CaseSides, Contrast, Laid
from desktop.app.program import Program, copying_words
from desktop.app.session import Session
from desktop.app.trayed import tray_acts
from desktop.tray.stations import StationsWindow
from desktop.tray.window import TrayWindow
from desktop.tray.work import StationLine, TrayAct, TrayWork
from desktop.widgets.verbs import VERBS

SERVER_PAGES = ("signin-server", "offline", "tray", "stations")
MINUTE_MS = 60_000
_ADDRESS = "10.37.4.81/jingwei"
_MINE, _THEIRS, _NIGHT = "刘建国", "王敏", "陈静"


def signing_in(program: Program) -> QWidget:
    """The page of a first sign-in, with the first copy under way."""
    program.ask_server()
    page = program.server_page()
    page.address.setText(_ADDRESS)
    page.login.setText("wangmin")
    page.password.setText("········")
    page.form.send_button.setEnabled(False)
    page.show_progress(61_000, 100_000, copying_words("cases"))
    return page


def cut_off(session: Session) -> None:
    """The room since seven minutes without a line."""
    now = session.context.board.now_ms
    session.context.set_standing(
        Standing(
            Line.OFFLINE,
            since_ms=now - 7 * MINUTE_MS,
            waiting=3,
            parked=1,
            held_for=(_NIGHT,),
            skew_ms=2 * MINUTE_MS,
            heard_ms=now - 7 * MINUTE_MS,
        )
    )


def tray(session: Session) -> TrayWindow:
    """Two acts that were refused, and three that wait, one of them for somebody else."""
    cut_off(session)
    acts = _acts(session)
    work = TrayWork(lambda: acts, lambda _operation, _reason: None, lambda _act: asyncio.sleep(0))
    window = TrayWindow(session._theme, session.context, session._jobs, work, session.window)
    window.show()
    return window


def stations(session: Session) -> StationsWindow:
    """Four stations: one behind, one with a wrong clock, one gone since the afternoon."""
    now = session.context.board.now_ms
    lines = (
        _station(1, "ZHT-01", _MINE, now, is_here=True),
        _station(2, "ZHT-02", _THEIRS, now, waiting=2, skew_ms=2 * MINUTE_MS),
        _station(3, "ZHT-03", "李华", now, waiting=41, behind_ms=95_000),
        _station(5, "LQ-JIEDAO", _NIGHT, now - 200 * MINUTE_MS, waiting=1),
    )
    work = lambda: (lines, now)  # noqa: E731
    window = StationsWindow(
        session._theme, session.context, session._jobs, work, session.core.clock, session.window
    )
    window.show()
    return window


def _station(
    number: int,
    name: str,
    person: str,
    seen_ms: int,
    *,
    waiting: int = 0,
    skew_ms: int = 0,
    behind_ms: int = 0,
    is_here: bool = False,
) -> StationLine:
    return StationLine(number, name, person, "0.5", waiting, skew_ms, behind_ms, seen_ms, is_here)


def _acts(session: Session) -> Sequence[TrayAct]:
    context = session.context
    store, now = context.board.store, context.board.now_ms
    slots = np.flatnonzero(
        store.is_open[: store.size] & (store.state[: store.size] == STATE_CODES.index("handling"))
    )[:6].tolist()
    cases = [
        (int(store.id[slot]), str(store.number[slot]), store.address[slot], int(store.plain(slot)["unit_id"]))
        for slot in slots
    ]
    units = [each.id for each in context.board.directory.of("unit") if each.kind == "squad"]
    mine, theirs, others = units[0], units[1], units[2]

    def moved(
        operation: int, verb: str, text: str, count: int, minutes: int, *, refused: bool, who: str
    ) -> Laid:
        chosen, moment = cases[operation : operation + count], now - minutes * MINUTE_MS
        ids = tuple(case_id for case_id, *_rest in chosen)
        command = VERBS[verb].make(ids, {"unit": mine, "text": text})
        sides = tuple(
            CaseSides(
                case_id,
                number,
                address,
                (Contrast("unit_id", mine, theirs if refused else unit),)
                if verb == "reassign"
                else (
                    Contrast("state", "pending_check", "pending_handle"),
                    Contrast("unit_id", unit, others),
                ),
                _THEIRS if refused else "",
                "reassign" if refused else "",
                moment + 2 * MINUTE_MS if refused else 0,
            )
            for case_id, number, address, unit in chosen
        )
        why = Refused("changed_meanwhile", "It has changed since you looked.") if refused else None
        return Laid(
            operation,
            "parked" if refused else "waiting",
            type(command).label,
            command,
            {"reason": text, "note": text},
            context.who.account_id if who == _MINE else -1,
            who,
            moment,
            why,
            sides,
        )

    laid = [
        moved(0, "reassign", "中队今日人手不足，请协助处置", 2, 9, refused=True, who=_MINE),
        moved(2, "handle", "已更换井盖并复测", 1, 6, refused=True, who=_MINE),
        moved(3, "reassign", "属该队责任区", 1, 5, refused=False, who=_MINE),
        moved(4, "handle", "垃圾已清运", 1, 3, refused=False, who=_MINE),
        moved(5, "handle", "占道已劝离", 1, 2, refused=False, who=_NIGHT),
    ]
    return tray_acts(laid, context.board.directory, context.zone, context.who)
