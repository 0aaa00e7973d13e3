"""Where the classes of a choropleth begin: natural breaks, equal counts or equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from db.kernel.language import N_

Floats = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

MOST = 5
"""More steps of one hue than this nobody tells apart on a projector."""
_DISTINCT = 256
"""Natural breaks are exact up to so many distinct values; more are drawn together into as many heaps."""

NO_DATA, ZERO = 0, 1
"""The two classes that every choropleth has: nothing known (no colour), and nothing there."""


class Method(StrEnum):
    """How the values above zero are divided."""

    NATURAL = "natural"
    QUANTILE = "quantile"
    EQUAL = "equal"


METHOD_LABELS = {
    Method.NATURAL: N_("Natural breaks (Jenks)"),  # zh: 自然断点
    Method.QUANTILE: N_("Equal counts (quantiles)"),  # zh: 分位数
    Method.EQUAL: N_("Equal steps"),  # zh: 等间距
}


@dataclass(frozen=True, eq=False)
class Classes:
    """Values in classes: ``of`` gives each value's class; class ``i`` (from 2 on) holds ``ranges[i - 2]``.

    A range is the least and the greatest value that really lie in the class, so no limit is invented.
    """

    of: UInt8
    ranges: tuple[tuple[float, float], ...]

    def size(self, code: int) -> int:
        """How many values a class holds."""
        return int(np.count_nonzero(self.of == code))


def classify(values: Floats, method: Method, most: int = MOST) -> Classes:
    """Divide values (NaN = no data, never negative) into at most ``most`` classes beside "zero".

    Values that are alike are never parted, so there may be fewer classes than asked for.
    """
    of = np.full(len(values), NO_DATA, np.uint8)
    known = ~np.isnan(values)
    of[known] = ZERO
    above = known & (values > 0)
    if not above.any():
        return Classes(of, ())
    heights = values[above]
    uppers = np.unique(_UPPERS[method](heights, min(most, len(np.unique(heights)))))
    found = np.searchsorted(uppers, heights, side="left")
    codes, packed = np.unique(found, return_inverse=True)
    of[above] = packed + ZERO + 1
    ranges = tuple(
        (float(heights[packed == i].min()), float(heights[packed == i].max())) for i in range(len(codes))
    )
    return Classes(of, ranges)


def _equal(values: Floats, count: int) -> Floats:
    """Upper limits of classes of one width, from the least value to the greatest."""
    limits = np.linspace(values.min(), values.max(), count + 1)[1:]
    limits[-1] = values.max()
    return limits


def _quantile(values: Floats, count: int) -> Floats:
    """Upper limits of classes that hold about as many values each."""
    shares = np.arange(1, count + 1) / count
    return np.asarray(np.quantile(values, shares, method="inverted_cdf"), np.float64)


def _natural(values: Floats, count: int) -> Floats:
    """Upper limits that make the squared distance from the class means least (Fisher 1958, Jenks 1967)."""
    heights, weights = np.unique(values, return_counts=True)
    if len(heights) > _DISTINCT:
        # Heaps of as many values each, their means in place of them.
        heap = (np.cumsum(weights) - 1) * _DISTINCT // len(values)
        _firsts, heap = np.unique(heap, return_inverse=True)
        tops = heights[np.flatnonzero(np.diff(np.append(heap, heap[-1] + 1)))]
        total = np.bincount(heap, weights)
        heights, weights = np.bincount(heap, weights * heights) / total, total
    else:
        tops = heights
    n = len(heights)
    w = np.concatenate([[0.0], np.cumsum(weights)])
    s = np.concatenate([[0.0], np.cumsum(weights * heights)])
    q = np.concatenate([[0.0], np.cumsum(weights * heights**2)])
    # cost[i, j]: the squared distance within a class of the heights i to j - 1.
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = (q[None, :] - q[:, None]) - (s[None, :] - s[:, None]) ** 2 / (w[None, :] - w[:, None])
    cost[np.tril_indices(n + 1)] = np.inf
    best, cuts = cost[0].copy(), []
    for _class in range(1, count):
        through = best[:, None] + cost
        cuts.append(np.argmin(through, axis=0))
        best = np.min(through, axis=0)
    uppers, end = [], n
    for cut in reversed(cuts):
        uppers.append(tops[end - 1])
        end = int(cut[end])
    uppers.append(tops[end - 1])
    return np.array(uppers[::-1], np.float64)


_UPPERS = {Method.NATURAL: _natural, Method.QUANTILE: _quantile, Method.EQUAL: _equal}
