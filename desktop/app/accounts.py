"""What the window of accounts asks for, answered by the database of a session."""

from __future__ import annotations

from db.bootstrap import Core
from db.kernel.actor import Actor
from db.people.queries import AccountBook, account_book
from desktop.accounts.work import AccountWork


def account_work(core: Core, who: Actor, *, on_server: bool) -> AccountWork:
    """The questions of the window, for one person."""

    def read() -> AccountBook:
        with core.database.read() as connection:
            return account_book(connection)

    return AccountWork(read, lambda command: core.bus.run(command, who).result, on_server)
