"""A database that an older program filled learns the newer moves, and keeps the older ones beside them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, select, update

from db.bootstrap import open_core
from db.cases.commands.moving import STAGE_LIMITS, load_workflow
from db.cases.tables import transition
from db.engine import settings
from db.engine.journal import verify
from db.engine.tables import setting
from db.kernel.clock import SetClock
from db.people.tables import role
from db.registers.reference import read_roles, read_transitions
from tests.db.engine.kit import entries, rows_of
from tests.flows.bureau import MONDAY, copy_of


def test_the_newer_edition_is_loaded_once_and_roles_only_gain(bureau_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    old = copy_of(bureau_file, file).core
    with old.database.engine.begin() as connection:
        connection.execute(delete(transition).where(transition.c.edition == 2))
        connection.execute(delete(setting).where(setting.c.key == STAGE_LIMITS))
        connection.execute(
            update(role).where(role.c.code == "handler").values(permissions=["room.view", "own.right"])
        )
        connection.execute(delete(role).where(role.c.code == "wall"))
    first, length = rows_of(old.database, transition), len(entries(old.database))
    old.close()
    for _ in range(2):
        core = open_core(f"sqlite:///{file}", clock=SetClock(MONDAY))
        rows = rows_of(core.database, transition)
        assert len(rows) == len(read_transitions())
        assert {i: rows[i] for i in first} == first
        assert [e.command for e in entries(core.database)[length:]] == ["core.load_edition"]
        with core.database.read() as connection:
            assert "ask_return" in load_workflow(connection).verbs
            assert settings.get(connection, STAGE_LIMITS)["accept"] == [15, 0]
            found = {
                r.code: r.permissions for r in connection.execute(select(role.c.code, role.c.permissions))
            }
            assert verify(connection).whole
        shipped = {row.code: row.permissions for row in read_roles()}
        assert found["handler"] == list(dict.fromkeys(["room.view", "own.right", *shipped["handler"]]))
        # A role that the bureau took away stays away.
        assert "wall" not in found
        core.close()


def test_verbs_of_the_older_edition_lead_on_in_the_newer() -> None:
    editions: dict[int, dict[tuple[str, str], str]] = {}
    for row in read_transitions():
        editions.setdefault(row.edition, {})[row.from_state, row.verb] = row.to_state
    assert editions[1].items() <= editions[2].items()
