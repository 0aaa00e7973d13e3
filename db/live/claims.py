"""The claims that stand, as the board keeps them: few, read whole, ended by the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from db.cases.leases import leases
from db.kernel.clock import from_ms, to_ms


@dataclass(frozen=True)
class Claimed:
    """Who has a case, and until when (milliseconds since 1970 UTC)."""

    account_id: int
    name: str
    until_ms: int


@dataclass(frozen=True)
class Claims:
    """All claims of a moment, by case. Equal values are the same news."""

    by_case: dict[int, Claimed] = field(default_factory=dict)

    def at(self, now_ms: int) -> Claims:
        """Those that still stand at a moment."""
        if all(each.until_ms > now_ms for each in self.by_case.values()):
            return self
        return Claims({i: each for i, each in self.by_case.items() if each.until_ms > now_ms})

    def next_end(self) -> int | None:
        """When the first of them ends; ``None`` without any."""
        return min((each.until_ms for each in self.by_case.values()), default=None)

    @staticmethod
    def of(rows: Iterable[tuple[int, Claimed]]) -> Claims:
        """Claims from pairs of case and claim."""
        return Claims(dict(rows))


NO_CLAIMS = Claims()


def read_claims(connection: Connection, now_ms: int) -> Claims:
    """The claims that stand at a moment."""
    return Claims.of(
        (case_id, Claimed(lease.account_id, lease.name, to_ms(lease.expires_at)))
        for case_id, lease in leases(connection, from_ms(now_ms)).items()
    )
