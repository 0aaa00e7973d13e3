"""The sign-in page: name, password, and plain words when it does not work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from db.kernel.actor import Actor
from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.signin.frame import WIDTH, Frame
from desktop.widgets.button import Button
from desktop.widgets.form import Form
from desktop.widgets.theme import Theme

CheckIn = Callable[[str, str], Awaitable[Actor]]
BeginHere = Callable[[str, str, str], Awaitable[Actor]]


class SignInPage(Frame):
    """Asks who is there; ``signed_in`` carries the actor.

    With ``begin`` the database has no accounts yet: the page asks for the first one instead.
    """

    signed_in = Signal(object)
    server_wanted = Signal()
    """Not at this computer's own database: at a server."""

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
        super().__init__(theme, _("{city} city management").format(city=city), parent)
        self._jobs = jobs
        self._check_in = check_in
        self._begin = begin
        self._build(login, hint)
        self._wire()

    def _build(self, login: str, hint: str) -> None:
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
        self.form.setFixedWidth(theme.px(WIDTH))
        self.column.addWidget(self.form)
        if hint:
            self.add_words(hint)
        # zh: 联网协同…
        self.server_button = Button(theme, _("Work at a server…"), kind="quiet", icon_name="server")
        self.column.addWidget(self.server_button)
        self.column.addStretch(1)
        (self.person if self._begin else self.password if login else self.login).setFocus(
            Qt.FocusReason.OtherFocusReason
        )

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.server_button.clicked.connect(self.server_wanted)

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
