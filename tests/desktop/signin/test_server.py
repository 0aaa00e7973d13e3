"""Signing in at a server: one that does not prove itself is named, and the authority's file mends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget

from db.kernel.refusal import Refused, Unavailable
from desktop.core.jobs import Jobs
from desktop.signin.server import ServerPage
from desktop.widgets.theme import Theme


class Bureau:
    """A server that is believed once the right authority is known."""

    def __init__(self, until: Callable[..., None], shown: Callable[..., QWidget]) -> None:
        self.until = until
        self.jobs = Jobs(lambda _error: None)
        self.trusted: list[Path] = []
        self.refusal: Exception | None = None
        self.joined: list[object] = []
        self.page = ServerPage(Theme(), self.jobs, self._join, self._trust, address="10.1.2.3", login="wang")
        self.page.joined.connect(self.joined.append)
        shown(self.page, 900, 600)

    def _join(self, *_words: object) -> object:
        if self.refusal is not None:
            raise self.refusal
        if not self.trusted:
            raise Unavailable("no_authority", "Nothing can prove that {where} is it.", where="10.1.2.3")
        return "a seat"

    def _trust(self, file: Path) -> None:
        if file.suffix != ".crt":
            raise Refused("no_certificate", "{path} is no certificate.", path=str(file))
        self.trusted.append(file)

    def sign_in(self) -> None:
        self.page.password.setText("right")
        QTest.keyClick(self.page.password, Qt.Key.Key_Return)
        self.until(lambda: not self.jobs._tasks)

    def said(self) -> list[str]:
        """What stands in the colour of what is wrong, about the whole form."""
        labels = self.page.form.findChildren(QLabel)
        return [each.text() for each in labels if each.isVisible() and each.property("tone") == "over"]


@pytest.fixture(autouse=True)
def loop(application: QApplication) -> Iterator[qasync.QEventLoop]:
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    # Turned piece by piece, never by QApplication.exec(): see tests/desktop/open_room.py.
    asyncio.events._set_running_loop(loop)
    yield loop
    asyncio.events._set_running_loop(None)
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def bureau(until: Callable[..., None], shown: Callable[..., QWidget]) -> Iterator[Bureau]:
    bureau = Bureau(until, shown)
    yield bureau
    bureau.jobs.close()


def test_the_file_of_the_authority_is_asked_for_when_it_would_help(bureau: Bureau) -> None:
    page = bureau.page
    assert not page.trust_button.isVisible()
    bureau.sign_in()
    assert bureau.said() == ["Nothing can prove that 10.1.2.3 is it."]
    assert page.trust_button.isVisible()
    page.trust_certificate(Path("photo.jpg"))
    assert bureau.said() == ["photo.jpg is no certificate."]
    page.trust_certificate(Path("bureau.crt"))
    assert bureau.said() == []
    assert not page.trust_button.isVisible()
    bureau.sign_in()
    assert bureau.joined == ["a seat"]


def test_the_button_opens_a_dialog_for_the_file(bureau: Bureau) -> None:
    bureau.sign_in()
    QTest.mouseClick(bureau.page.trust_button, Qt.MouseButton.LeftButton)
    (dialog,) = bureau.page.findChildren(QFileDialog)
    bureau.until(dialog.isVisible)
    dialog.fileSelected.emit("bureau.crt")
    dialog.close()
    assert bureau.trusted == [Path("bureau.crt")]


def test_a_first_copy_that_was_cut_off_says_that_it_goes_on_from_there(bureau: Bureau) -> None:
    page = bureau.page

    def cut(_address: str, _login: str, _password: str, watch: Callable[[int, int, str], bool]) -> object:
        watch(20, 100, "First copy: Cases")
        raise Unavailable("database_lost", "It does not answer.")

    page._join = cut
    bureau.sign_in()
    (said,) = bureau.said()
    assert said.startswith("The first copy was cut off")
    assert said.endswith("It does not answer.")
    bureau.refusal, page._join = Unavailable("no_line", "Nobody there."), bureau._join
    bureau.sign_in()
    assert bureau.said() == ["Nobody there."], "nothing of a copy had come this time"


def test_words_of_several_lines_are_shown_in_full_and_move_nothing_above_them(bureau: Bureau) -> None:
    page = bureau.page
    field = page.form.fields["password"]
    before = page.address.mapTo(page, page.address.rect().topLeft())
    bureau.refusal = Unavailable("no_line", "The server does not answer. " * 8)
    bureau.sign_in()
    bureau.until(lambda: field._below.height() >= field._below.heightForWidth(field._below.width()))
    assert field._below.height() > 2 * field._below.fontMetrics().height()
    assert page.address.mapTo(page, page.address.rect().topLeft()) == before


def test_the_key_on_the_button_stops_the_copy(bureau: Bureau) -> None:
    page = bureau.page
    stopped: list[bool] = []
    page.progress.cancelled.connect(lambda: stopped.append(True))
    QTest.keyClick(page.password, Qt.Key.Key_Escape)
    assert stopped == [], "nothing is under way"
    page.show_progress(20, 100, "First copy: Cases")
    QTest.keyClick(page.password, Qt.Key.Key_Escape)
    QTest.keyClick(page.password, Qt.Key.Key_Escape)
    assert stopped == [True]


@pytest.mark.parametrize("code", ["expired_proof", "other_name", "no_tls"])
def test_what_another_file_does_not_mend_asks_for_none(bureau: Bureau, code: str) -> None:
    bureau.refusal = Unavailable(code, "It is not believed.")
    bureau.sign_in()
    assert bureau.said() == ["It is not believed."]
    assert not bureau.page.trust_button.isVisible()
