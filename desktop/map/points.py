"""The points of one layer as columns, and the answer to "what has changed since generation n"."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.map.mercator import project

# Beyond this share of changed slots a whole copy is smaller than a patch (26 bytes a slot against 18).
WHOLE_ABOVE = 0.5


class PointColumns:
    """Positions, styles and visibility by slot, each slot with the generation that last touched it.

    The page asks with the newest generation it has and gets either everything or the slots touched since, so
    a lost message, a slow page and a page that died are the same case.
    """

    def __init__(self) -> None:
        self._x = np.empty(0, np.float64)
        self._y = np.empty(0, np.float64)
        self._style = np.empty(0, np.uint8)
        self._visible = np.empty(0, np.bool_)
        self._touched = np.empty(0, np.int64)
        self._whole_at = 0
        self._mask_at = 0

    def __len__(self) -> int:
        return len(self._x)

    def replace(
        self,
        generation: int,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        style: npt.ArrayLike,
        visible: npt.ArrayLike,
    ) -> None:
        """Forget all slots and take these; WGS-84 degrees, NaN = no position. ValueError on odd lengths."""
        x, y = project(lon, lat)
        styles, shown = np.array(style, np.uint8), np.array(visible, np.bool_)
        _same_length(x, y, styles, shown)
        self._x, self._y, self._style, self._visible = x, y, styles, shown
        self._touched = np.full(len(x), generation, np.int64)
        self._whole_at = self._mask_at = generation

    def patch(
        self,
        generation: int,
        slots: npt.ArrayLike,
        lon: npt.ArrayLike,
        lat: npt.ArrayLike,
        style: npt.ArrayLike,
        visible: npt.ArrayLike,
    ) -> None:
        """Overwrite some slots, growing when a slot lies beyond the end. ValueError when lengths differ."""
        at = np.asarray(slots, np.int64)
        x, y = project(lon, lat)
        styles, shown = np.asarray(style, np.uint8), np.asarray(visible, np.bool_)
        _same_length(at, x, y, styles, shown)
        if not len(at):
            return
        if at.min() < 0:
            raise ValueError("a slot is never negative")
        self._grow(int(at.max()) + 1)
        self._x[at], self._y[at], self._style[at], self._visible[at] = x, y, styles, shown
        self._touched[at] = generation

    def show(self, generation: int, visible: npt.ArrayLike) -> None:
        """Show just the slots whose bit is set; a longer mask grows the columns, a shorter one is refused."""
        mask = np.array(visible, np.bool_)
        self._grow(len(mask))
        _same_length(self._x, mask)
        self._visible = mask
        self._mask_at = generation

    def extent(self) -> tuple[float, float, float, float] | None:
        """Give the unit-square box (left, top, right, bottom) of all positions, None when there is none."""
        known = np.isfinite(self._x) & np.isfinite(self._y)
        if not known.any():
            return None
        x, y = self._x[known], self._y[known]
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def since(self, generation: int, now: int) -> bytes:
        """Encode for the page what was touched after `generation`; `now` is what the answer brings it to.

        Layout, little endian: uint32 length of a JSON head, the head padded to 8 bytes, then x f64[k],
        y f64[k], slots i32[k] (left out in a whole copy), styles u8[k], visible u8[k], and, where the mask
        has changed, the mask of all slots as bits.
        """
        slots = None if generation < self._whole_at else np.flatnonzero(self._touched > generation)
        if slots is not None and len(slots) > WHOLE_ABOVE * len(self):
            slots = None
        masked = slots is not None and generation < self._mask_at
        chosen = slice(None) if slots is None else slots
        count = len(self) if slots is None else len(slots)
        parts: list[npt.NDArray[Any]] = [self._x[chosen], self._y[chosen]]
        if slots is not None:
            parts.append(slots.astype(np.int32))
        parts += [self._style[chosen], self._visible[chosen]]
        if masked:
            parts.append(np.packbits(self._visible, bitorder="little"))
        head = json.dumps(
            {
                "generation": now,
                "length": len(self),
                "count": count,
                "whole": slots is None,
                "masked": masked,
            }
        ).encode()
        head += b" " * (-(len(head) + 4) % 8)
        return len(head).to_bytes(4, "little") + head + b"".join(part.tobytes() for part in parts)

    def _grow(self, length: int) -> None:
        more = length - len(self)
        if more <= 0:
            return
        nowhere = np.full(more, np.nan)
        self._x, self._y = np.concatenate([self._x, nowhere]), np.concatenate([self._y, nowhere])
        self._style = np.concatenate([self._style, np.zeros(more, np.uint8)])
        self._visible = np.concatenate([self._visible, np.zeros(more, np.bool_)])
        self._touched = np.concatenate([self._touched, np.zeros(more, np.int64)])


def _same_length(*columns: npt.NDArray[np.generic]) -> None:
    if len({len(column) for column in columns}) > 1:
        raise ValueError(f"columns of different length: {[len(column) for column in columns]}")
