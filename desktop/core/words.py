"""How the room says times, figures and filters; one place, so that all panes use the same words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.cases.rules import LIGHT_LABELS, PRIORITIES, REQUESTS, SOURCES, STATES, Light
from db.kernel.clock import from_ms
from db.kernel.language import _, language
from db.live.directory import Directory
from db.live.filters import Filter, Scope

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def number(value: int) -> str:
    """A count with thousands separators."""
    return f"{value:,}"


def span(milliseconds: int) -> str:
    """A stretch of time as the queue shows it: 0:42, 3:05, 2d 4h, 41d; after ten days hours say nothing."""
    minutes = abs(milliseconds) // MINUTE_MS
    if minutes < 48 * 60:
        return f"{minutes // 60}:{minutes % 60:02d}"
    hours = minutes // 60
    if hours >= 10 * 24:
        # zh: {days}天
        return _("{days}d").format(days=hours // 24)
    # zh: {days}天{hours}时
    return _("{days}d {hours}h").format(days=hours // 24, hours=hours % 24)


def time_left(slack_ms: int) -> str:
    """Time left, or how long it is over."""
    if slack_ms < 0:
        # zh: 超 {span}
        return _("over {span}").format(span=span(slack_ms))
    return span(slack_ms)


def clock_time(moment_ms: int, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """The time of day of a moment in the city's zone."""
    return f"{local(moment_ms, zone):%H:%M:%S}" if seconds else f"{local(moment_ms, zone):%H:%M}"


def day_and_time(moment_ms: int, zone: ZoneInfo) -> str:
    """Month, day and time of a moment; the year too when it is not this one."""
    moment = local(moment_ms, zone)
    if moment.year != datetime.now(zone).year:
        return f"{moment:%Y-%m-%d %H:%M}"
    return f"{moment:%m-%d %H:%M}"


def local(moment_ms: int, zone: ZoneInfo) -> datetime:
    """A moment in the city's zone."""
    return from_ms(moment_ms).astimezone(zone)


_PART_KINDS = {
    "districts": "district",
    "communities": "community",
    "patrols": "patrol",
    "cells": "cell",
    "holders": "person",
    "units": "unit",
    "categories": "category",
}


def value_label(part: str, value: Any, directory: Directory, zone: ZoneInfo) -> str:
    """What one value of a part of the filter is called."""
    if part == "states":
        return _(STATES[value].label)
    if part == "lights":
        return _(LIGHT_LABELS[Light(value)])
    if part == "sources":
        return _(SOURCES[value])
    if part in _PART_KINDS:
        return directory.label(_PART_KINDS[part], value, language()) or _("none")
    if part == "majors":
        return directory.label("major", value, language())
    if part == "priorities":
        return _(PRIORITIES[value])
    if part == "requests":
        # zh: 申请{what}
        return _("asks for {what}").format(what=_(REQUESTS[value]))
    if part == "claimants":
        # zh: 已领取
        return _("claimed") if value else _("not claimed")
    if part == "tags":
        return f"#{value}"
    if part == "supervised":
        return _("supervised")  # zh: 督办中
    if part == "returned":
        return _("returned")  # zh: 回退
    if part == "mine":
        return _("mine")  # zh: 我的
    if part == "slack":
        return _slack_label(*value)
    if part == "arrived":
        return _("arrived {span}").format(span=_span_label(*value, zone))
    if part == "closed":
        return _("closed {span}").format(span=_span_label(*value, zone))
    if part == "no_position":
        return _("no position")
    if part == "box":
        return _("area on the map")
    if part == "shape":
        return _("shape on the map")  # zh: 地图圈选
    if part == "ids":
        return _("{count} chosen cases").format(count=number(len(value)))
    return f"“{value}”"


def chip_label(part: str, values: tuple[Any, ...], directory: Directory, zone: ZoneInfo) -> str:
    """One part of the filter as a chip: up to two values by name, more as a number."""
    if part == "ids":
        values = (values[0] if len(values) == 1 and isinstance(values[0], frozenset) else values,)
    names = [value_label(part, value, directory, zone) for value in values]
    if len(names) <= 2:
        # zh: 、
        return _(", ").join(names)
    return _("{first} and {count} more").format(first=names[0], count=len(names) - 1)


def count_sentence(shown: int, total: int, chosen: Filter) -> str:
    """How many cases the room shows, of how many."""
    if chosen.scope is Scope.TODAY_CLOSED:
        return _("{count} cases ended today").format(count=number(shown))
    if chosen.scope is Scope.ALL:
        return _("{count} cases, today's closed ones included").format(count=number(shown))
    if chosen.is_empty:
        # zh: 共 {total} 件在办
        return _("{total} open cases").format(total=number(total))
    # zh: 共 {total} 件在办中的 {count} 件
    return _("{count} of {total} open cases").format(count=number(shown), total=number(total))


def _slack_label(low: int | None, high: int | None) -> str:
    if low is None and high is not None and high <= 0:
        return _("over by more than {span}").format(span=span(high)) if high else _(LIGHT_LABELS[Light.OVER])
    if low is None and high is not None:
        # zh: {span} 内到期或已超期
        return _("due within {span} or overdue").format(span=span(high))
    if high is None and low is not None:
        return _("more than {span} left").format(span=span(low))
    if low is not None and high is not None:
        if high <= 0:
            return _("over by {low} to {high}").format(low=span(high), high=span(low))
        if low < 0:
            # zh: 超 {low} 至剩 {high}
            return _("over by {low} to {high} left").format(low=span(low), high=span(high))
        return _("{low} to {high} left").format(low=span(low), high=span(high))
    return ""


def _span_label(low: int | None, high: int | None, zone: ZoneInfo) -> str:
    if low is not None and high is not None:
        if high - low >= DAY_MS - HOUR_MS * 2:
            return f"{local(low, zone):%m-%d}"
        return f"{clock_time(low, zone)}–{clock_time(high, zone)}"
    if low is not None:
        return _("since {time}").format(time=clock_time(low, zone))
    return _("before {time}").format(time=clock_time(high or 0, zone))
