"""``jingwei server tend``: sees to what only time brings about, at a server where nobody sits."""

from __future__ import annotations

import argparse
import platform
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from db.bootstrap import Core
from db.engine import schema
from db.engine.bus import Bus
from db.engine.connections import open_database
from db.kernel.clock import CorrectedClock, SystemClock
from db.kernel.language import _, ngettext_
from db.kernel.program import program_version
from db.kernel.refusal import Trouble
from db.server.tending import alone, keep_house, last_turn, note_turn
from db.sync.skew import measure
from db.upkeep import keep_up

EVERY_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the word takes."""
    parser.add_argument(
        "--once", action="store_true", help=_("one turn, for cron; without it a turn each minute")
    )


def tend_once(address: str) -> int:
    """One turn; 1 when something in it failed. ``address`` is that of the owner of the tables."""
    with closing(_open(address)) as core, alone(core.database) as mine:
        if not mine:
            _say(_("Somebody else is tending this server."))
            return 0
        trouble = _take_turn(core)
    if trouble:
        _say(trouble)
    return 1 if trouble else 0


def tend(address: str, stopping: threading.Event | None = None) -> int:
    """Take a turn each minute until somebody says stop, and go on after a server that was away."""
    stopping = stopping or threading.Event()
    core: Core | None = None
    said = ""
    _say(_("Tending the server each minute; Ctrl+C or SIGTERM ends it."))
    with _until_stopped(stopping.set):
        while not stopping.is_set():
            try:
                # One for all turns: what was learned from history is kept.
                core = core or _open(address)
                schema.demand_same(core.database)
                trouble = _take_turn_if_due(core)
            except Trouble as told:
                trouble = told.text()
            if trouble and trouble != said:
                _say(trouble)
            said = trouble
            stopping.wait(EVERY_SECONDS)
    if core is not None:
        core.close()
    return 0


def _open(address: str) -> Core:
    """The server as it stands, by its own clock: whoever tends it never brings its tables to another step."""
    database = open_database(address, clock=CorrectedClock(SystemClock()))
    try:
        schema.demand_same(database)
        schema.load_station(database)
    except BaseException:
        database.close()
        raise
    return Core(database, Bus(database), database.clock)


def _take_turn_if_due(core: Core) -> str:
    """Two processes take turns at one server no more often than one would."""
    with alone(core.database) as mine:
        if not mine:
            return ""
        with core.database.read() as connection:
            turn = last_turn(connection)
        if turn.at_ms is not None and 0 <= turn.ago_ms < EVERY_SECONDS * 500:
            return ""
        return _take_turn(core)


def _take_turn(core: Core) -> str:
    """Do what is due and write down that it was done; what went wrong, or ""."""
    trouble = ""
    if isinstance(core.clock, CorrectedClock):
        with core.database.read() as connection:
            core.clock.ahead_ms = measure(connection, core.clock)
    try:
        done = keep_up(core.bus, core.clock.now())
    except Trouble as told:
        trouble = told.text()
    else:
        for count, words in (
            # zh: 到期恢复挂起案件 {count} 件
            (done.resumed, ngettext_("{count} case resumed", "{count} cases resumed", done.resumed)),
            # zh: 按推荐自动派遣 {count} 件
            (
                done.dispatched,
                ngettext_(
                    "{count} case dispatched as advised",
                    "{count} cases dispatched as advised",
                    done.dispatched,
                ),
            ),
            # zh: 清除过期轨迹点 {count} 个
            (
                done.erased,
                ngettext_("{count} old track point erased", "{count} old track points erased", done.erased),
            ),
        ):
            if count:
                _say(words.format(count=f"{count:,}"))
    try:
        keep_house(core.database)
    except Trouble as told:
        trouble = trouble or told.text()
    note_turn(core.database, platform.node() or "?", program_version(), trouble)
    return trouble


@contextmanager
def _until_stopped(stop: Callable[[], None]) -> Iterator[None]:
    """A signal ends the waiting, and a turn that is under way is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, lambda *_: stop()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _say(words: str) -> None:
    print(words, flush=True)
