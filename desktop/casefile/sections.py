"""The parts of a case view that are words: facts, requests and orders, who answers, what else was here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from db.calendars.rules import UNIT_LABELS, LimitUnit
from db.cases.casefile import CaseFile, ClockSpan, Near, Relative
from db.cases.clock import CAUSE_LABELS
from db.cases.rules import SOURCES, STATES
from db.kernel.clock import to_ms
from db.kernel.language import N_, _, language
from desktop.casefile.timeline import clear
from desktop.core.context import Context
from desktop.core.words import day_and_time, number
from desktop.widgets.button import Button
from desktop.widgets.plain import label, tip
from desktop.widgets.theme import Theme

AREA_KINDS = {
    "cell": N_("Cell"),
    "patrol": N_("Patrol area"),  # zh: 责任网格
    "community": N_("Community"),
    "district": N_("District"),
}
REQUEST_KINDS = {
    "postpone": N_("Postponement"),  # zh: 延期
    "return": N_("Return"),  # zh: 回退
    "suspend": N_("Suspension"),  # zh: 挂账
    "appeal": N_("Appeal"),  # zh: 申诉
}
REQUEST_STATES = {
    "pending": N_("asked, not decided"),  # zh: 待审批
    "granted": N_("granted"),  # zh: 已准
    "refused": N_("refused"),  # zh: 未准
    "withdrawn": N_("withdrawn"),  # zh: 已撤回
}
ORDER_KINDS = {
    "supervise": N_("Supervision order"),  # zh: 督办
    "urge": N_("Reminder"),  # zh: 催办
}
TASK_KINDS = {
    "verify": N_("Verification"),  # zh: 核实
    "check": N_("Check"),  # zh: 核查
}
TASK_RESULTS = {
    "": N_("sent, not answered"),  # zh: 已派出，未回复
    "true": N_("found true"),  # zh: 属实
    "false": N_("found not true"),  # zh: 不实
    "passed": N_("passed"),  # zh: 通过
    "failed": N_("failed"),  # zh: 不通过
}
MISSING = N_("(no position)")


class Matter(NamedTuple):
    """Something asked, ordered or sent, and what came of it."""

    title: str
    state: str
    is_open: bool
    words: tuple[str, ...]
    """Lines: who and when, why, the answer."""
    is_mine: bool = False
    """A request that the person signed in may withdraw."""


class Words:
    """How the facts of a case are said; for the window and for paper alike."""

    def __init__(self, context: Context, *, full_dates: bool = False) -> None:
        """`full_dates`: always with the year, for what will be read years later."""
        self._context = context
        self._full_dates = full_dates

    def name(self, kind: str, key: int | None) -> str:
        """What an id is called."""
        return self._context.board.directory.label(kind, key or 0, language())

    def moment(self, at: datetime | None) -> str:
        """Day and time in the city; "" for none."""
        if at is None:
            return ""
        if self._full_dates:
            return f"{at.astimezone(self._context.zone):%Y-%m-%d %H:%M}"
        return day_and_time(to_ms(at), self._context.zone)

    def in_language(self, chinese: str, english: str) -> str:
        """The name in the reader's language."""
        return (english or chinese) if language() == "en" else chinese

    def facts(self, file: CaseFile) -> dict[str, str]:
        """Title → value, in the order in which they are read; what is empty is left out."""
        details = file.details
        limit = ""
        if details.limit_amount is not None and details.limit_unit is not None:
            limit = f"{details.limit_amount} {_(UNIT_LABELS[LimitUnit(details.limit_unit)])}"
        helpers = [taking.unit_id for taking in file.units if taking.role == "helper" and not taking.until]
        thing = file.thing
        values = {
            _("Source"): _(SOURCES.get(details.source, details.source)),
            _("Number elsewhere"): " ".join(
                part for part in (details.foreign_system, details.foreign_number) if part
            ),
            # zh: 对方时限
            _("Answer due there"): self.moment(details.foreign_due_at),
            _("Place"): details.address or _(MISSING),
            _("Position"): "" if details.lon is None else f"{details.lon:.6f}, {details.lat:.6f}",
            # zh: 原坐标
            _("As given"): (
                f"{details.original_x:g}, {details.original_y:g} {details.datum or ''}".strip()
                if details.original_x is not None and details.original_y is not None
                else ""
            ),
            # zh: 部件
            _("Component"): (
                f"{self.in_language(thing.name, thing.name_en)} {thing.code}" if thing is not None else ""
            ),
            # zh: 立案条件
            _("Condition"): "" if file.filing is None else self._filing(file),
            _("Limit"): limit,
            _("Unit"): self.name("unit", details.unit_id),
            # zh: 协办单位
            _("Helping units"): _(", ").join(self.name("unit", unit_id) for unit_id in helpers),
            _("Reported by"): self.name("person", details.reporter_person_id),
            _("Reported"): self.moment(details.reported_at),
            _("Registered"): self.moment(details.filed_at),
            _("Dispatched"): self.moment(details.dispatched_at),
            _("Due"): self.moment(details.due_at),
            _("Handed back"): self.moment(details.handled_at),
            _("Ended"): self.moment(details.closed_at),
            _("Reworks"): str(details.reworks) if details.reworks else "",
            # zh: 延期次数
            _("Postponements"): str(details.extensions) if details.extensions else "",
            # zh: 考核
            _("Score"): _("The overdue is left out of the score: an appeal was granted.")
            if details.exempt
            else "",
        }
        return {title: value for title, value in values.items() if value}

    def _filing(self, file: CaseFile) -> str:
        assert file.filing is not None
        words = self.in_language(file.filing.text, file.filing.text_en)
        # zh: 结案：{closing}
        return (
            f"{words}\n" + _("To close: {closing}").format(closing=file.filing.closing)
            if (file.filing.closing)
            else words
        )

    def cause(self, span: ClockSpan) -> str:
        """Why the clock runs or stands."""
        return _(CAUSE_LABELS[span.cause]) if span.cause in CAUSE_LABELS else span.cause

    def matters(self, file: CaseFile) -> list[Matter]:
        """Requests, orders and tasks; those that wait for somebody first."""
        found = [
            Matter(
                _(REQUEST_KINDS.get(asked.kind, asked.kind)),
                # zh: 已准，待复核
                _("granted, to be confirmed")
                if asked.state == "pending" and asked.decided_by is not None
                else _(REQUEST_STATES.get(asked.state, asked.state)),
                asked.state == "pending",
                self._lines(
                    (asked.asked_by_name, self.moment(asked.asked_at)),
                    (asked.reason,),
                    (asked.decided_by_name, self.moment(asked.decided_at), asked.answer),
                ),
                asked.state == "pending"
                and asked.asked_by == self._context.who.account_id
                and self._context.who.may("case.handle"),
            )
            for asked in file.requests
        ]
        found += [
            Matter(
                _(ORDER_KINDS.get(order.kind, order.kind)),
                # zh: 已回复
                _("answered") if order.answered_at else self._wanted(order.answer_due_at),
                order.kind == "supervise" and order.answered_at is None,
                self._lines(
                    (order.given_by_name, self.moment(order.given_at)),
                    (order.demand,),
                    (order.answered_by_name, self.moment(order.answered_at), order.answer),
                ),
            )
            for order in file.orders
        ]
        found += [
            Matter(
                _(TASK_KINDS.get(task.kind, task.kind)),
                _(TASK_RESULTS.get(task.result, task.result)),
                task.answered_at is None and not task.result,
                self._lines(
                    (task.sent_by_name, self.moment(task.sent_at), self.name("person", task.person_id)),
                    (task.answered_by_name, self.moment(task.answered_at), task.note),
                ),
            )
            for task in file.tasks
        ]
        return sorted(found, key=lambda matter: not matter.is_open)

    def _wanted(self, due: datetime | None) -> str:
        # zh: {when} 前回复
        return _("answer by {when}").format(when=self.moment(due)) if due else ""

    @staticmethod
    def _lines(*lines: Sequence[str]) -> tuple[str, ...]:
        joined = (" · ".join(part for part in line if part) for line in lines)
        return tuple(line for line in joined if line)

    def near(self, near: Near) -> tuple[str, str]:
        """A case of the place's history in two lines."""
        parts = [_(STATES[near.state].label) if near.state in STATES else near.state]
        if near.closed_at is not None:
            parts.append(self.moment(near.closed_at))
        if near.metres is not None:
            # zh: 距 {metres} 米
            parts.append(_("{metres} m away").format(metres=round(near.metres)))
        if near.reworks:
            # zh: 返工 {count}
            parts.append(_("reworked {count}").format(count=near.reworks))
        return f"{self.moment(near.reported_at)}  {self.name('category', near.category_id)}", " · ".join(
            parts
        )

    def relative(self, relative: Relative) -> tuple[str, str]:
        """A relative in two lines."""
        state = _(STATES[relative.state].label) if relative.state in STATES else relative.state
        head = f"{relative.number}  {self.name('category', relative.category_id)}"
        return head, " · ".join(part for part in (state, relative.address) if part)

    def history(self, file: CaseFile) -> dict[str, list[Near]]:
        """The place's history by how close it is to this case."""
        groups: dict[str, list[Near]] = {}
        for near in file.nearby:
            if near.same_component:
                title = _("Same component")
            elif near.same_category:
                title = _("Same class, within 50 m")
            else:
                title = _("Other classes, within 50 m")
            groups.setdefault(title, []).append(near)
        return {f"{title}  {number(len(found))}": found for title, found in groups.items()}

    def relatives(self, file: CaseFile) -> dict[str, list[Relative]]:
        """Parent, children and merged reports."""
        groups: Mapping[str, Iterable[Relative | None]] = {
            _("Part of"): (file.parent,),  # zh: 主案件
            _("Merged into"): (file.merged_into,),  # zh: 已并入
            _("Parts"): file.children,  # zh: 子案件
            _("Merged reports"): file.merged,  # zh: 并入的上报
        }
        found = {title: [one for one in group if one is not None] for title, group in groups.items()}
        return {title: group for title, group in found.items() if group}

    def duties(self, file: CaseFile) -> list[tuple[str, str]]:
        """The chain of responsibility: kind of area → its name, who answers, who was seen there."""
        chain = []
        for duty in file.duties:
            parts = [self.in_language(duty.name, duty.name_en)]
            if duty.unit:
                parts.append(self.in_language(duty.unit, duty.unit_en))
            parts += [f"{seen.name} {self.moment(seen.at)}" for seen in duty.people[:3]]
            chain.append((_(AREA_KINDS.get(duty.kind, duty.kind)), "\n".join(parts)))
        if file.details.unit_id:
            chain.append((_("Unit"), self.name("unit", file.details.unit_id)))
        return chain


