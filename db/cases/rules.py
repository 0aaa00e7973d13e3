"""States, sources, deadline lights: what a case can be, without any database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from db.kernel.language import N_


class Light(IntEnum):
    """The deadline light: green to 80 % of the limit, amber to 100 %, red over (DOMAIN 2.5)."""

    ON_TIME = 0
    SOON = 1
    OVER = 2
    NO_CLOCK = 3
    """Before dispatch: the disposal clock is not running yet."""


LIGHT_LABELS = {
    Light.ON_TIME: N_("On time"),  # zh: 正常
    Light.SOON: N_("Due soon"),  # zh: 临期
    Light.OVER: N_("Overdue"),  # zh: 超期
    Light.NO_CLOCK: N_("Clock not running"),  # zh: 未计时
}


def light(now_ms: int, due_at: int, soon_at: int, stopped_at: int = 0) -> Light:
    """The light of one case; moments in milliseconds, 0 = none. ``stopped_at``: handed back by the unit."""
    if not due_at:
        return Light.NO_CLOCK
    at = stopped_at or now_ms
    if at > due_at:
        return Light.OVER
    return Light.SOON if at > soon_at else Light.ON_TIME


def lights(
    now_ms: int, due: npt.NDArray[np.int64], soon: npt.NDArray[np.int64], stopped: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """``light`` of many cases at once."""
    at = np.where(stopped > 0, stopped, now_ms)
    result = (at > soon).astype(np.uint8) + (at > due).astype(np.uint8)
    result[due == 0] = Light.NO_CLOCK
    return result


@dataclass(frozen=True)
class State:
    """A state of the closed loop; ``label`` is the stage as the queue shows it."""

    code: str
    label: str
    open: bool = True


STATES = {
    state.code: state
    for state in (
        State("reported", N_("To accept")),  # zh: 待受理
        State("pending_verify", N_("To verify")),  # zh: 待核实
        State("pending_register", N_("To register")),  # zh: 待立案
        State("pending_dispatch", N_("To dispatch")),  # zh: 待派遣
        State("pending_handle", N_("To handle")),  # zh: 待处置
        State("handling", N_("In hand")),  # zh: 处置中
        State("suspended", N_("Suspended")),  # zh: 挂账
        State("pending_check", N_("To check")),  # zh: 待核查
        State("pending_close", N_("To close")),  # zh: 待结案
        State("closed", N_("Closed"), open=False),  # zh: 已结案
        State("rejected", N_("Not accepted"), open=False),  # zh: 不予受理
        State("void", N_("Void"), open=False),  # zh: 已作废
        State("forced", N_("Closed by force"), open=False),  # zh: 强制结案
        State("merged", N_("Merged"), open=False),  # zh: 已并案
    )
}

BEFORE_DISPATCH = ("reported", "pending_verify", "pending_register", "pending_dispatch")
"""The states in which nobody has been told to handle the case yet."""

STAGES = {
    "reported": "accept",
    "pending_verify": "verify",
    "pending_register": "register",
    "pending_dispatch": "dispatch",
    "pending_handle": "handle",
    "handling": "handle",
    "suspended": "handle",
    "pending_check": "check",
    "pending_close": "close",
}
"""Which stage's time runs in an open state. Only the limit of ``handle`` binds by law (DOMAIN 2.5)."""

STAGE_LABELS = {
    "accept": N_("Acceptance"),  # zh: 受理
    "verify": N_("Verification"),  # zh: 核实
    "register": N_("Registration"),  # zh: 立案
    "dispatch": N_("Dispatch"),  # zh: 派遣
    "handle": N_("Handling"),  # zh: 处置
    "check": N_("Check"),  # zh: 核查
    "close": N_("Closing"),  # zh: 结案
}

REQUESTS = {
    "return": N_("Return"),  # zh: 回退
    "postpone": N_("Postponement"),  # zh: 延期
    "suspend": N_("Suspension"),  # zh: 挂账
    "appeal": N_("Appeal"),  # zh: 申诉
}
"""What a unit may ask for and somebody else decides (DOMAIN 2.4)."""

DECIDED_FIRST = N_("{who} granted it; now somebody else, who accepts cases, has to decide.")
DECIDED_BY_YOU = N_("You granted it; now somebody else, who accepts cases, has to decide.")
UNDECIDED = N_("Nobody has granted it yet; the second decision comes after that.")
"""An appeal is decided by two people in turn (DOMAIN 2.3, row 19)."""

POSTPONEMENTS = 2
"""So many are granted at most, each of one more original limit; refused ones do not count (DOMAIN 2.4)."""
SUSPENSION = timedelta(days=365)
"""The longest time for which a case may be suspended (DOMAIN 2.4)."""

PRIORITIES = {
    0: N_("Normal"),  # zh: 一般
    1: N_("High"),  # zh: 重要
    2: N_("Urgent"),  # zh: 紧急
}
"""How much a case presses, apart from its clock."""

ORDER_LEVELS = {
    "ordinary": N_("Ordinary"),  # zh: 一般督办
    "important": N_("Important"),  # zh: 重点督办
    "leader": N_("Leader's"),  # zh: 领导督办
}
"""How grave a supervision order is."""

SOURCES = {
    "collector": N_("Collector"),  # zh: 采集员上报
    "hotline": N_("12345 hotline"),  # zh: 12345热线
    "app": N_("Public app"),  # zh: 市民App
    "leader": N_("Leader's order"),  # zh: 领导交办
    "media": N_("Media"),  # zh: 媒体曝光
    "video": N_("Video"),  # zh: 视频发现
    "upper": N_("Upper platform"),  # zh: 上级平台
    "other": N_("Other"),  # zh: 其他
}
"""Where a case can come from (DOMAIN 2.1)."""

PUBLIC_SOURCES = frozenset({"hotline", "app", "media"})
"""Reports by the public, as against by supervision (DOMAIN 2.1)."""
