"""The sign-in page: name, password, and plain words when it does not work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from db.kernel.actor import Actor
from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.widgets.button import IconButton
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

CheckIn = Callable[[str, str], Awaitable[Actor]]
BeginHere = Callable[[str, str, str], Awaitable[Actor]]


class SignInPage(QWidget):
    """Asks who is there; ``signed_in`` carries the actor.

    With ``begin`` the database has no accounts yet: the page asks for the first one instead.
    """

    signed_in = Signal(object)
    theme_wanted = Signal()
    language_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        check_in: CheckIn,
        *,
        city: str,
        login: str = "",
        hint: str = "",
        begin: BeginHere | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._check_in = check_in
        self._begin = begin
        self._build(city, login, hint)
        self._wire()

    def _build(self, city: str, login: str, hint: str) -> None:
        theme = self._theme
        self.login = QLineEdit(login)
        self.login.setMaxLength(60)
        self.password = QLineEdit()
        self.password.setMaxLength(200)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.person = QLineEdit()
        self.person.setMaxLength(60)
        self.form = Form(theme, _("Begin") if self._begin else _("Sign in"))
        if self._begin:
            self.form.add("person", _("Your name"), self.person)
        self.form.add("login", _("Name to sign in with") if self._begin else _("Account"), self.login)
        self.form.add("password", _("Password"), self.password)
        self.form.setFixedWidth(theme.px(320))
        column = QVBoxLayout()
        column.setSpacing(theme.px(8))
        column.addStretch(2)
        column.addWidget(label(_("Jingwei"), "figure", "text1", bold=True))
        column.addWidget(label(_("{city} city management").format(city=city), "body", "text2"))
        column.addSpacing(theme.px(16))
        column.addWidget(self.form)
        if hint:
            words = label(hint, "label", "text3")
            words.setWordWrap(True)
            words.setFixedWidth(theme.px(320))
            column.addWidget(words)
        column.addStretch(3)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(column)
        middle.addStretch(1)
        self.theme_button = IconButton(theme, "theme", _("Dark or light"))
        self.language_button = IconButton(theme, "language", _("中文 / English"))
        corner = QHBoxLayout()
        corner.setContentsMargins(0, theme.px(8), theme.px(8), 0)
        corner.addStretch(1)
        corner.addWidget(self.theme_button)
        corner.addWidget(self.language_button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(corner)
        rows.addLayout(middle, 1)
        (self.person if self._begin else self.password if login else self.login).setFocus(
            Qt.FocusReason.OtherFocusReason
        )

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.theme_button.clicked.connect(self.theme_wanted)
        self.language_button.clicked.connect(self.language_wanted)
        self._theme.changed.connect(self.update)

    def say(self, words: str) -> None:
        """Say what went wrong, under the password."""
        self.form.set_errors({"password": words})

    def say_trouble(self, _kind: str, words: str) -> None:
        """The same for trouble of any kind that nobody else can tell."""
        self.say(words)

    def _on_sent(self) -> None:
        if self.form.send_button.isEnabled():
            self._jobs.start(self._try())

    async def _try(self) -> None:
        self.form.send_button.setEnabled(False)
        try:
            login, password = self.login.text().strip(), self.password.text()
            if self._begin is not None:
                actor = await self._begin(self.person.text(), login, password)
            else:
                actor = await self._check_in(login, password)
        except Trouble as trouble:
            self.password.clear()
            self.say(trouble.text())
            return
        finally:
            self.form.send_button.setEnabled(True)
            self.password.setFocus(Qt.FocusReason.OtherFocusReason)
        self.password.clear()
        self.signed_in.emit(actor)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()
