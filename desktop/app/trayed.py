"""The tray in words: what lies there as a station's file keeps it, turned into what the window shows."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from db.cases.rules import PRIORITIES, STATES
from db.cases.workflow import VERB_LABELS
from db.kernel.actor import Actor
from db.kernel.language import N_, _, language
from db.live.directory import Directory
from db.sync.tray import CaseSides, Contrast, Laid
from desktop.core.words import day_and_time
from desktop.tray.work import Difference, Side, TrayAct
from desktop.widgets.verbs import asked_for

_FIELDS = {
    "state": N_("Stage"),  # zh: 环节
    "unit_id": N_("Unit"),  # zh: 责任单位
    "holder_id": N_("Person"),  # zh: 责任人
    "category_id": N_("Category"),
    "priority": N_("Priority"),
    "address": N_("Place"),
    "due_at": N_("Due"),  # zh: 时限
}
_NAMED = {"unit_id": "unit", "holder_id": "person", "category_id": "category"}
_SPOKEN = ("reason", "demand", "note", "remark", "word", "description")
"""Fields of commands that hold the author's own words."""


def tray_acts(laid: list[Laid], directory: Directory, zone: ZoneInfo, who: Actor) -> list[TrayAct]:
    """The acts in words, for whoever is signed in."""
    return [_act(each, directory, zone, who) for each in laid]


def _act(each: Laid, directory: Directory, zone: ZoneInfo, who: Actor) -> TrayAct:
    words = next((str(each.arguments[key]) for key in _SPOKEN if each.arguments.get(key)), "")
    return TrayAct(
        operation=each.operation,
        label=_(each.label),
        who=each.who,
        is_own=each.actor_id in (who.account_id, 0),
        at_ms=each.at_ms,
        is_parked=each.refusal is not None,
        why=each.refusal.text() if each.refusal is not None else "",
        words=words,
        size=len(each.cases),
        sides=tuple(_side(case, directory, zone) for case in each.cases),
        may_edit=each.command is not None and asked_for(each.command) is not None,
        command=each.command,
    )


def _side(case: CaseSides, directory: Directory, zone: ZoneInfo) -> Side:
    def said(contrast: Contrast, value: Any) -> str:
        return value_words(contrast.column, value, directory, zone)

    return Side(
        case.case_id,
        case.number,
        case.address,
        tuple(
            Difference(_(_FIELDS[each.column]), said(each, each.mine), said(each, each.theirs))
            for each in case.contrasts
            # Empty before and after: nothing to compare.
            if each.column in _FIELDS and not {each.mine, each.theirs} <= {None, ""}
        ),
        case.who,
        _(VERB_LABELS.get(case.verb, case.verb)) if case.verb else "",
        case.at_ms,
    )


def value_words(column: str, value: Any, directory: Directory, zone: ZoneInfo) -> str:
    """What a value of a case is called; "–" for none."""
    if value is None or value == "":
        return "–"
    if column == "state":
        return _(STATES[value].label) if value in STATES else str(value)
    if column == "priority":
        return _(PRIORITIES.get(value, str(value)))
    if column == "due_at":
        return day_and_time(value, zone)
    if column in _NAMED:
        return directory.label(_NAMED[column], value, language()) or str(value)
    return str(value)
