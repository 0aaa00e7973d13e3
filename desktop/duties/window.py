"""The list of duties (责任清单): the matrix, its proof, and the map on which it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from PySide6.QtCore import QDate, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from db.duties.book import DutyBook
from db.duties.commands import ClearDuties, PaintDuties
from db.duties.foresight import Repaint, foresee
from db.kernel.language import _, language, ngettext_
from db.kernel.refusal import Trouble
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import local, number
from desktop.duties.ground import AreaMap
from desktop.duties.matrix import MatrixView
from desktop.duties.summary import Line, Summary, percent_text
from desktop.duties.work import DutyWork
from desktop.widgets.button import Button
from desktop.widgets.changing import ChangingWindow
from desktop.widgets.plain import label, set_tone, tip
from desktop.widgets.theme import Theme

PERMISSION = "duty.manage"
_OWN_AREA = -1
"""In place of a unit: the rows of the areas themselves go, and the larger area answers."""
_HAND_RESTS_MS = 120


@dataclass(frozen=True)
class _Brush:
    """What would be painted."""

    line: Line
    unit_id: int | None
    person_id: int | None
    on: date


class DutyWindow(ChangingWindow):
    """Show it with ``show()``. Invariant: matrix, map and proof show one day of one reading of the matrix."""

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: DutyWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, jobs, work.run, parent)
        self._work = work
        self._may_change = context.who.may(PERMISSION)
        self.today = local(context.board.now_ms, context.zone).date()
        self._book: DutyBook | None = None
        self._summary: Summary | None = None
        self.repaint_: Repaint | None = None
        self._has_ground = False
        self._foreseen = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_HAND_RESTS_MS)
        self._build()
        self._wire()
        self.refresh()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return super().is_busy or self._soon.isActive()

    @property
    def on(self) -> date:
        """The day that is shown, and from which a change holds."""
        picked = self.day.date()
        return date(picked.year(), picked.month(), picked.day())

    # Building.

    def _build(self) -> None:
        theme = self._theme
        # zh: 责任清单
        self.setWindowTitle(_("Duties"))
        self.setMinimumSize(theme.px(940), theme.px(560))
        self.resize(theme.px(1320), theme.px(800))
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(12)] * 4))
        column.setSpacing(theme.px(8))
        column.addLayout(self._build_top())
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.matrix = MatrixView(theme)
        self.splitter.addWidget(self.matrix)
        self.splitter.addWidget(self._build_right())
        self.splitter.setStretchFactor(0, 11)
        self.splitter.setStretchFactor(1, 10)
        column.addWidget(self.splitter, 1)
        column.addLayout(self.build_foot("label"))
        self.matrix.setFocus()
        self._enable()

    def _build_top(self) -> QHBoxLayout:
        theme = self._theme
        self.day = QDateEdit(QDate(self.today.year, self.today.month, self.today.day))
        self.day.setDisplayFormat("yyyy-MM-dd")
        self.day.setCalendarPopup(True)
        # zh: 查看日期
        self.day.setAccessibleName(_("Day shown"))
        self.proof = Button(theme, "…", kind="quiet", keys="Alt H")
        # zh: 空白与重叠
        self.proof.setAccessibleDescription(_("Shows the list of holes and overlaps"))
        self.proof.setCheckable(True)
        # zh: 责任清单
        title = label(_("Duties"), "title", bold=True)
        # zh: 截至
        as_of = label(_("As of"), "label", "text2")
        row = QHBoxLayout()
        row.setSpacing(theme.px(10))
        for widget in (title, as_of, self.day):
            row.addWidget(widget)
        row.addSpacing(theme.px(12))
        row.addWidget(self.proof)
        row.addStretch(1)
        # zh: 斜线 = 无人负责，菱形 = 职责重叠
        row.addWidget(label(_("hatched: nobody · diamond: overlap"), "label", "text3"))
        return row

    def _build_right(self) -> QWidget:
        theme = self._theme
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(theme.px(8), 0, 0, 0)
        column.setSpacing(theme.px(6))
        self.shown = label("", "place", bold=True)
        self.shown.setWordWrap(True)
        column.addWidget(self.shown)
        self.map = AreaMap(theme)
        column.addWidget(self.map, 1)
        self.faults = QListWidget()
        self.faults.setAccessibleName(_("Holes and overlaps"))
        self.faults.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.faults.hide()
        column.addWidget(self.faults)
        column.addLayout(self._build_brush())
        self.effect = label("", "body", "text2")
        self.effect.setWordWrap(True)
        self.effect.setMinimumHeight(theme.px(38))
        self.effect.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.effect)
        return right

    def _build_brush(self) -> QHBoxLayout:
        theme = self._theme
        self.level = QComboBox()
        # zh: 按单元网格 / 按责任网格 / 按社区 / 按街道
        for words, kind in (
            (_("by cell"), "cell"),
            (_("by patrol area"), "patrol"),
            (_("by community"), "community"),
            (_("by sub-district"), "district"),
        ):
            self.level.addItem(words, kind)
        self.unit = QComboBox()
        self.person = QComboBox()
        row = QHBoxLayout()
        row.setSpacing(theme.px(6))
        # zh: 涂选范围 / 责任单位 / 责任人
        for box, name, stretch in (
            (self.level, _("Brush"), 3),
            (self.unit, _("Unit"), 4),
            (self.person, _("Person"), 3),
        ):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            row.addWidget(box, stretch)
        # zh: 应用
        self.apply_button = Button(theme, _("Apply"), keys="Ctrl ⏎", kind="primary")
        row.addWidget(self.apply_button)
        return row

    def _wire(self) -> None:
        self.day.dateChanged.connect(lambda _date: self._on_day())
        self.day.installEventFilter(self)
        self.proof.toggled.connect(self.faults.setVisible)
        self.faults.currentItemChanged.connect(lambda item, _before: self._on_fault(item))
        self.matrix.moved.connect(self._on_moved)
        self.matrix.entered.connect(self.map.setFocus)
        self.level.currentIndexChanged.connect(lambda _index: self.map.set_level(self.level.currentData()))
        self.unit.currentIndexChanged.connect(lambda _index: self._on_unit())
        self.person.currentIndexChanged.connect(lambda _index: self._foresee_soon())
        self.map.chosen_changed.connect(self._foresee_soon)
        self._soon.timeout.connect(self._foresee)
        self.apply_button.clicked.connect(self.apply)
        self.bind("Ctrl+Return", self.apply_button.click)
        self.bind("Alt+H", self.proof.toggle)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Enter in the date goes to the matrix, not to a default button.
        if (
            watched is self.day
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and not event.modifiers()
        ):
            self.matrix.setFocus()
            return True
        return super().eventFilter(watched, event)

    # Reading.

    async def _read(self, asked: int) -> None:
        try:
            ground = None if self._has_ground else await self._jobs.read(self._work.outlines)
            book = await self._jobs.read(self._work.read)
            summary = await self._jobs.read(Summary, book, self.on)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._reading = False
                self._tell(trouble.text(), "over")
            return
        if not self._is_newest(asked):
            return
        self._reading = False
        self._book = book
        if ground is not None:
            self._has_ground = True
            self.map.set_ground(ground, summary)
        self._fill_units(book)
        self._show(summary)

    async def _work_out(self, asked: int, book: DutyBook) -> None:
        summary = await self._jobs.read(Summary, book, self.on)
        if self._is_newest(asked):
            self._reading = False
            self._show(summary)

    def _show(self, summary: Summary) -> None:
        self._summary = summary
        self.map.set_summary(summary)
        self.matrix.set_summary(summary)
        found = summary.coverage
        self.proof.setText(percent_text(found))
        self.faults.blockSignals(True)
        self.faults.clear()
        book, code = summary.book, language()
        rows: list[tuple[str, Line, int]] = [
            (hole.text(book, code), Line(hole.kind, hole.prefix), hole.area_id) for hole in found.holes
        ]
        rows += [
            (
                # zh: 重叠：{words}
                _("Overlap: {words}").format(words=each.text(book, code)),
                Line(each.one.kind, each.one.prefix),
                each.one.area_id,
            )
            for each in found.overlaps
        ]
        for words, line, area_id in rows:
            item = QListWidgetItem(words)
            item.setToolTip(tip(words))
            item.setData(Qt.ItemDataRole.UserRole, (line, area_id))
            self.faults.addItem(item)
        self.faults.setCurrentRow(-1)
        # As high as its lines, and never higher than five of them.
        high = max(self.faults.sizeHintForRow(0), self._theme.px(28))
        self.faults.setFixedHeight(high * min(max(len(rows), 1), 5) + self._theme.px(8))
        self.faults.blockSignals(False)
        self._foresee_soon()
        self._enable()

    def _fill_units(self, book: DutyBook) -> None:
        chosen = self.unit.currentData()
        self.unit.blockSignals(True)
        self.unit.clear()
        for unit_id, each in book.units.items():
            if each.active:
                self.unit.addItem(each.label(language()), unit_id)
        # zh: （不单设，随上级区域）
        self.unit.addItem(_("— none of its own: the larger area answers"), _OWN_AREA)
        self.unit.setCurrentIndex(max(0, self.unit.findData(chosen)))
        self.unit.blockSignals(False)
        self._fill_persons()

    def _fill_persons(self) -> None:
        assert self._book is not None
        self.person.blockSignals(True)
        self.person.clear()
        # zh: 单位负责人
        self.person.addItem(_("its leader"), None)
        for each in self._book.persons.values():
            if each.active and each.unit_id == self.unit.currentData():
                self.person.addItem(each.name, each.id)
        self.person.blockSignals(False)

    # Looking.

    def _on_day(self) -> None:
        if self._book is not None:
            self._asked += 1
            self._reading = True
            self._jobs.start(self._work_out(self._asked, self._book))

    def _on_moved(self, line: Line, area_id: int) -> None:
        if self._summary is None:
            return
        self.map.set_line(line)
        self.shown.setText(self._summary.book.class_label(line.kind, line.prefix, language()))
        self._foresee_soon()

    def _on_fault(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            line, area_id = item.data(Qt.ItemDataRole.UserRole)
            self.matrix.show_place(line, area_id)
            self.map.show_area(area_id)

    # Painting.

    def _on_unit(self) -> None:
        self._fill_persons()
        self._foresee_soon()

    def _foresee_soon(self) -> None:
        self._soon.start()

    def _brush(self) -> _Brush | None:
        line = self.matrix.line
        if line is None or self.unit.currentData() is None:
            return None
        unit_id = self.unit.currentData()
        return _Brush(line, None if unit_id == _OWN_AREA else unit_id, self.person.currentData(), self.on)

    def _foresee(self) -> None:
        """Say what would change, before anything is applied."""
        brush = self._brush()
        self.repaint_ = None
        self._foreseen += 1
        if self._book is None or brush is None or not self.map.chosen:
            # zh: 在图上拖动或按空格键选择区域
            self.effect.setText(
                _("Drag over the map, or walk with the arrow keys and press Space, to choose areas.")
            )
            set_tone(self.effect, "text3")
            self._enable()
            return
        self._enable()
        self._jobs.start(self._work_out_effect(self._foreseen, self._book, brush))

    async def _work_out_effect(self, asked: int, book: DutyBook, brush: _Brush) -> None:
        """First what changes, then how many cases that leaves where they are."""
        found = await self._jobs.read(
            foresee,
            book,
            self.map.chosen,
            brush.line.kind,
            brush.line.prefix,
            brush.unit_id,
            brush.person_id,
            brush.on,
        )
        if not isValid(self) or asked != self._foreseen:
            return
        self.repaint_ = found
        self._say_effect(found, brush, None)
        self._enable()
        try:
            open_cases = await self._jobs.read(self._work.in_hand, found.category_ids, found.cells.tolist())
        except Trouble:
            # How many stay is good to know and no reason not to paint.
            return
        if isValid(self) and asked == self._foreseen:
            staying = sum(n for unit_id, n in open_cases.items() if unit_id != brush.unit_id)
            self._say_effect(found, brush, staying)

    def _say_effect(self, found: Repaint, brush: _Brush, staying: int | None) -> None:
        assert self._summary is not None
        name = self._summary.unit_name
        # zh: {changing} / {cells} 个网格变更，自 {day} 起
        parts = [
            _("{changing} of {cells} cells change from {day}").format(
                changing=number(found.changing), cells=number(len(found.cells)), day=brush.on
            )
        ]
        parts += [
            f"{name(before)} → {name(after)} {number(count)}"
            for (before, after), count in list(found.moves.items())[:3]
        ]
        if found.finer:
            # zh: {count} 个网格保留更细的规定
            words = ngettext_(
                "{count} cell keeps a finer rule", "{count} cells keep a finer rule", found.finer
            )
            parts.append(words.format(count=number(found.finer)))
        if staying:
            # zh: 在办 {count} 件不变
            words = ngettext_(
                "{count} case in hand stays where it is", "{count} cases in hand stay where they are", staying
            )
            parts.append(words.format(count=number(staying)))
        self.effect.setText(" · ".join(parts))
        set_tone(self.effect, "text1")

    def apply(self) -> None:
        """Carry out what was foreseen."""
        brush = self._brush()
        if brush is None or self.repaint_ is None or not self.apply_button.isEnabled():
            return
        chosen, line, day = tuple(sorted(self.map.chosen)), brush.line, brush.on.isoformat()
        if brush.unit_id is None:
            self._do(ClearDuties(chosen, line.kind, line.prefix, day))
        else:
            self._do(PaintDuties(chosen, line.kind, line.prefix, brush.unit_id, brush.person_id, day))

    def _done(self, command: Any) -> None:
        self.map.choose(())

    def _enable(self) -> None:
        why = "" if self._may_change else _("Your role may look at the duties, not change them.")
        self.apply_button.setEnabled(self._may_change and not self._running and self.repaint_ is not None)
        for widget in (self.apply_button, self.unit, self.person):
            widget.setToolTip(why)
            widget.setAccessibleDescription(why)

    def _rest_words(self) -> str:
        return (
            # zh: 方向键移动，空格展开；回车到地图；Ctrl 加左右键展开街道
            _("Arrow keys walk, Space unfolds a class, Ctrl → a sub-district, Enter goes to the map.")
            if self._may_change
            else _("Your role may look at the duties, not change them.")
        )
