"""Memory of a process and its children."""

from __future__ import annotations

import os

from desktop.app.memory import memory_mib


def test_the_memory_of_this_process_is_counted() -> None:
    if os.path.exists("/proc/self/smaps_rollup"):  # noqa: PTH110
        assert memory_mib(os.getpid()) > 10
    assert memory_mib(2**22 + 1) == 0.0
