"""The strip under the map that asks what is allowed where at a time of day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from db.kernel.language import N_, _, language, ngettext_
from db.registers.hours import Rule
from desktop.core.words import number
from desktop.map.overlays import Look, Overlays
from desktop.widgets.button import Button
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

_STEP = 5
"""Minutes between two places of the slider."""
_LAST = 24 * 60 - _STEP
GROUP = "hours"
ALLOWED = Look("on_time", fill="on_time", words=N_("Allowed at this time"))  # zh: 此时允许
FORBIDDEN = Look("over", hatch="over", dash=True, words=N_("Forbidden at this time"))  # zh: 此时禁止


class HoursStrip(QWidget):
    """A slider over one day. What holds is reckoned here; the database is not asked again."""

    closed = Signal()

    def __init__(self, theme: Theme, overlays: Overlays, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._overlays = overlays
        self._rules: Sequence[Rule] = ()
        self._now = datetime.now().astimezone()
        self._build()
        self._wire()
        self.hide()

    def _build(self) -> None:
        px = self._theme.px
        self._time = label("", "title", "text1", bold=True)
        self._time.setMinimumWidth(px(56))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _LAST // _STEP)
        self.slider.setSingleStep(1)
        self.slider.setPageStep(60 // _STEP)
        self.slider.setAccessibleName(_("Time of day"))
        self._said = label("", "label", "text2")
        self._now_button = Button(self._theme, _("Now"), kind="quiet")
        self._close_button = Button(self._theme, _("Hide"), kind="quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(6), px(12), px(6))
        row.setSpacing(px(12))
        row.addWidget(self._time)
        row.addWidget(self.slider, 1)
        row.addWidget(self._said)
        row.addWidget(self._now_button)
        row.addWidget(self._close_button)

    def _wire(self) -> None:
        self.slider.valueChanged.connect(lambda _place: self._show())
        self._now_button.clicked.connect(self.go_to_now)
        self._close_button.clicked.connect(self.leave)

    def open(self, rules: Sequence[Rule], now: datetime) -> None:
        """Ask about the day of ``now`` (in the city's zone), beginning at that minute."""
        self._rules, self._now = rules, now
        self.show()
        self.slider.setFocus(Qt.FocusReason.OtherFocusReason)
        self.go_to_now()

    def leave(self) -> None:
        """Take the layer away."""
        self.hide()
        self._overlays.lay(GROUP, ())
        self.closed.emit()

    def go_to_now(self) -> None:
        """Back to the minute at which it was opened."""
        place = (self._now.hour * 60 + self._now.minute) // _STEP
        with QSignalBlocker(self.slider):
            self.slider.setValue(place)
        self._show(self._now)

    def go_to(self, minute: int) -> None:
        """Ask about a minute of the day."""
        self.slider.setValue(minute // _STEP)

    def holding(self, at: datetime) -> list[Rule]:
        """The rules that hold at a moment."""
        return [rule for rule in self._rules if rule.holds_until(at) is not None]

    def _show(self, at: datetime | None = None) -> None:
        midnight = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = at or midnight + timedelta(minutes=self.slider.value() * _STEP)
        self._time.setText(f"{moment:%H:%M}")
        rules = self.holding(moment)
        words = ngettext_("{count} rule holds", "{count} rules hold", len(rules))
        self._said.setText(words.format(count=number(len(rules))))
        self._overlays.lay(
            GROUP,
            # What forbids lies over what allows.
            [
                (rule.outline, _spoken(ALLOWED if rule.allowed else FORBIDDEN), _name(rule, moment))
                for rule in sorted(rules, key=lambda rule: not rule.allowed)
            ],
        )


def _spoken(look: Look) -> Look:
    return Look(look.stroke, look.fill, look.hatch, look.dash, _(look.words))


def _name(rule: Rule, at: datetime) -> str:
    until = rule.holds_until(at)
    name = (language() == "en" and rule.name_en) or rule.name
    return _("{name} until {time}").format(name=name, time=f"{until:%H:%M}") if until else name
