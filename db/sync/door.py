"""One person's way into the server, with an end to its patience."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL

from db.engine import schema
from db.engine.bus import Bus
from db.engine.connections import Database, open_database
from db.engine.patience import Patience
from db.kernel.actor import Actor
from db.kernel.ids import IdMaker
from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import actor_of

PATIENCE_SECONDS = 12.0
"""So long a line may be silent before it counts as dead."""
_NOT_LET_IN = (
    "authentication failed",
    "does not exist",
    "is not permitted to log in",
    "no password supplied",
)


class Door:
    """A person's connections to the server, and the bus that works through them."""

    def __init__(self, database: Database, actor: Actor, patience: Patience) -> None:
        self.database = database
        self.actor = actor
        self.bus = Bus(database)
        self.backends: set[int] = set()
        """The processes of the server that work for this person here."""
        event.listen(database.engine, "checkout", self._on_checkout)
        event.listen(database.engine, "close", self._on_gone)
        event.listen(database.engine, "invalidate", self._on_gone)
        self._patience = patience

    @classmethod
    def open(cls, address: URL, login: str, password: str, ids: IdMaker) -> Door:
        """Let a person in by the server.

        ``ids`` is the station's own maker: what the server draws for an act must not meet what this file
        draws. Raises ``Refused("wrong_password")``, ``Refused`` for another version, and ``Unavailable``.
        """
        patience = Patience(PATIENCE_SECONDS)
        database = open_server(address, login, password, patience)
        try:
            schema.demand_same(database)
            actor = actor_of(database, login)
        except BaseException:
            database.close()
            raise
        database.ids = ids
        return cls(database, actor, patience)

    def _on_checkout(self, connection: Any, record: Any, _proxy: object) -> None:
        record.info["backend"] = connection.info.backend_pid
        self.backends.add(record.info["backend"])

    def _on_gone(self, _connection: object, record: Any, *_why: object) -> None:
        # The server gives the number to another's process some day.
        self.backends.discard(record.info.pop("backend", 0))

    def break_off(self) -> None:
        """Let nobody wait for an answer through it any longer."""
        self._patience.give_up()

    def close(self) -> None:
        """Close it at once, whoever waits for an answer through it."""
        self.break_off()
        self.database.close()


def open_server(address: URL, login: str, password: str, patience: Patience | None = None) -> Database:
    """The server as one person opens it. Raises ``Refused("wrong_password")`` and ``Unavailable``."""
    url = address.set(username=login, password=password or None)
    try:
        return open_database(url.render_as_string(hide_password=False), patience=patience)
    except Unavailable as trouble:
        if is_shut(trouble):
            raise Refused("wrong_password", N_("Name or password is not right.")) from trouble
        raise


def is_shut(trouble: Unavailable) -> bool:
    """Whether the server answered and did not let the person in."""
    words = str(trouble.facts.get("reason", ""))
    return trouble.code == "database_lost" and any(each in words for each in _NOT_LET_IN)
