"""Who reported the case: masked, and for a minute in plain words to who says why."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from db.cases.contacts import LEAST_REASON, SEE_PLAIN, Contact, MaskedContact
from db.kernel.actor import Actor
from db.kernel.language import _
from desktop.widgets.button import Button
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

SHOWN_SECONDS = 60
"""DOMAIN 6.5: what was unmasked hides itself again."""


class ContactLine(QWidget):
    """The contact of one case. Invariant: no plain word is held anywhere once it is hidden."""

    asked = Signal(str)
    """The person wants to see it, for this reason."""

    def __init__(self, theme: Theme, who: Actor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._who = who
        self._masked: MaskedContact | None = None
        self._contact: Contact | None = None
        self._left = 0
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._on_second)
        self._build()

    @property
    def contact(self) -> Contact | None:
        """The plain contact while it is shown."""
        return self._contact

    def set_masked(self, masked: MaskedContact | None) -> None:
        """The contact of the case as everybody here may see it; ``None``: the line goes away."""
        self._masked = masked
        self.setVisible(masked is not None)
        self._say()

    def reveal(self, contact: Contact) -> None:
        """Show it in plain words, for a minute."""
        self._contact = contact
        self._left = SHOWN_SECONDS
        self._timer.start()
        self._say()

    def conceal(self) -> None:
        """Forget the plain words."""
        self._timer.stop()
        self._contact = None
        self._say()

    def words(self) -> str:
        """What stands there."""
        return self._words.text()

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self._theme.px(8))
        # Neither selected nor copied: it is to be dialled, not to be kept.
        self._words = label("", "body", "text1")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._count = label("", "label", "soon")
        # zh: 显示联系方式
        self.button = Button(self._theme, _("Show…"), kind="quiet", icon_name="eye")
        self.button.clicked.connect(self._on_button)
        row.addWidget(self._words)
        row.addWidget(self._count)
        row.addWidget(self.button)
        row.addStretch(1)

    def _say(self) -> None:
        shown = self._contact or self._masked
        parts = [] if shown is None else [shown.name, shown.phone]
        if self._masked is not None and self._masked.wants_answer:
            # zh: 要求回复
            parts.append(_("wants an answer"))
        if shown is self._masked is not None and self._masked.is_away:
            # zh: 联系方式只存于服务器
            parts.append(_("kept on the server only"))
        self._words.setText("  ".join(part for part in parts if part))
        # Screen readers speak aloud in a room full of people.
        self._words.setAccessibleName(_("Contact"))
        self.button.setVisible(self._who.may(SEE_PLAIN))
        self._count.setVisible(self._contact is not None)
        if self._contact is not None:
            # zh: {seconds} 秒后隐藏
            self._count.setText(_("hides in {seconds} s").format(seconds=self._left))
            self.button.setText(_("Hide"))
        else:
            self._count.setText("")
            self.button.setText(_("Show…"))

    def _on_second(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.conceal()
        else:
            self._say()

    def _on_button(self) -> None:
        if self._contact is not None:
            self.conceal()
            return
        dialog = ReasonDialog(self._theme, self.window())
        dialog.answered.connect(self.asked)
        dialog.open()

    def hideEvent(self, event: QHideEvent) -> None:
        # The window was closed or put aside: nobody is looking.
        self.conceal()
        super().hideEvent(event)


class ReasonDialog(QDialog):
    """Asks why a contact is to be shown."""

    answered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        px = theme.px
        title = _("Show the contact")
        self.setWindowTitle(title)
        self.text = QLineEdit()
        self.text.setMaxLength(400)
        self.form = Form(theme, _("Show for {seconds} s").format(seconds=SHOWN_SECONDS), _("Cancel"))
        # zh: 查看事由
        self.form.add("text", _("Why do you need it?"), self.text)
        note = label(_("Your name, the time and the reason are kept with the case."), "label", "text2")
        note.setWordWrap(True)
        self.form.add_widget(note)
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(label(title, "place", "text1", bold=True))
        column.addWidget(self.form)
        self.setMinimumWidth(px(420))

    def _on_sent(self) -> None:
        reason = self.text.text().strip()
        if len(reason) < LEAST_REASON:
            self.form.set_errors({"text": _("A reason is required.")})
            return
        self.answered.emit(reason)
        self.accept()
