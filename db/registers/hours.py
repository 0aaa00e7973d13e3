"""What is allowed where and when: a stall is legal at 07:30 and a case at 08:40 (DOMAIN 6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import shapely
from sqlalchemy import Connection, func, or_, select

from db.engine import settings
from db.engine.bus import handles
from db.engine.unit_of_work import UnitOfWork
from db.kernel.command import Reach, command
from db.kernel.language import N_, _, language
from db.kernel.refusal import Refused, refuse_all
from db.kernel.text import one_line
from db.registers.commands import read_outline
from db.registers.tables import category, time_rule

DAY = 24 * 60
LAST_MINUTE = 2 * DAY
EVERY_DAY = "1111111"


@dataclass(frozen=True)
class Rule:
    """One rule: in this outline, for classes that begin with ``prefix``, between these minutes of these days.

    ``weekdays`` are Monday to Sunday, each 1 or 0. ``to_minute`` may lie after midnight (up to 2880); such
    hours belong to the day on which they began.
    """

    id: int
    name: str
    name_en: str
    prefix: str
    outline: shapely.Geometry = field(repr=False)
    weekdays: str
    from_minute: int
    to_minute: int
    allowed: bool
    valid_from: date
    valid_to: date | None

    def holds_until(self, local: datetime) -> datetime | None:
        """Until when it holds that holds at a moment (in the city's zone); ``None`` when it does not hold."""
        minute = local.hour * 60 + local.minute
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if self._counts_on(day) and self.from_minute <= minute + back * DAY < self.to_minute:
                midnight = datetime(day.year, day.month, day.day, tzinfo=local.tzinfo)
                return midnight + timedelta(minutes=self.to_minute)
        return None

    def _counts_on(self, day: date) -> bool:
        within = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        return within and self.weekdays[day.weekday()] == "1"


@command("registers.put_rule", permission="registers.edit", label=N_("Put time rule"), reach=Reach.SERVER)
@dataclass(frozen=True)
class PutTimeRule:
    """Add a rule, or change the one with this id.

    The outline is GeoJSON text of a polygon in WGS-84 degrees, days are ISO dates.
    """

    name: str
    prefix: str
    outline: str
    from_minute: int
    to_minute: int
    allowed: bool
    valid_from: str
    valid_to: str | None = None
    weekdays: str = EVERY_DAY
    name_en: str = ""
    rule_id: int | None = None


@command("registers.end_rule", permission="registers.edit", label=N_("End time rule"), reach=Reach.SERVER)
@dataclass(frozen=True)
class EndTimeRule:
    """The rule holds up to and on this day (ISO date), and no longer."""

    rule_id: int
    valid_to: str


def rules(connection: Connection, on: date | None = None) -> list[Rule]:
    """All rules, or those in force on a day, by the minute at which they begin."""
    r = time_rule.c
    query = select(
        r.id, r.name, r.name_en, r.prefix, r.outline, r.weekdays, r.from_minute, r.to_minute, r.allowed,
        r.valid_from, r.valid_to,
    )  # fmt: skip
    if on is not None:
        # Yesterday's night market may still be open.
        query = query.where(
            r.valid_from <= on, or_(r.valid_to.is_(None), r.valid_to >= on - timedelta(days=1))
        )
    rows = connection.execute(query.order_by(r.from_minute, r.id)).all()
    outlines = shapely.from_wkb([row.outline for row in rows])
    return [
        Rule(*row[:4], outline, *row[5:8], bool(row.allowed), row.valid_from, row.valid_to)
        for row, outline in zip(rows, outlines, strict=True)
    ]


def rules_at(connection: Connection, at: datetime) -> list[Rule]:
    """The rules that hold at a moment: the layer of the map."""
    local = at.astimezone(settings.zone_of(connection))
    return [rule for rule in rules(connection, local.date()) if rule.holds_until(local) is not None]


def allowed_at(connection: Connection, lon: float, lat: float, prefix: str, at: datetime) -> list[Rule]:
    """The rules that hold at a place and moment for a class; those that forbid come first.

    ``prefix`` is the code of the class: a rule counts when that begins with the rule's own.
    """
    found = [
        rule
        for rule in rules_at(connection, at)
        if prefix.startswith(rule.prefix) and shapely.intersects_xy(rule.outline, lon, lat)
    ]
    return sorted(found, key=lambda rule: rule.allowed)


def hint(connection: Connection, lon: float, lat: float, category_id: int, at: datetime) -> str:
    """What the rules say of a report of a class here and now, as a sentence; "" when they are silent."""
    older, newer = category.alias(), category.alias()
    # Rules bear codes of the newer list; a class of the older one is asked about by what it became.
    code = connection.execute(
        select(func.coalesce(newer.c.code, older.c.code))
        .join_from(older, newer, newer.c.id == older.c.successor_id, isouter=True)
        .where(older.c.id == category_id)
    ).scalar()
    found = allowed_at(connection, lon, lat, code, at) if code else []
    if not found:
        return ""
    rule = found[0]
    until = rule.holds_until(at.astimezone(settings.zone_of(connection)))
    # zh: 此处 {until} 前允许（{rule}）
    allowed = _("Allowed here until {until} ({rule}).")
    # zh: 此处 {until} 前禁止（{rule}）
    forbidden = _("Forbidden here until {until} ({rule}).")
    name = rule.name if language() == "zh_CN" else rule.name_en or rule.name
    return (allowed if rule.allowed else forbidden).format(until=f"{until:%H:%M}", rule=name)


def rule_faults(command: PutTimeRule) -> list[Refused]:
    """Everything that is wrong with a rule but its outline."""
    faults = []
    if not command.name.strip():
        faults.append(Refused("name_missing", N_("A name is needed.")))
    if not command.prefix.isdigit():
        faults.append(Refused("bad_prefix", N_("Write the first digits of the code of a class.")))
    if len(command.weekdays) != 7 or set(command.weekdays) - {"0", "1"} or "1" not in command.weekdays:
        faults.append(Refused("bad_weekdays", N_("At least one day of the week is needed.")))
    if not 0 <= command.from_minute < DAY or not command.from_minute < command.to_minute <= LAST_MINUTE:
        faults.append(Refused("bad_hours", N_("The hours must begin within a day and end after they begin.")))
    if command.to_minute - command.from_minute > DAY:
        faults.append(Refused("bad_hours", N_("The hours must not last longer than a day.")))
    begins, ends = _day(command.valid_from), _day(command.valid_to or command.valid_from)
    if begins is None or ends is None:
        faults.append(Refused("bad_day", N_("Write a day as 2026-03-01.")))
    elif ends < begins:
        faults.append(Refused("bad_time", N_("The rule must not end before it begins.")))
    return faults


@handles(PutTimeRule)
def _put(command: PutTimeRule, unit: UnitOfWork) -> int:
    refuse_all(rule_faults(command))
    values = {
        "name": one_line(command.name, 120),
        "name_en": one_line(command.name_en, 120),
        "prefix": command.prefix,
        "outline": shapely.to_wkb(read_outline(command.outline)),
        "weekdays": command.weekdays,
        "from_minute": command.from_minute,
        "to_minute": command.to_minute,
        "allowed": command.allowed,
        "valid_from": _day(command.valid_from),
        "valid_to": _day(command.valid_to or ""),
    }
    if command.rule_id is None:
        row_id = unit.new_id()
        unit.insert(time_rule, [{"id": row_id, **values}])
        return row_id
    unit.update(time_rule, {command.rule_id: values})
    return command.rule_id


@handles(EndTimeRule)
def _end(command: EndTimeRule, unit: UnitOfWork) -> None:
    found = unit.rows(time_rule, [command.rule_id]).get(command.rule_id)
    if found is None:
        raise Refused("no_such_rule", N_("There is no such rule any more."))
    ends = _day(command.valid_to)
    if ends is None:
        raise Refused("bad_day", N_("Write a day as 2026-03-01."))
    if ends < found["valid_from"]:
        raise Refused("bad_time", N_("The rule must not end before it begins."))
    unit.update(time_rule, {command.rule_id: {"valid_to": ends}})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
