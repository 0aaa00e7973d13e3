"""What the screen of duties asks for, answered by the database of a session."""

from __future__ import annotations

from collections.abc import Iterable

from db.advice.automatic import Automation, automation
from db.advice.evaluating import Evaluation, evaluate
from db.bootstrap import Core
from db.cases.holders import in_hand
from db.duties.book import DutyBook
from db.duties.queries import duty_book
from db.kernel.actor import Actor
from db.registers.queries import BaseMap, base_map
from desktop.duties.automatic import AutomaticWork
from desktop.duties.work import DutyWork


def duty_work(core: Core, who: Actor) -> DutyWork:
    """The questions of the window, for one person."""

    def read() -> DutyBook:
        with core.database.read() as connection:
            return duty_book(connection)

    def outlines() -> BaseMap:
        with core.database.read() as connection:
            return base_map(connection)

    def staying(category_ids: Iterable[int], cell_ids: Iterable[int]) -> dict[int, int]:
        with core.database.read() as connection:
            return in_hand(connection, category_ids, cell_ids)

    return DutyWork(read, outlines, lambda command: core.bus.run(command, who).result, staying)


def automatic_work(core: Core, who: Actor) -> AutomaticWork:
    """The same for the dialog of automatic dispatch."""

    def read() -> Automation:
        with core.database.read() as connection:
            return automation(connection)

    def tried() -> Evaluation:
        with core.database.read() as connection:
            return evaluate(connection)

    return AutomaticWork(read, tried, lambda command: core.bus.run(command, who).result)
