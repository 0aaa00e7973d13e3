"""How the room says how it stands with the server: a shape, a word and a figure for each thing to know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from zoneinfo import ZoneInfo

from db.kernel.language import _
from db.kernel.refusal import Refused
from db.sync.standing import Line, Standing
from desktop.core.words import clock_time, day_and_time, number

LATE_MS = 5_000
"""A server that was not heard for so long is late; the station looks every other second."""
SKEW_MS = 60_000
"""A clock that is further off is told: deadlines are counted from the time of the act."""
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
SHUT_OUT = frozenset({"shut_out", "wrong_password", "no_such_account"})
"""The codes of trouble by which the server lets a person in no more: only his or her own hands mend that."""
PARTS = ("line", "waiting", "parked", "clock")
"""The keys of what there is to say, in the order in which it stands in the strip."""


class Mark(IntEnum):
    """The shape before a word, by the numbers of the deadline light."""

    GOOD = 0
    """A full circle."""
    LATE = 1
    """A triangle."""
    DECIDE = 2
    """A diamond: somebody has to decide."""
    OPEN = 3
    """An empty circle: no line."""


@dataclass(frozen=True)
class Told:
    """One part of the strip; without words it is not there."""

    words: str = ""
    tone: str = "text2"
    mark: Mark | None = None
    tip: str = ""


def told_of(standing: Standing, now_ms: int, zone: ZoneInfo) -> dict[str, Told]:
    """What there is to say, by the keys of ``PARTS``."""
    return {
        "line": _line(standing, now_ms, zone),
        "waiting": _waiting(standing),
        "parked": _parked(standing),
        "clock": _clock(standing),
    }


def shut_out_words() -> str:
    """What to do when the server lets whoever sits here in no more."""
    # zh: 服务器不再允许您登录：请用“文件”菜单的“换人登录”重新登录。其间的操作保存在本机，登录后上报。
    return _(
        "The server does not let you in any more: sign in again (File, Hand over to another person)."
        " What is done meanwhile is kept here and sent after that."
    )


def data_ms(fresh_ms: int, standing: Standing | None) -> int:
    """Up to when what is on the screen is known to be right: a station's file is as new as what it heard."""
    return fresh_ms if standing is None else min(fresh_ms, standing.heard_ms or standing.since_ms)


def _line(standing: Standing, now_ms: int, zone: ZoneInfo) -> Told:
    why = standing.trouble.text() if standing.trouble is not None else ""
    if standing.trouble is not None and standing.trouble.code in SHUT_OUT:
        # zh: 请重新登录
        return Told(_("Sign in again"), "over", Mark.DECIDE, shut_out_words())
    if standing.line is Line.JOINING:
        # zh: 正在连接
        return Told(_("Connecting"), mark=Mark.OPEN)
    if standing.line is Line.OFFLINE:
        since = standing.since_ms
        recent = now_ms - since < _DAY_MS
        # zh: 离线，自 {time} 起
        words = _("Offline since {time}").format(
            time=clock_time(since, zone) if recent else day_and_time(since, zone)
        )
        # zh: 可继续办理，恢复连接后自动上报。
        more = _("Go on working: what you do is sent when the line is back.")
        return Told(words, "soon", Mark.OPEN, f"{more}\n{why}".strip())
    if isinstance(standing.trouble, Refused):
        # zh: 服务器未接受
        return Told(_("The server says no"), "over", Mark.DECIDE, why)
    late = max(now_ms - (standing.heard_ms or standing.since_ms), 0)
    if standing.line is Line.BEHIND or late > LATE_MS:
        # zh: 此后他人的操作尚未收到，收到后自动显示。
        more = _("What others did since is not here yet; it comes by itself.")
        # zh: 滞后 {span}
        words = _("Behind {span}").format(span=how_long(late))
        return Told(words, "soon", Mark.LATE, f"{more}\n{why}".strip())
    # zh: 实时
    return Told(_("Live"), mark=Mark.GOOD, tip=_("What others do is here within a second."))


def _waiting(standing: Standing) -> Told:
    if not standing.waiting:
        return Told()
    # zh: {count} 项待上报
    words = _("{count} waiting").format(count=number(standing.waiting))
    if not standing.held_for:
        return Told(words, tip=_("Done here, not yet on the server."))
    who = _(", ").join(standing.held_for)
    # zh: {words}（{who} 未登录）
    return Told(
        _("{words} ({who} not signed in)").format(words=words, who=who),
        "soon",
        Mark.LATE,
        # zh: 每人的操作以本人身份上报，须本人先在本机登录：{who}。
        _("What a person did is sent in that person's name, who has to sign in here first: {who}.").format(
            who=who
        ),
    )


def _parked(standing: Standing) -> Told:
    if not standing.parked:
        return Told()
    # zh: {count} 项待处理
    words = _("{count} to decide").format(count=number(standing.parked))
    return Told(words, "over", Mark.DECIDE, _("The server did not take them; they lie in the tray."))


def _clock(standing: Standing) -> Told:
    ahead = standing.skew_ms
    if abs(ahead) <= SKEW_MS:
        return Told()
    span = how_long(abs(ahead))
    # zh: 本机时钟快 {span}
    words = _("Clock {span} ahead") if ahead > 0 else _("Clock {span} behind")  # zh: 本机时钟慢 {span}
    more = _("This computer's clock differs from the server's. Acts keep their order; set the clock right.")
    return Told(words.format(span=span), "soon", Mark.LATE, more)


def how_long(milliseconds: int) -> str:
    """12 s, 2 min, 3 h: one figure, as much as an eye takes in."""
    seconds = milliseconds // 1000
    if seconds < 100:
        return _("{count} s").format(count=seconds)
    if seconds < 100 * 60:
        return _("{count} min").format(count=seconds // 60)
    return _("{count} h").format(count=number(seconds // 3600))
