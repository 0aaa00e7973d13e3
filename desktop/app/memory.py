"""How much memory a process and all below it take."""

from __future__ import annotations

from pathlib import Path


def memory_mib(root: int) -> float:
    """Memory of a process and all below it in MiB, shared pages counted once; 0 where there is no /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        # The name stands in brackets and may hold spaces.
        children.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(entry.parent.name))
    total, queue = 0.0, [root]
    while queue:
        pid = queue.pop()
        queue += children.get(pid, [])
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += (
            next((int(row.split()[1]) for row in rollup.splitlines() if row.startswith("Pss:")), 0) / 1024
        )
    return total
