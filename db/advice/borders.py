"""Where units meet: which units answer within a few steps of a point."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, select

from db.advice.rules import BORDER_METRES, Floats
from db.duties.book import DutyBook
from db.duties.rules import Flags, Ints
from db.registers.tables import area

_METRES_PER_DEGREE = 111_320.0


class Borders:
    """The outlines of the cells in metres, and for each cell and class whether another unit is near."""

    def __init__(self, connection: Connection, book: DutyBook) -> None:
        outlines = dict(
            connection.execute(
                select(area.c.id, area.c.outline).where(area.c.kind == "cell", area.c.outline.is_not(None))
            ).all()
        )
        shapes = shapely.from_wkb([outlines.get(each) for each in book.cells.tolist()])
        bounds = shapely.total_bounds(shapes) if len(shapes) else np.zeros(4)
        middle = math.radians(float(np.nan_to_num(bounds[1] + bounds[3])) / 2)
        self._scale = np.array([_METRES_PER_DEGREE * math.cos(middle), _METRES_PER_DEGREE])
        self._cells = shapely.transform(shapes, lambda points: points * self._scale)
        self._tree = shapely.STRtree(self._cells)
        one, other = self._tree.query(self._cells, predicate="dwithin", distance=BORDER_METRES)
        self._pairs = one[one != other], other[one != other]

    def near(self, units: npt.NDArray[np.int16]) -> Flags:
        """Whether another unit answers within reach; ``units`` (numbered) and the result are (cells,
        classes).
        """
        found = np.zeros(units.shape, dtype=bool)
        one, other = self._pairs
        differs = (units[one] != units[other]).any(axis=1)
        for here, there in zip(one[differs].tolist(), other[differs].tolist(), strict=True):
            found[here] |= units[here] != units[there]
        return found

    def others(
        self,
        lon: Floats,
        lat: Floats,
        classes: Ints,
        own: Ints,
        units: Ints,
    ) -> Ints:
        """The other unit within ``BORDER_METRES`` of each point, 0 = none.

        ``own`` is the unit that answers at the point, ``classes`` the column of ``units``.
        """
        points = shapely.points(np.column_stack([lon, lat]) * self._scale)
        point, cell = self._tree.query(points, predicate="dwithin", distance=BORDER_METRES)
        there = units[cell, classes[point]]
        differs = (there != own[point]) & (there != 0)
        found = np.zeros(len(lon), dtype=np.int64)
        found[point[differs]] = there[differs]
        return found
