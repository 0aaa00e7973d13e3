"""The map of ``jingwei shot``, alone in the window: how far away, and what is to be seen of it."""

from __future__ import annotations

import asyncio

import numpy as np

from desktop.app.session import Session
from desktop.map.view import CASES

ZOOMS = {"map-city": 11.75, "map-district": 14.5, "map-street": 17.75, "map-heat": 13.0, "map-near": 16.5}
"""Pages and how close each looks: Leaflet's zoom."""
PATIENCE_S = 30.0
_SETTLE_S = 0.8
"""For the words beside the marks, which are asked for once the marks are drawn."""
_BLOCK = 0.002
"""Degrees of the squares among which the busiest is looked for."""


async def stage(session: Session, page: str) -> None:
    """Give the map the whole room and look at the street where most is the matter."""
    panes = session.panes
    panes.map.maximized.emit(True)
    async with asyncio.timeout(PATIENCE_S):
        while not session.fieldwork.is_loaded:
            await asyncio.sleep(0.1)
    view = panes.map.map
    view.set_layers({"density": page == "map-heat", "cases": page != "map-heat"})
    slot = _busiest(session)
    if slot is not None and page != "map-city":
        store = session.context.board.store
        view.restore_view((float(store.lon[slot]), float(store.lat[slot]), ZOOMS[page]))
        if page == "map-near":
            session.context.select(frozenset({int(store.id[slot])}))
            panes.map.people.show_nearest(CASES, slot)
    elif view.view() is not None:
        panes.map.fit_cases()
    # The window has grown wider, so whatever is shown is drawn once more.
    await asyncio.sleep(_SETTLE_S)


def _busiest(session: Session) -> int | None:
    """A case in the square with the most of them; None when none has a place."""
    board = session.context.board
    store = board.store
    slots = np.flatnonzero(board.lens.mask & ~np.isnan(store.lon[: store.size]))
    if not len(slots):
        return None
    squares = np.stack([store.lon[slots] // _BLOCK, store.lat[slots] // _BLOCK])
    _squares, first, counts = np.unique(squares, axis=1, return_index=True, return_counts=True)
    return int(slots[first[counts.argmax()]])
