"""``jingwei due``: when is something due that begins then and has so much time, and how was it counted?"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.bootstrap import open_core
from db.calendars.explaining import Line, Why, explain
from db.calendars.limit_words import parse_limit, say_limit
from db.calendars.queries import day_names, load_calendar
from db.calendars.rules import WORKING_DAY_LABELS, Limit, LimitUnit, Window, WorkingCalendar, WorkingDay
from db.kernel.clock import from_ms, to_ms
from db.kernel.language import N_, _
from db.kernel.refusal import Refused
from db.kernel.text import one_line
from db.registers import reference

FIRST_YEAR, LAST_YEAR = 1990, 2100
_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\s*[t ]?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*"
    r"(z|[+-]\d{2}:?\d{2})?"
)
_WEEKDAYS = (
    N_("Mon"),  # zh: 周一
    N_("Tue"),  # zh: 周二
    N_("Wed"),  # zh: 周三
    N_("Thu"),  # zh: 周四
    N_("Fri"),  # zh: 周五
    N_("Sat"),  # zh: 周六
    N_("Sun"),  # zh: 周日
)
_WHY = {
    Why.COUNTED: "",
    Why.SWAP_DAY: N_("swap day"),  # zh: 调休上班
    Why.WEEKEND: N_("weekend"),  # zh: 周末
    Why.HOLIDAY: N_("holiday"),  # zh: 节假日
    Why.OUTSIDE: N_("outside working hours"),  # zh: 工作时段以外
}


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "due", help=_("tell when something is due, and how that was counted")
    )
    parser.add_argument("start", metavar="START", help=_("when the clock begins: “2026-04-30 17:00”"))
    parser.add_argument(
        "limit", metavar="LIMIT", nargs="+", help=_("how much time there is: “4 工作时”, “3 working days”")
    )
    parser.add_argument("--explain", action="store_true", help=_("list the hours that were counted"))
    parser.add_argument(
        "--rule",
        choices=[rule.value for rule in WorkingDay],
        default=None,
        help=_("what one working day is: 8 working hours, or the same time on the next working day"),
    )
    # Without --db it is the calendar that ships with the program, not that of whatever database there is.
    parser.add_argument("--db", metavar="URL", dest="calendar_of", default=None)
    parser.set_defaults(db="-")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Work it out and print it; the first line is the moment and nothing else."""
    limit = parse_limit(" ".join(arguments.limit))
    calendar, names = _calendar(arguments.calendar_of, arguments.rule and WorkingDay(arguments.rule))
    start = parse_moment(arguments.start, calendar.zone)
    due, soon = calendar.due(start, limit), calendar.soon(start, limit)
    lines = explain(calendar, start, due, limit.at_work, names) if arguments.explain else []
    if arguments.json:
        print(json.dumps(_facts(calendar, start, limit, due, soon, lines), ensure_ascii=False))
        return 0
    print(_shown(due, calendar.zone))
    if arguments.explain:
        _print_lines(calendar, start, limit, lines)
    return 0


def parse_moment(text: str, zone: ZoneInfo) -> int:
    """A moment as typed, in the city's zone unless it names another; milliseconds since 1970 UTC.

    Raises ``Refused("no_moment")``.
    """
    found = _MOMENT.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())
    try:
        if found is None:
            raise ValueError(text)
        *parts, offset = found.groups()
        local = datetime(*(int(part or 0) for part in parts), tzinfo=zone)  # type: ignore[misc, arg-type]
        if offset:
            local = datetime.fromisoformat(f"{local:%Y-%m-%dT%H:%M:%S}{offset.upper()}")
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValueError(text)
        return to_ms(local)
    except ValueError as error:
        raise Refused(
            "no_moment",
            N_("“{text}” is not a moment such as “2026-04-30 17:00”."),
            text=one_line(text, 40),
        ) from error


def shipped_calendar(rule: WorkingDay | None = None) -> WorkingCalendar:
    """The calendar of ``resources/reference``."""
    return WorkingCalendar(
        [row.year for row in reference.read_years()],
        {row.day: row.kind == "workday" for row in reference.read_days()},
        [
            Window(row.begins, row.ends, row.valid_from, row.valid_to, row.season_from, row.season_to)
            for row in reference.read_windows()
        ],
        working_days=[] if rule is None else [(date.min, rule)],
    )


def _calendar(url: str | None, rule: WorkingDay | None) -> tuple[WorkingCalendar, Mapping[date, str]]:
    if url is None:
        return shipped_calendar(rule), {row.day: row.name for row in reference.read_days()}
    core = open_core(url)
    try:
        with core.database.read() as connection:
            return load_calendar(connection, rule), day_names(connection)
    finally:
        core.close()


def _print_lines(calendar: WorkingCalendar, start: int, limit: Limit, lines: list[Line]) -> None:
    zone = calendar.zone
    words = _("{limit} from {start}").format(limit=say_limit(limit), start=_shown(start, zone))
    if limit.unit is LimitUnit.WORKING_DAY:
        # zh: {words}；1 工作日 = {rule}
        words = _("{words}; 1 working day = {rule}").format(
            words=words, rule=_(WORKING_DAY_LABELS[calendar.rule_at(start)])
        )
    print(words)
    for line in lines:
        day = f"{line.day}  {_(_WEEKDAYS[line.day.weekday()])}"
        why = _(_WHY[line.why])
        if line.name:
            why = f"{why} {line.name}"
        if line.ends_ms:
            times = f"{_clock(line.begins_ms, line.day, zone)}–{_clock(line.ends_ms, line.day, zone)}"
            print(f"{day}  {times}  {line.minutes:>6g}  {why}".rstrip())
        else:
            print(f"{day}  {'—':^11}  {0:>6}  {why}")
    print(_("{minutes} minutes in all").format(minutes=f"{sum(line.minutes for line in lines):g}"))


def _facts(
    calendar: WorkingCalendar, start: int, limit: Limit, due: int, soon: int, lines: list[Line]
) -> dict[str, Any]:
    zone = calendar.zone
    facts: dict[str, Any] = {
        "start": _iso(start, zone),
        "limit": {"amount": limit.amount, "unit": limit.unit.value},
        "rule": calendar.rule_at(start).value,
        "due": _iso(due, zone),
        "soon": _iso(soon, zone),
        "zone": zone.key,
    }
    if lines:
        facts["lines"] = [
            {
                "day": line.day.isoformat(),
                "from": _iso(line.begins_ms, zone) if line.ends_ms else None,
                "to": _iso(line.ends_ms, zone) if line.ends_ms else None,
                "minutes": line.minutes,
                "why": line.why.value,
                "name": line.name,
            }
            for line in lines
        ]
    return facts


def _shown(moment_ms: int, zone: ZoneInfo) -> str:
    moment = from_ms(moment_ms).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def _clock(moment_ms: int, day: date, zone: ZoneInfo) -> str:
    """The time of day; midnight at the end of a day is 24:00."""
    moment = from_ms(moment_ms).astimezone(zone)
    return "24:00" if moment.date() > day else f"{moment:%H:%M}"


def _iso(moment_ms: int, zone: ZoneInfo) -> str:
    return from_ms(moment_ms).astimezone(zone).isoformat(timespec="seconds")
