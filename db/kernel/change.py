"""What a commit touched, as ids: the news that travels up, never the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Changes:
    """Kinds (table names) with the ids touched; ``bulk`` means too many to name: read everything anew."""

    seq: int = 0
    touched: Mapping[str, frozenset[int]] = field(default_factory=dict)
    bulk: bool = False

    def of(self, kind: str) -> frozenset[int]:
        """The ids of one kind that were touched."""
        return self.touched.get(kind, frozenset())
