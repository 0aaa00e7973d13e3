"""The newest place of each collector: what the map needs and nothing more (DOMAIN 6.5)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from db.live.columns import Float64, Int64, no_ids


def _nowhere() -> Float64:
    return np.empty(0, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class People:
    """Persons with their newest places, one entry a person; ``at`` in milliseconds since 1970 UTC."""

    ids: Int64 = field(default_factory=no_ids)
    lon: Float64 = field(default_factory=_nowhere)
    lat: Float64 = field(default_factory=_nowhere)
    at: Int64 = field(default_factory=no_ids)

    def __len__(self) -> int:
        return len(self.ids)

    def then(self, later: People) -> People:
        """These places with ``later`` ones laid over them."""
        if not len(later):
            return self
        kept = ~np.isin(self.ids, later.ids)
        return People(
            np.concatenate([self.ids[kept], later.ids]),
            np.concatenate([self.lon[kept], later.lon]),
            np.concatenate([self.lat[kept], later.lat]),
            np.concatenate([self.at[kept], later.at]),
        )


NOBODY = People()
