"""Signing in at a server: its address, name and password, and how far the first copy is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget
from shiboken6 import isValid

from db.kernel.language import _
from db.kernel.refusal import Trouble, Unavailable
from db.sync.authority import DISTRUST, MENDED_BY_AUTHORITY
from desktop.core.jobs import Jobs
from desktop.signin.frame import WIDTH, Frame
from desktop.widgets.button import Button
from desktop.widgets.form import Form
from desktop.widgets.progress import Progress
from desktop.widgets.theme import Theme

Watcher = Callable[[int, int, str], bool]
"""How much of how much of what has come; ``False`` when it is to stop."""
Joining = Callable[[str, str, str, Watcher], Any]
"""Address, name, password: the seat that was taken, ``None`` when it was stopped. It waits for the
server, and may raise ``Trouble``.
"""
Trusting = Callable[[Path], None]
"""Keeps the certificate of the authority that vouches for the server; may raise ``Trouble``."""


class ServerPage(Frame):
    """Asks where the server is and who is there; ``joined`` carries the seat."""

    joined = Signal(object)
    alone_wanted = Signal()
    """Not at a server: this computer alone."""
    _went_on = Signal(int, int, str)

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        join: Joining,
        trust: Trusting,
        *,
        address: str = "",
        login: str = "",
        may_choose: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        """``may_choose``: whether another address, or none, can be given."""
        super().__init__(theme, _("Work together at a server"), parent)  # zh: 联网协同办公
        self._jobs = jobs
        self._join = join
        self._trust = trust
        self._stop = threading.Event()
        self._has_begun = False
        """Whether something of a first copy has come since the last attempt."""
        self._build(address, login, may_choose)
        self._wire()

    def _build(self, address: str, login: str, may_choose: bool) -> None:
        theme = self._theme
        self.setWindowTitle(_("Jingwei"))
        self.address = QLineEdit(address)
        self.address.setMaxLength(400)
        self.address.setPlaceholderText("10.1.2.3")
        self.address.setReadOnly(not may_choose)
        self.login = QLineEdit(login)
        self.login.setMaxLength(60)
        self.password = QLineEdit()
        self.password.setMaxLength(200)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.form = Form(theme, _("Sign in"))
        self.form.add("address", _("Server"), self.address)  # zh: 服务器
        self.form.add("login", _("Account"), self.login)
        self.form.add("password", _("Password"), self.password)
        self.form.setFixedWidth(theme.px(WIDTH))
        self.progress = Progress(theme)
        self.progress.setFixedWidth(theme.px(WIDTH))
        self.progress.hide()
        # zh: 选择根证书文件…
        self.trust_button = Button(
            theme, _("Choose the authority's certificate…"), kind="quiet", icon_name="lock"
        )
        self.trust_button.hide()
        # zh: 仅用本机
        self.alone_button = Button(theme, _("This computer alone"), kind="quiet", icon_name="database")
        self.alone_button.setVisible(may_choose)
        self.column.addWidget(self.form)
        self.column.addWidget(self.progress)
        self.column.addSpacing(theme.px(8))
        self._hint = self.add_words(
            _(
                "The first time, what the server has is copied to this computer; you work on the copy,"
                " also while the line is cut."
            )
        )
        self.column.addWidget(self.trust_button)
        self.column.addWidget(self.alone_button)
        self.column.addStretch(1)
        first = next((each for each in (self.address, self.login) if not each.text()), self.password)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.trust_button.clicked.connect(self._on_trust_wanted)
        self.alone_button.clicked.connect(self.alone_wanted)
        self.progress.cancelled.connect(self._stop.set)
        # Progress comes from another thread; the signal brings it over.
        self._went_on.connect(self._on_went_on, Qt.ConnectionType.QueuedConnection)

    def say(self, words: str) -> None:
        """Say what went wrong, under the password."""
        self.form.set_errors({"password": words})

    def say_trouble(self, _kind: str, words: str) -> None:
        """The same for trouble of any kind that nobody else can tell."""
        self.say(words)

    def trust_certificate(self, file: Path) -> None:
        """Believe servers that this authority vouches for."""
        try:
            self._trust(file)
        except Trouble as trouble:
            self.form.set_errors({"": trouble.text()})
            return
        self.trust_button.hide()
        self._hint.show()
        self.form.set_errors({})
        self.password.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_trust_wanted(self) -> None:
        # zh: 选择根证书文件
        dialog = QFileDialog(self, _("The authority's certificate"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(_("Certificates") + " (*.crt *.pem *.cer)")
        dialog.fileSelected.connect(lambda name: self.trust_certificate(Path(name)))
        dialog.open()

    def show_progress(self, done: int, total: int, words: str) -> None:
        """How far the copy is."""
        self.progress.show()
        self.progress.set(done, total, words)

    def _on_sent(self) -> None:
        if self.form.send_button.isEnabled():
            self._jobs.start(self._try())

    def _on_went_on(self, done: int, total: int, words: str) -> None:
        if not self.form.send_button.isEnabled():
            self.show_progress(done, total, words)

    def _watch(self, done: int, total: int, words: str) -> bool:
        """On the asking thread."""
        self._has_begun = self._has_begun or done > 0
        if not self._stop.is_set():
            self._went_on.emit(done, total, words)
        return not self._stop.is_set()

    async def _try(self) -> None:
        self._stop.clear()
        self._has_begun = False
        self.form.set_errors({})
        self.form.send_button.setEnabled(False)
        self.progress.restart()
        address, login = self.address.text().strip(), self.login.text().strip()
        seat, wrong, words, code = None, "password", "", ""
        try:
            seat = await self._jobs.ask(self._join, address, login, self.password.text(), self._watch)
        except Trouble as trouble:
            # Several lines, and about no field.
            wrong = "" if trouble.code in DISTRUST else wrong
            wrong = "address" if trouble.code == "not_an_address" else wrong
            words, code = trouble.text(), trouble.code
            if self._has_begun and isinstance(trouble, Unavailable):
                # zh: 首次同步中断，已同步的部分已保存；再次登录时从中断处继续。
                kept = _(
                    "The first copy was cut off; what has come is kept, and signing in goes on from there."
                )
                wrong, words = "", f"{kept}\n{words}"
        if not isValid(self):
            # Closed while it was on its way: nobody sits on that seat.
            if seat is not None:
                await self._jobs.ask(seat.leave)
            return
        self.form.send_button.setEnabled(True)
        self.progress.hide()
        self.trust_button.setVisible(code in MENDED_BY_AUTHORITY)
        # On a small screen there is room for one of them.
        self._hint.setVisible(code not in DISTRUST)
        if not wrong:
            # What is wrong is about no field: the focus goes to what mends it.
            next_one = self.trust_button if self.trust_button.isVisible() else self.password
            next_one.setFocus(Qt.FocusReason.OtherFocusReason)
        if seat is not None:
            self.password.clear()
            self.joined.emit(seat)
        elif words:
            self.password.clear()
            self.form.set_errors({wrong: words})
        else:
            # zh: 首次同步已停止；再次登录时从中断处继续。
            self.say(_("Stopped. The next time it goes on from there."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.progress.cancel()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop.set()
        super().closeEvent(event)
