"""The disposal clock of one case over its spans: who let it run or stand, for how long, and what is left.

Pure. A span is a stretch of time in which the clock ran or stood; together the spans of a case tile the time
from its dispatch to now, or to its end. A round begins with each dispatch and each rework: the limit counts
anew. In every round the time consumed and the time left make up the limit with its extensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.calendars.rules import HOUR_MS, SOON_SHARE, Limit, LimitUnit, WorkingCalendar
from db.kernel.language import N_

RUNNING, PAUSED = "running", "paused"

CAUSE_LABELS = {
    "dispatch": N_("Dispatched"),  # zh: 派遣
    "reassign": N_("Reassigned"),  # zh: 改派
    "rework": N_("Rework"),  # zh: 返工
    "resume": N_("Resumed"),  # zh: 恢复
    "suspend": N_("Suspended"),  # zh: 挂账
    "check": N_("Being checked"),  # zh: 核查中
    "return": N_("Returned"),  # zh: 已回退
    "merge": N_("Merged"),  # zh: 已并案
}
"""Why the clock runs or stands."""

ROUND_CAUSES = frozenset({"dispatch", "rework"})
"""With these the limit counts anew."""


@dataclass(frozen=True)
class Span:
    """A stretch of the clock; milliseconds since 1970 UTC, ``ended_at`` ``None`` while it lasts."""

    kind: str
    cause: str
    began_at: int
    ended_at: int | None
    by_name: str = ""

    def length_ms(self, now_ms: int) -> int:
        """How long it lasted, or has lasted until now."""
        return (now_ms if self.ended_at is None else self.ended_at) - self.began_at


def minutes(spans: Sequence[Span], now_ms: int) -> dict[tuple[str, str], float]:
    """Minutes by kind and cause, nights and holidays included; every minute stands in exactly one."""
    found: Counter[tuple[str, str]] = Counter()
    for span in spans:
        found[span.kind, span.cause] += span.length_ms(now_ms)
    return {key: length / 60_000 for key, length in found.items()}


def this_round(spans: Sequence[Span]) -> Sequence[Span]:
    """The spans since the limit began to count anew."""
    starts = [i for i, span in enumerate(spans) if span.kind == RUNNING and span.cause in ROUND_CAUSES]
    return spans[starts[-1] :] if starts else ()


def consumed(spans: Sequence[Span], limit: Limit, calendar: WorkingCalendar, now_ms: int) -> int:
    """Milliseconds of the limit's own clock that this round has used up."""
    return sum(
        elapsed(calendar, limit, span.began_at, now_ms if span.ended_at is None else span.ended_at)
        for span in this_round(spans)
        if span.kind == RUNNING
    )


def left(spans: Sequence[Span], limit: Limit, extensions: int, calendar: WorkingCalendar, now_ms: int) -> int:
    """Milliseconds of the limit's own clock that remain in this round; below zero when it is overdue."""
    return limit.length_ms * (1 + extensions) - consumed(spans, limit, calendar, now_ms)


def elapsed(calendar: WorkingCalendar, limit: Limit, begin_ms: int, end_ms: int) -> int:
    """Time between two moments by the clock of a limit: working time, or plain time."""
    if not limit.at_work:
        return end_ms - begin_ms
    worked = calendar.worked(np.array([begin_ms, end_ms]))
    return int(worked[1] - worked[0])


def later(calendar: WorkingCalendar, limit: Limit, at_ms: int, length_ms: int) -> int:
    """The moment at which ``length_ms`` more of the limit's clock have gone since ``at_ms``.

    Raises ``Refused("calendar_missing")`` when that leads into an unknown year.
    """
    hour = Limit(1, LimitUnit.WORKING_HOUR if limit.at_work else LimitUnit.URGENT_HOUR)
    return calendar.due(at_ms, hour, length_ms / HOUR_MS)


def begun(calendar: WorkingCalendar, limit: Limit, at_ms: int) -> tuple[int, int]:
    """Due and amber moment of a limit that begins to count."""
    return calendar.due(at_ms, limit), calendar.due(at_ms, limit, SOON_SHARE)


def resumed(calendar: WorkingCalendar, limit: Limit, moment_ms: int, paused_ms: int, resumed_ms: int) -> int:
    """Where a due or amber moment moves to when the clock goes on; one that had passed stays where it was."""
    if moment_ms <= paused_ms:
        return moment_ms
    # A moment by clock time may begin or lie outside the hours: a pause there never brings it forward.
    return max(moment_ms, later(calendar, limit, resumed_ms, elapsed(calendar, limit, paused_ms, moment_ms)))


def postponed(calendar: WorkingCalendar, limit: Limit, due_ms: int, extensions: int) -> tuple[int, int]:
    """Due and amber moment after one more limit, when ``extensions`` had been granted before.

    Amber comes when 80 % of the whole have gone: so much of the added limit after the old due moment.
    """
    share = SOON_SHARE - (1 - SOON_SHARE) * (1 + extensions)
    return calendar.due(due_ms, limit), calendar.due(due_ms, limit, share)
