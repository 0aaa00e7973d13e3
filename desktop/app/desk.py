"""The supervisor's desk of one session: looking ahead, acting on many cases, undoing, proposing, keeping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject
from sqlalchemy import Connection

from db.bootstrap import Core
from db.cases.foresight import Foresight, foresee
from db.kernel.command import command_label, command_name
from db.kernel.language import _
from db.kernel.moved import Moved
from db.people.queries import on_duty
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.widgets.acting import ActWork
from desktop.widgets.effect import stays


class SupervisorDesk(QObject):
    """Stands between the panes and the bus; it owns no window."""

    def __init__(self, core: Core, context: Context, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._core = core
        self._context = context
        self._jobs = jobs

    def act_work(self) -> ActWork:
        """How the dialogs look ahead."""
        return ActWork(self._jobs, self.foresee)

    def foresee(self, command: Any) -> Foresight:
        """What a command would do now; on a reader's thread."""
        with self._core.database.read() as connection:
            return foresee(connection, command, self._context.who, self._core.clock.now())

    def on_duty(self, connection: Connection) -> Mapping[int, Sequence[str]]:
        """Who is on shift, by unit."""
        return on_duty(connection, self._core.clock.now())


def done_words(command: Any, result: Any) -> str:
    """What was done, and what stayed: "Reassign cases: 37. 3 stay: …"."""
    what = _(command_label(command_name(type(command))))
    if not isinstance(result, Moved):
        # zh: {what}：{count} 件
        return _("{what}: {count}").format(what=what, count=number(len(command.case_ids)))
    words = _("{what}: {count}").format(what=what, count=number(len(result.case_ids)))
    if not result.left_out:
        return words
    reasons = stays(result.left_out)
    # zh: {count} 件未办：{why}
    left = _("{count} stay: {why}").format(count=number(len(result.left_out)), why=reasons[0][1])
    # zh: {done}；{left}
    return _("{done}. {left}").format(done=words, left=left)