class FactGrid(QWidget):
    """Titles at the left, values at the right; values can be selected."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.px(12))
        self._grid.setVerticalSpacing(theme.px(5))
        self._grid.setColumnStretch(1, 1)

    def show_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show these instead of what was there."""
        clear(self._grid)
        for row, (title, value) in enumerate(facts):
            head = label(title, "label", "text3")
            head.setMinimumWidth(self._theme.px(72))
            self._grid.addWidget(head, row, 0, Qt.AlignmentFlag.AlignTop)
            words = label(value, "body", "text1")
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(words, row, 1)


class Matters(QWidget):
    """Requests, orders and tasks with what came of them."""

    withdrawn = Signal()
    """The person no longer wants what he or she asked for."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(2))

    def show_matters(self, matters: Sequence[Matter]) -> None:
        """Show these instead of what was there."""
        clear(self._column)
        for index, matter in enumerate(matters):
            if index:
                self._column.addSpacing(self._theme.px(8))
            head = " · ".join(part for part in (matter.title, matter.state) if part)
            title = label(head, "body", "soon" if matter.is_open else "text1", bold=True)
            if matter.is_mine:
                row = QHBoxLayout()
                # zh: 撤回
                button = Button(self._theme, _("Withdraw"), kind="quiet")
                button.clicked.connect(lambda _on=False: self.withdrawn.emit())
                row.addWidget(title, 1)
                row.addWidget(button)
                self._column.addLayout(row)
            else:
                self._column.addWidget(title)
            for line in matter.words:
                words = label(line, "body", "text2")
                words.setWordWrap(True)
                self._column.addWidget(words)


class Row(QAbstractButton):
    """Two lines about another case; a press opens it."""

    def __init__(self, theme: Theme, head: str, detail: str) -> None:
        super().__init__()
        self._theme = theme
        self._head = head
        self._detail = detail
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{head} {detail}")
        self.setToolTip(tip(f"{head}\n{detail}"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover, True)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(42))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, px = self._theme, self._theme.px
        painter = QPainter(self)
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect(), theme.color("hover"))
        room = self.rect().adjusted(0, px(3), -px(4), -px(3))
        for words, step, tone, top in (
            (self._head, "body", "text1", 0),
            (self._detail, "label", "text2", px(19)),
        ):
            font = theme.font(step)
            painter.setFont(font)
            painter.setPen(theme.color(tone))
            cut = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(QRect(room.x(), room.y() + top, room.width(), px(18)), 0, cut)
        painter.end()


class CaseList(QWidget):
    """Other cases under headings."""

    opened = Signal(object)
    """The id of a case."""
    acted = Signal(object)
    """The id of the case beside whose line the button was pressed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def show_cases(
        self,
        groups: Mapping[str, Sequence[tuple[int, tuple[str, str]]]],
        empty: str = "",
        acts: Mapping[str, str] | None = None,
    ) -> None:
        """Heading → (id, two lines) of each case; `empty` stands there when there is none. `acts`: heading →
        the words of a button beside each case.
        """
        clear(self._column)
        for title, cases in groups.items():
            heading = label(title, "label", "text3")
            heading.setContentsMargins(0, self._theme.px(4), 0, self._theme.px(2))
            self._column.addWidget(heading)
            for case_id, (head, detail) in cases:
                row = Row(self._theme, head, detail)
                row.clicked.connect(lambda _on=False, key=case_id: self.opened.emit(key))
                act = (acts or {}).get(title)
                if act is None:
                    self._column.addWidget(row)
                    continue
                button = Button(self._theme, act, kind="quiet")
                button.setAccessibleName(f"{act} {head}")
                button.clicked.connect(lambda _on=False, key=case_id: self.acted.emit(key))
                line = QHBoxLayout()
                line.addWidget(row, 1)
                line.addWidget(button)
                self._column.addLayout(line)
        if not groups and empty:
            self._column.addWidget(label(empty, "label", "text3"))
