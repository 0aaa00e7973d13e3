"""Units and accounts that are in use are read in order."""

from __future__ import annotations

from db.bootstrap import Core
from db.kernel.actor import SYSTEM
from db.people.commands import CreateAccount
from db.people.queries import accounts, units


def test_only_active_units_are_listed(core: Core) -> None:
    with core.database.read() as connection:
        assert [(one.code, one.name, one.name_en, one.kind) for one in units(connection)] == [
            ("U1", "龙泉中队", "Longquan squad", "squad")
        ]


def test_accounts_are_listed_with_their_person(core: Core) -> None:
    for login in ("wang", "li"):
        core.bus.run(CreateAccount(login, 1, "Abcdefg1", ("dispatcher",)), SYSTEM)
    with core.database.read() as connection:
        assert [(one.login, one.name, one.post) for one in accounts(connection)] == [
            ("li", "王敏", "dispatcher"),
            ("wang", "王敏", "dispatcher"),
        ]
