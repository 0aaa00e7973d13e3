"""``jingwei demo create`` and ``jingwei demo traffic``: make the invented city, and let it live."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from db.bootstrap import open_core
from db.cli.main import data_folder
from db.demo.create import create_demo
from db.demo.traffic import Tally, Traffic
from db.kernel.language import N_, _
from db.kernel.refusal import Refused


def add(verbs: Any) -> None:
    """Declare the verb and its two parts. Without ``--db`` both mean the demo file, never the room's own."""
    home = os.environ.get("JINGWEI_DB") or f"sqlite:///{data_folder() / 'demo.db'}"
    parser: argparse.ArgumentParser = verbs.add_parser("demo", help=_("create the demo city, or let it live"))
    parts = parser.add_subparsers(dest="part", required=True)
    create = parts.add_parser("create", help=_("make a new database with the invented city"))
    create.add_argument("--scale", choices=("small", "city", "large"), default="city")
    create.add_argument("--seed", type=int, default=1)
    create.add_argument("--as-of", metavar="ISO", default=None, help=_("the moment that is now in the demo"))
    create.add_argument("--db", metavar="URL", default=home)
    create.add_argument("--json", action="store_true")
    traffic = parts.add_parser("traffic", help=_("let cases come, move on and close"))
    traffic.add_argument("--rate", type=_rate, default=2.0, help=_("changes a second"))
    traffic.add_argument("--seconds", type=float, default=None)
    traffic.add_argument(
        "--every",
        type=float,
        default=1.0,
        help=_("seconds from one place of a person or vehicle to the next"),
    )
    traffic.add_argument("--seed", type=int, default=1)
    traffic.add_argument("--db", metavar="URL", default=home)
    traffic.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the two; the exit code."""
    return _create(arguments) if arguments.part == "create" else _traffic(arguments)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 10_000:
        raise argparse.ArgumentTypeError(_("between 0 and 10,000"))
    return rate


def _create(arguments: argparse.Namespace) -> int:
    as_of = _moment(arguments.as_of) if arguments.as_of else None
    stop = threading.Event()
    shown = _Line(sys.stderr.isatty() and not arguments.json)
    began = time.monotonic()

    def progress(done: int, total: int, label: str) -> bool:
        shown.show(_("{what} … {percent} %").format(what=_(label), percent=100 * done // max(total, 1)))
        return not stop.is_set()

    with _interrupted(stop):
        try:
            made = create_demo(
                arguments.db, scale=arguments.scale, seed=arguments.seed, as_of=as_of, progress=progress
            )
        finally:
            shown.clear()
    seconds = round(time.monotonic() - began, 2)
    if arguments.json:
        print(
            json.dumps(
                {"scale": arguments.scale, "seed": arguments.seed, "seconds": seconds, "rows": made.rows}
            )
        )
    else:
        print(
            _("The demo city stands: {cases} cases, {components} components, {seconds} s.").format(
                cases=f"{made.rows.get('cases', 0):,}",
                components=f"{made.rows.get('component', 0):,}",
                seconds=seconds,
            )
        )
    return 0


def _traffic(arguments: argparse.Namespace) -> int:
    stop = threading.Event()
    shown = _Line(sys.stderr.isatty() and not arguments.json)
    core = open_core(arguments.db)
    try:
        traffic = Traffic(core, arguments.seed)

        def heard(tally: Tally) -> None:
            shown.show(
                _("{changes} changes, {seconds} s").format(
                    changes=f"{tally.changes:,}", seconds=round(tally.seconds)
                )
            )

        with _interrupted(stop):
            tally = traffic.run(arguments.rate, arguments.seconds, stop, heard, max(0.1, arguments.every))
    finally:
        shown.clear()
        core.close()
    facts = {
        "changes": tally.changes,
        "seconds": round(tally.seconds, 2),
        "by_verb": dict(sorted(tally.by_verb.items())),
        "refused": tally.refused,
        "busy": tally.busy,
        "positions": tally.positions,
    }
    if arguments.json:
        print(json.dumps(facts))
    else:
        print(
            _(
                "{changes} changes in {seconds} s; refused {refused}, busy {busy}, positions {positions}."
            ).format(
                changes=f"{tally.changes:,}",
                seconds=round(tally.seconds, 1),
                refused=tally.refused,
                busy=tally.busy,
                positions=f"{tally.positions:,}",
            )
        )
    return 0


def _moment(text: str) -> datetime:
    """An ISO moment; without a zone it is the computer's own."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            "not_a_moment", N_("“{text}” is not a moment; write 2026-09-18T10:30."), text=text
        ) from None
    return moment.astimezone(UTC)


class _interrupted:  # noqa: N801  reads as a clause: with _interrupted(stop)
    """Ctrl+C sets an event instead of breaking off wherever the program happens to be; a second one breaks
    off.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)

    def __exit__(self, *_exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt
        self._stop.set()


class _Line:
    """One line on standard error that is written over, at most ten times a second."""

    def __init__(self, visible: bool) -> None:
        self._visible = visible
        self._last = 0.0
        self._width = 0

    def show(self, text: str) -> None:
        if self._visible and time.monotonic() - self._last > 0.1:
            self._last = time.monotonic()
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = max(self._width, len(text))

    def clear(self) -> None:
        if self._visible and self._width:
            sys.stderr.write("\r" + " " * self._width * 2 + "\r")
            sys.stderr.flush()
