"""Opens the room at a server and notes when each new case was on list and figures, and when on the map."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from qasync import QEventLoop

from db.live.board import News
from desktop.app.program import Options, Program, make_application
from desktop.app.session import Session
from desktop.core.preferences import passing

PATIENCE_S = 120
_LOOK_S = 0.05
READY = "ready"


class Watch:
    """What the panes of a session showed, by case, in seconds of the computer's clock."""

    def __init__(self, session: Session) -> None:
        self.listed: dict[int, float] = {}
        self.mapped: dict[int, float] = {}
        self._session = session
        self._generations: dict[int, int] = {}
        # Connected last, so the panes have taken the news in when they come here.
        session.context.news.connect(self._on_news)
        session.panes.map.drawn.connect(self._on_drawn)

    def told(self) -> dict[str, dict[int, float]]:
        """Everything up to now."""
        return {"listed": self.listed, "mapped": self.mapped}

    def _on_news(self, news: News) -> None:
        store = self._session.context.board.store
        ids = [int(store.plain(slot)["id"]) for slot in news.applied.added.tolist()]
        if ids and not news.applied.reset:
            # After the round of the loop in which what was asked to repaint is painted.
            QTimer.singleShot(0, partial(self._on_painted, ids))
            self._generations.update(dict.fromkeys(ids, self._session.panes.map.map.generation))

    def _on_painted(self, ids: list[int]) -> None:
        self.listed.update(dict.fromkeys(ids, time.time()))

    def _on_drawn(self, generation: int) -> None:
        now = time.time()
        for case_id in [each for each, wanted in self._generations.items() if wanted <= generation]:
            del self._generations[case_id]
            self.mapped[case_id] = now


def main() -> None:
    """Sit down where the first line of the standard input says, answer ``ready``, and answer each further
    line with what was shown so far; end with the input.
    """
    place: dict[str, str] = json.loads(sys.stdin.readline())
    preferences = passing()
    folder = Path(place["folder"])
    options = Options("", lang="zh_CN", server=place["address"], user=place["login"], folder=folder)
    app, theme = make_application(options, preferences, scale=1.0)
    program = Program(options, preferences, theme)
    loop = QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def watch() -> None:
        program.open()
        program.ask_server()
        page = program.server_page()
        page.password.setText(place["password"])
        page.form.send_button.click()
        async with asyncio.timeout(PATIENCE_S):
            while (session := program.session) is None:
                await asyncio.sleep(_LOOK_S)
        session.window.resize(1920, 1080)
        drawn = asyncio.Event()
        session.drawn.connect(drawn.set)
        await asyncio.wait_for(drawn.wait(), PATIENCE_S)
        shown = Watch(session)
        _tell(READY)
        while await loop.run_in_executor(None, sys.stdin.readline):
            _tell(shown.told())

    with loop:
        loop.run_until_complete(watch())
        program.close()


def _tell(what: Any) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
