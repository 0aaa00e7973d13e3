"""What Python's search for garbage is spared: a room that stands is not gone through again and again."""

from __future__ import annotations

import gc

_apart = False


def set_apart() -> None:
    """Leave everything that there is out of the search from now on, until ``take_back``."""
    global _apart
    gc.freeze()
    _apart = True


def take_back() -> None:
    """Search everything again."""
    global _apart
    gc.unfreeze()
    _apart = False


def age() -> None:
    """Take what was made of late for old: as young it would all be searched at the next thing made.

    Not while something is set apart, which would come back with it. ``gc.get_freeze_count`` is no way to know
    that: it walks through all that is set apart, and every thread waits for 25 ms.
    """
    if not _apart:
        gc.freeze()
        gc.unfreeze()
