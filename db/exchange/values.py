"""Reads moments and degrees from texts of other systems; what cannot be read for certain is refused, never
guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from db.exchange.problems import Reason
from db.kernel.clock import to_ms

_TIME = (
    r"(?:[T\s]\s*(?P<noon>上午|下午|凌晨|中午|晚上)?\s*(?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<offset>Z|z|[+-]\d{2}:?\d{2})?)?"
)
DATE_FORMATS: dict[str, re.Pattern[str]] = {
    # 2024-04-16T03:03:15.000, 2024-04-16 03:03:15+08:00
    "iso": re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}}){_TIME}", re.ASCII),
    # 2024/4/16 3:03, 2024.4.16, 2024/4/16 下午 3:03
    "year-first": re.compile(
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}"
    ),
    # 04/16/2024 03:03:15 AM
    "month-first": re.compile(
        rf"(?P<month>\d{{1,2}})(?P<mark>[-/.])(?P<day>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}"
    ),
    # 16.04.2024 03:03
    "day-first": re.compile(
        rf"(?P<day>\d{{1,2}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}"
    ),
    # 2024年4月16日 3时3分, 2024年4月16日 15:03:15
    "chinese": re.compile(
        r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]"
        r"(?:\s*(?P<noon>上午|下午|凌晨|中午|晚上)?\s*(?P<hour>\d{1,2})(?:[时点:]"
        r"(?:(?P<minute>\d{1,2})(?:[分:](?:(?P<second>\d{1,2})秒?)?)?)?)"
        r"(?P<fraction>(?!))?(?P<half>(?!))?(?P<offset>(?!))?)?"
    ),
    # 20240416030315, 20240416
    "compact": re.compile(
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"
        r"(?:(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?)?"
        r"(?P<noon>(?!))?(?P<fraction>(?!))?(?P<half>(?!))?(?P<offset>(?!))?"
    ),
    # 45398.127257: days since 1899-12-30, as Excel and WPS keep a date
    "excel": re.compile(r"(?P<serial>\d{5}(?:\.\d{1,12})?)"),
}
DEFAULT_FORMATS = ("iso", "year-first", "chinese")
FIRST_YEAR, LAST_YEAR = 1971, 2199
"""Years outside are taken for a slip of the pen."""

_EXCEL_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001  a wall clock; the zone is put on later
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_HOUR = timedelta(hours=1)


class Unreadable(ValueError):
    """A text that is not what its column should hold; ``reason`` is for the list of problems."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True)
class MomentRead:
    """Milliseconds since 1970 UTC, and what has to be said about how they were read."""

    ms: int
    remark: Reason | None = None


@lru_cache(maxsize=8192)
def read_moment(text: str, formats: tuple[str, ...], zone_name: str) -> MomentRead:
    """A moment from a text in one of ``formats``; a text without an offset is the wall clock of
    ``zone_name``.

    When clocks go back an hour comes twice: the first is taken, with a remark. When they go forward an hour
    is left
    out: a moment in it is taken one hour later, with a remark.
    Raises ``Unreadable``.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    for name in formats:
        found = DATE_FORMATS[name].fullmatch(plain)
        if found is not None:
            wall, offset = _wall(found)
            if not FIRST_YEAR <= wall.year <= LAST_YEAR:
                raise Unreadable(Reason.YEAR)
            if offset is not None:
                return MomentRead(to_ms(wall.replace(tzinfo=offset)))
            return _placed(wall, ZoneInfo(zone_name))
    raise Unreadable(Reason.NOT_A_DATE)


def _wall(found: re.Match[str]) -> tuple[datetime, timezone | None]:
    parts = found.groupdict()
    if "serial" in parts:
        # Whole milliseconds: a serial number of six decimals is good to a tenth of a second.
        return _EXCEL_DAY_0 + timedelta(milliseconds=round(float(parts["serial"]) * 86_400_000)), None
    hour = int(parts["hour"] or 0)
    afternoon, morning = _half(parts)
    if (afternoon or morning) and parts.get("half") and not 1 <= hour <= 12:
        raise Unreadable(Reason.NOT_A_DATE)
    if afternoon and hour < 12:
        hour += 12
    elif morning and hour == 12:
        hour = 0
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    try:
        wall = datetime(  # noqa: DTZ001  the zone is put on by the caller
            int(parts["year"]),
            int(parts["month"]),
            int(parts["day"]),
            hour % 24 if hour == 24 and not int(parts["minute"] or 0) else hour,
            int(parts["minute"] or 0),
            int(parts["second"] or 0),
            int(fraction),
        )
    except ValueError as error:
        raise Unreadable(Reason.NO_SUCH_DATE) from error
    if hour == 24:
        wall += timedelta(days=1)
    return wall, _offset(parts["offset"])


def _half(parts: dict[str, str | None]) -> tuple[bool, bool]:
    """Whether the text says afternoon, and whether it says morning."""
    half, noon = (parts["half"] or "").lower(), parts["noon"] or ""
    afternoon = half.startswith("p") or noon in ("下午", "晚上", "中午")
    return afternoon, half.startswith("a") or noon in ("上午", "凌晨")


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return timezone.utc  # noqa: UP017  a fixed offset like the others
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 15 or minutes > 59:
        raise Unreadable(Reason.NOT_A_DATE)
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def _placed(wall: datetime, zone: ZoneInfo) -> MomentRead:
    first = wall.replace(tzinfo=zone)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    moment = MomentRead(to_ms(first.astimezone(UTC)))
    if before == after or before is None or after is None:
        return moment
    return MomentRead(moment.ms, Reason.HOUR_TWICE if before > after else Reason.HOUR_LEFT_OUT)


def read_degrees(text: str) -> float | None:
    """Degrees as a plain decimal number; ``None`` for an empty text. Raises ``Unreadable``."""
    plain = text.strip()
    if not plain:
        return None
    if _NUMBER.fullmatch(plain) is None:
        raise Unreadable(Reason.NOT_A_NUMBER)
    return float(plain)
