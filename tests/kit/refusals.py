"""Expect trouble by its code: its words are for people and may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from db.kernel.refusal import Trouble


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The block must raise ``Trouble`` with this code, and its sentence must be complete."""
    with pytest.raises(Trouble) as caught:
        yield
    assert caught.value.code == code
    assert "{" not in caught.value.text()
