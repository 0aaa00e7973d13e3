"""One case in full: facts at the left, its steps at the right. Who reported it is not here."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from db.calendars.rules import UNIT_LABELS, LimitUnit
from db.cases.queries import CaseDetails, StepTaken
from db.cases.rules import SOURCES, STATES, Light, light
from db.cases.workflow import VERB_LABELS
from db.kernel.clock import to_ms
from db.kernel.language import _, language
from desktop.core.context import Context
from desktop.core.words import day_and_time, span, time_left
from desktop.widgets.button import Button
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

_LIGHT_TONES = {Light.SOON: "soon", Light.OVER: "over"}


class CaseDialog(QDialog):
    """Shows a case as it was read; opened with ``open()``."""

    def __init__(
        self, theme: Theme, context: Context, details: CaseDetails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._details = details
        self._build()

    def _build(self) -> None:
        px = self._theme.px
        details = self._details
        self.setWindowTitle(_("Case {number}").format(number=details.number))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(12))
        column.addLayout(self._head())
        if details.description:
            words = label(details.description, "body", "text1")
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(words)
        sides = QHBoxLayout()
        sides.setSpacing(px(32))
        sides.addLayout(self._facts(), 2)
        sides.addWidget(self._timeline(), 3)
        column.addLayout(sides, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        close = Button(self._theme, _("Close window"), keys="Esc")
        close.clicked.connect(self.accept)
        foot.addWidget(close)
        column.addLayout(foot)
        self.resize(px(860), px(560))

    def _head(self) -> QHBoxLayout:
        details = self._details
        row = QHBoxLayout()
        title = self._context.board.directory.label("category", details.category_id, language())
        row.addWidget(label(title, "title", "text1", bold=True))
        row.addSpacing(self._theme.px(12))
        row.addWidget(label(_(STATES[details.state].label), "body", "text2"))
        row.addStretch(1)
        if details.due_at is not None and details.soon_at is not None:
            stopped = details.handled_at or details.closed_at
            at = to_ms(stopped) if stopped else self._context.board.store.now_ms
            shown = light(at, to_ms(details.due_at), to_ms(details.soon_at))
            words = time_left(to_ms(details.due_at) - at)
            row.addWidget(label(words, "title", _LIGHT_TONES.get(shown, "text1"), bold=True))
        return row

    def _facts(self) -> QVBoxLayout:
        details, directory = self._details, self._context.board.directory

        def name(kind: str, key: int | None) -> str:
            return directory.label(kind, key or 0, language())

        limit = ""
        if details.limit_amount is not None and details.limit_unit is not None:
            limit = f"{details.limit_amount} {_(UNIT_LABELS[LimitUnit(details.limit_unit)])}"
        zone = self._context.zone
        moments = {
            _("Reported"): details.reported_at,
            _("Registered"): details.filed_at,
            _("Dispatched"): details.dispatched_at,
            _("Due"): details.due_at,
            _("Handed back"): details.handled_at,
            _("Ended"): details.closed_at,
        }
        place = "" if details.lon is None else f"{details.lon:.6f}, {details.lat:.6f}"
        facts = {
            _("Number"): details.number,
            _("Source"): _(SOURCES.get(details.source, details.source)),
            _("Place"): details.address or _("(no position)"),
            _("Position"): place,
            _("District"): name("district", details.district_id),
            _("Community"): name("community", details.community_id),
            _("Cell"): name("cell", details.cell_id),
            _("Unit"): name("unit", details.unit_id),
            _("Limit"): limit,
            _("Reworks"): str(details.reworks) if details.reworks else "",
            **{title: day_and_time(to_ms(at), zone) for title, at in moments.items() if at is not None},
        }
        if details.foreign_number:
            facts[_("Number elsewhere")] = f"{details.foreign_system} {details.foreign_number}"
        column = QVBoxLayout()
        grid = QGridLayout()
        grid.setHorizontalSpacing(self._theme.px(16))
        grid.setVerticalSpacing(self._theme.px(4))
        grid.setColumnStretch(1, 1)
        for row, (title, value) in enumerate((title, value) for title, value in facts.items() if value):
            grid.addWidget(label(title, "label", "text3"), row, 0, Qt.AlignmentFlag.AlignTop)
            words = label(value, "body", "text1")
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(words, row, 1)
        column.addLayout(grid)
        column.addStretch(1)
        return column

    def _timeline(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, self._theme.px(8), 0)
        column.setSpacing(self._theme.px(10))
        before: StepTaken | None = None
        for taken in self._details.steps:
            column.addWidget(self._step(taken, before))
            before = taken
        if before is None:
            column.addWidget(label(_("Its steps are not kept; the times at the left are."), "label", "text3"))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        for part in (area, area.viewport(), inside):
            part.setAutoFillBackground(False)
        inside.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        return area

    def _step(self, taken: StepTaken, before: StepTaken | None) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._theme.px(1))
        head = QHBoxLayout()
        head.setSpacing(self._theme.px(10))
        head.addWidget(label(_(VERB_LABELS.get(taken.verb, taken.verb)), "body", "text1", bold=True))
        unit = self._context.board.directory.label("unit", taken.unit_id or 0, language())
        head.addWidget(label(" · ".join(part for part in (taken.actor_name, unit) if part), "body", "text2"))
        head.addStretch(1)
        if before is not None:
            # zh: 历时 {span}
            passed = span(to_ms(taken.at) - to_ms(before.at))
            head.addWidget(label(_("after {span}").format(span=passed), "label", "text3"))
        head.addWidget(label(day_and_time(to_ms(taken.at), self._context.zone), "label", "text2"))
        column.addLayout(head)
        if taken.note:
            note = label(taken.note, "label", "text2")
            note.setWordWrap(True)
            column.addWidget(note)
        return made
