"""One case in a window of its own: what is known, what happened, what can be done and why the rest cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from db.cases.casefile import CaseFile, ClockSpan, Photo, beyond_reach, next_acts
from db.cases.commands import requests
from db.cases.contacts import Contact
from db.cases.photos import PHASES, AttachPhoto, Kept
from db.cases.rules import STATES, Light, light
from db.cases.workflow import Workflow
from db.kernel.clock import from_ms, to_ms
from db.kernel.command import command_label, command_name
from db.kernel.language import _, language
from db.kernel.refusal import Refused, Trouble
from db.live.board import News
from db.live.reach import claimed_by_other
from db.sync.standing import PhotoWay, Way
from desktop.casefile.contact import ContactLine
from desktop.casefile.photos import PhotoStrip, PhotoView, words_of
from desktop.casefile.printing import MOST_PHOTOS, Paper, case_html
from desktop.casefile.sections import CaseList, FactGrid, Matters, Words
from desktop.casefile.timeline import Timeline, clear
from desktop.core.company import company_words
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import MINUTE_MS, day_and_time, time_left
from desktop.widgets.acting import VERBS, ActDialog, ActWork
from desktop.widgets.button import Button
from desktop.widgets.clockstrip import OVER, SOON, ClockStrip, Mark, Segment
from desktop.widgets.marks import paint_light
from desktop.widgets.notice import Banner, NoticeStack
from desktop.widgets.paper import paper_font, write_pdf
from desktop.widgets.plain import Elided, label, set_tone, tip
from desktop.widgets.theme import Theme

CASE_TABLES = frozenset(
    {"case_request", "case_order", "case_task", "case_timer", "case_span", "case_unit", "case_photo"}
)
"""What belongs to cases without being seen in the list: news of them are a reason to read again."""
AFTER_STATES = frozenset({"handling", "pending_check", "pending_close", "closed", "forced"})
"""From here on a new photo shows what was done, as long as nobody says otherwise."""
MAY_ADD_PHOTOS = "case.photo"
MOST_BUTTONS = 4
ARRIVAL_MS = 1000
"""How often the window looks for photos that are still on their way."""
DECISIONS = ("grant_", "refuse_", "confirm_", "overrule_", "answer_")


@dataclass(frozen=True)
class CaseWork:
    """What the window asks for and does not know how; all are called off the GUI thread and may raise
    ``Trouble``.
    """

    read: Callable[[int], CaseFile | None]
    run: Callable[[Any], Any]
    """Carries out a command for the person signed in; its result comes back."""
    undo: Callable[[], str]
    """Takes back that person's last act; says what it was."""
    keep: Callable[[Path], Kept]
    find: Callable[[str, str], Path | None]
    """Hash and kind → the file of a photo."""
    thumbnail: Callable[[str, str], Path | None]
    way: Callable[[Photo], PhotoWay | None]
    """How it stands with a photo whose file is not here; ``None`` without a server that could have it."""
    ahead: ActWork | None
    """How an act on the case is looked ahead."""
    look: Callable[[int, str], Contact]
    """Case and reason → its contact, once the look is on record."""


class LightMark(QWidget):
    """The deadline light of the case."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.light = Light.NO_CLOCK

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(18), self._theme.px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_light(painter, self._theme, self.light, self.rect().center().toPointF(), self._theme.px(12))
        painter.end()


class CaseWindow(QDialog):
    """Shown with ``show()``: the room stays usable beside it. It reads anew whenever its case changes."""

    opened = Signal(object)
    """Another case is to be shown."""
    loaded = Signal()
    """Everything that was asked for stands in the window."""

    def __init__(
        self,
        theme: Theme,
        context: Context,
        jobs: Jobs,
        work: CaseWork,
        file: CaseFile,
        workflow: Workflow | None,
        parent: QWidget | None = None,
        *,
        origin: str = "",
    ) -> None:
        """``origin``: a sentence that says where the case was read, when not here."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._context = context
        self._jobs = jobs
        self._work = work
        self._workflow = workflow
        self._origin = origin
        self._words = Words(context)
        self.file = file
        self._images: dict[str, QImage | None] = {}
        self._ways: dict[str, PhotoWay] = {}
        self._arrivals = QTimer(self)
        self._arrivals.setSingleShot(True)
        self._arrivals.setInterval(ARRIVAL_MS)
        self._reading = False
        self._read_again = False
        self._closed = False
        self._minute = context.board.now_ms // MINUTE_MS
        self._build()
        self._wire()
        self._show()
        self._start(self._load_thumbnails())

    # Building.

    def _build(self) -> None:
        px = self._theme.px
        self.setAcceptDrops(self._may_add_photos())
        self._notices = NoticeStack(self._theme, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(18), px(24), px(14))
        column.setSpacing(px(12))
        origin = Banner(self._theme)
        origin.set(self._origin, "soon")
        column.addWidget(origin)
        column.addLayout(self._build_head())
        self.company = label("", "label", "accent")
        self.company.setAccessibleName(_("Who else is at this case"))
        column.addWidget(self.company)
        # zh: 处置计时
        self.strip = ClockStrip(self._theme, self._context.zone, _("Disposal clock"))
        column.addWidget(self.strip)
        body = QHBoxLayout()
        body.setSpacing(px(20))
        self._areas: list[QScrollArea] = []
        for part, title, share in (
            (self._build_facts(), _("Facts"), 4),
            (self._build_way(), _("Steps"), 7),
            (self._build_place(), _("Place and photos"), 4),
        ):
            area = _scrolling(part, px(8))
            # The focus comes by, so that the arrows scroll it: it says what it is.
            area.setAccessibleName(title)
            self._areas.append(area)
            body.addWidget(area, share)
        column.addLayout(body, 1)
        column.addLayout(self._build_foot())
        self.resize(px(1280), px(800))
        # The arrow keys scroll through the way of the case; Tab goes on from there.
        self._areas[1].setFocus()

    def _build_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        self._mark = LightMark(self._theme)
        self._title = label("", "title", "text1", bold=True)
        self._number = label("", "body", "text2")
        self._number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._state = label("", "body", "text1")
        self._left = label("", "title", "text1", bold=True)
        self._due = label("", "body", "text2")
        for widget in (self._mark, self._title, self._number, self._state):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._due)
        row.addWidget(self._left)
        return row

    def _build_facts(self) -> QWidget:
        inside, column = self._column()
        self._facts = FactGrid(self._theme)
        column.addWidget(self._facts)
        self._contact_heading = self._heading(_("Contact"))  # zh: 联系人
        self.contact = ContactLine(self._theme, self._context.who)
        self._looks = label("", "label", "text3")
        self._looks.setWordWrap(True)
        for widget in (self._contact_heading, self.contact, self._looks):
            column.addWidget(widget)
        # zh: 责任链
        column.addWidget(self._heading(_("Who answers for the place")))
        self._duties = FactGrid(self._theme)
        column.addWidget(self._duties)
        column.addStretch(1)
        return inside

    def _build_way(self) -> QWidget:
        inside, column = self._column()
        self._description = label("", "place", "text1")
        self._description.setWordWrap(True)
        self._description.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self._description)
        head = QHBoxLayout()
        head.addWidget(self._heading(_("Photos")))
        head.addStretch(1)
        self.phase = QComboBox()
        for key, title in PHASES.items():
            self.phase.addItem(_(title), key)
        is_late = self.file.details.state in AFTER_STATES
        self.phase.setCurrentIndex(self.phase.findData("after" if is_late else "before"))
        self.phase.setAccessibleName(_("What the photo shows"))
        self.add_button = Button(self._theme, _("Add photo…"), kind="quiet", icon_name="plus")
        for widget in (self.phase, self.add_button):
            widget.setVisible(self._may_add_photos())
            head.addWidget(widget)
        column.addLayout(head)
        self.photos = PhotoStrip(self._theme)
        column.addWidget(self.photos)
        self._matters_heading = self._heading(_("Requests, orders and tasks"))  # zh: 申请、督办与任务
        self._matters = Matters(self._theme)
        column.addWidget(self._matters_heading)
        column.addWidget(self._matters)
        column.addWidget(self._heading(_("Steps")))  # zh: 办理经过
        self.timeline = Timeline(self._theme, self._context.zone)
        column.addWidget(self.timeline)
        column.addStretch(1)
        return inside

    def _build_place(self) -> QWidget:
        inside, column = self._column()
        self._relatives_heading = self._heading(_("Belongs together"))  # zh: 关联案件
        self._relatives = CaseList(self._theme)
        column.addWidget(self._relatives_heading)
        column.addWidget(self._relatives)
        # zh: 同地历史
        column.addWidget(self._heading(_("Here before")))
        self.history = CaseList(self._theme)
        column.addWidget(self.history)
        column.addStretch(1)
        return inside

    def _build_foot(self) -> QHBoxLayout:
        px = self._theme.px
        foot = QHBoxLayout()
        foot.setSpacing(px(8))
        self._acts = QHBoxLayout()
        self._acts.setSpacing(px(8))
        foot.addLayout(self._acts)
        self.more = Button(self._theme, _("More"), kind="quiet")
        self.more.set_drops()
        foot.addWidget(self.more)
        self._why = Elided("", "label", "text2")
        foot.addWidget(self._why, 1)
        self.others = Button(self._theme, "", kind="quiet")
        self.others.set_drops()
        # zh: 另存为 PDF
        self.paper_button = Button(self._theme, _("Save as PDF…"), kind="quiet", icon_name="export")
        close = Button(self._theme, _("Close window"), keys="Esc", kind="quiet")
        close.clicked.connect(self.reject)
        for widget in (self.others, self.paper_button, close):
            foot.addWidget(widget)
        return foot

    def _column(self) -> tuple[QWidget, QVBoxLayout]:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._theme.px(8))
        return inside, column

    def _heading(self, title: str) -> QLabel:
        made = label(title, "label", "text2", bold=True)
        made.setContentsMargins(0, self._theme.px(8), 0, 0)
        return made

    def _wire(self) -> None:
        context = self._context
        context.news.connect(self._on_news)
        self.finished.connect(self._on_finished)
        self.contact.asked.connect(lambda reason: self._start(self._look(reason)))
        self._arrivals.timeout.connect(lambda: self._start(self._look_for_photos()))
        self.photos.opened.connect(lambda key: self._start(self._open_photo(key)))
        self.add_button.clicked.connect(self._on_add)
        self.more.clicked.connect(lambda: self._popup(self.more_menu(), self.more))
        self.others.clicked.connect(lambda: self._popup(self.refusals(), self.others))
        self.paper_button.clicked.connect(self._on_paper)
        self._matters.withdrawn.connect(
            lambda: self._start(self._do(requests.Withdraw((self.file.details.id,))))
        )
        self._relatives.opened.connect(self.opened)
        self._relatives.acted.connect(lambda case_id: self._ask("unmerge", case_id))
        self.history.opened.connect(self.opened)
        self._notices.acted.connect(lambda _key: self._start(self._undo()))
        for key, verb in VERBS.items():
            if verb.keys:
                shortcut = QShortcut(QKeySequence(verb.keys), self)
                shortcut.activated.connect(lambda key=key: self.press(key))

    # Showing.

    def set_workflow(self, workflow: Workflow) -> None:
        """The table of allowed moves; without it nothing is offered."""
        self._workflow = workflow
        self._show()

    def _show(self) -> None:
        file, words = self.file, self._words
        details = file.details
        heights = [area.verticalScrollBar().value() for area in self._areas]
        category = words.name("category", details.category_id)
        title = _("Case {number}").format(number=details.number)
        self.setWindowTitle(f"{title} · {category}")
        self._title.setText(category)
        self._number.setText(details.number)
        self._state.setText(_(STATES[details.state].label) if details.state in STATES else details.state)
        self._show_light()
        self._show_company()
        self._show_strip()
        self._facts.show_facts(words.facts(file).items())
        self.contact.set_masked(file.contact)
        self._contact_heading.setVisible(file.contact is not None)
        self._show_looks()
        self._duties.show_facts(words.duties(file))
        self._description.setText(details.description)
        self._description.setVisible(bool(details.description))
        self.photos.show_photos(file.photos, self._images, self._ways)
        matters = words.matters(file)
        self._matters_heading.setVisible(bool(matters))
        self._matters.setVisible(bool(matters))
        self._matters.show_matters(matters)
        self.timeline.show_steps(details.steps, self._context.board.directory)
        relatives = words.relatives(file)
        self._relatives_heading.setVisible(bool(relatives))
        self._relatives.setVisible(bool(relatives))
        self._relatives.show_cases(
            {title: [(one.id, words.relative(one)) for one in group] for title, group in relatives.items()},
            acts={_("Merged reports"): VERBS["unmerge"].shown()} if self._may_take_out() else {},
        )
        history = words.history(file)
        self.history.show_cases(
            {title: [(one.id, words.near(one)) for one in group] for title, group in history.items()},
            _("Nothing else happened within 50 m."),
        )
        self._show_acts()
        for area, height in zip(self._areas, heights, strict=True):
            # Laid out now: the bar knows its range only afterwards.
            if (inside := area.widget()) is not None and (layout := inside.layout()) is not None:
                layout.activate()
                inside.resize(inside.width(), max(inside.sizeHint().height(), area.viewport().height()))
            area.verticalScrollBar().setValue(height)

    def _show_light(self) -> None:
        details = self.file.details
        if details.due_at is None or details.soon_at is None:
            self._mark.light = Light.NO_CLOCK
            self._left.setText("")
            self._due.setText("")
        else:
            due = to_ms(details.due_at)
            stopped = details.handled_at or details.paused_at or details.closed_at
            at = to_ms(stopped) if stopped is not None else self._context.board.now_ms
            self._mark.light = light(at, due, to_ms(details.soon_at))
            self._left.setText(time_left(due - at))
            # zh: 时限 {when}
            self._due.setText(_("due {when}").format(when=day_and_time(due, self._context.zone)))
            tones = {Light.SOON: "soon", Light.OVER: "over"}
            set_tone(self._left, tones.get(self._mark.light, "text1"))
        self._mark.update()

    def _show_company(self) -> None:
        """Who has claimed the case, and who else is at it: told before two people do the same."""
        words = company_words(self._context.board, self.file.details.id, self._context.who.account_id)
        if words != self.company.text():
            self.company.setText(words)
        self.company.setVisible(bool(words))

    def _show_strip(self) -> None:
        """Every stretch of the disposal clock, where it was due, and the stages on the way."""
        spans, details = clock_spans(self.file), self.file.details
        self.strip.setVisible(bool(spans))
        if not spans:
            return
        now = to_ms(details.closed_at) if details.closed_at is not None else self._context.board.now_ms
        segments = [
            Segment(
                to_ms(each.began_at),
                now if each.ended_at is None else to_ms(each.ended_at),
                each.kind,
                " · ".join(part for part in (self._words.cause(each), each.by_name) if part),
            )
            for each in spans
        ]
        marks = []
        if details.soon_at is not None and details.due_at is not None:
            marks = [
                Mark(to_ms(details.soon_at), _("Due soon"), SOON),
                Mark(to_ms(details.due_at), _("Due"), OVER),
            ]
        self.strip.set_life(segments[0].begins_ms, now, segments, marks)

    def _show_looks(self) -> None:
        looks = self.file.looks
        self._looks.setVisible(bool(looks))
        if looks:
            last = looks[0]
            # zh: 已查看 {count} 次，最近 {who} {when}：{reason}
            words = _("Viewed {count} times, last by {who}, {when}: {reason}")
            self._looks.setText(
                words.format(
                    count=len(looks),
                    who=last.viewer_name,
                    when=self._words.moment(last.at),
                    reason=last.reason,
                )
            )

    def _may_take_out(self) -> bool:
        """Whether reports that were merged into this case may be taken out of it."""
        if self._workflow is None:
            return False
        try:
            self._workflow.move("merged", "unmerge", self._context.who, self._workflow.demands("unmerge"))
        except Refused:
            return False
        return True

    def _answers(self) -> dict[str, Refused | None]:
        if self._workflow is None:
            return {}
        who, store = self._context.who, self._context.board.store
        claimed = claimed_by_other(who, store, self.file.details.id)
        answers = next_acts(self._workflow, self.file, who, claimed)
        return {key: answers[key] for key in VERBS if key in answers}

    def offered(self) -> dict[str, bool]:
        """The verbs that are allowed now: whether each stands as a button, or in the menu beside them."""
        allowed = [key for key, why in self._answers().items() if why is None]
        decisions = [key for key in allowed if key.startswith(DECISIONS)]
        usual = [key for key in allowed if not (VERBS[key].rare or VERBS[key].danger)]
        # What waits for a decision comes first; the foot has room for so many.
        shown = [*decisions, *usual][:MOST_BUTTONS]
        return {key: key in shown for key in [*shown, *(key for key in allowed if key not in shown)]}

    def _show_acts(self) -> None:
        clear(self._acts)
        beyond = beyond_reach(self.file, self._context.who)
        self.add_button.setEnabled(beyond is None)
        self.add_button.setToolTip("" if beyond is None else tip(beyond.text()))
        answers, offered = self._answers(), self.offered()
        for key in (key for key, is_button in offered.items() if is_button):
            button = Button(self._theme, VERBS[key].shown(), keys=VERBS[key].keys)
            button.clicked.connect(lambda _on=False, key=key: self._ask(key))
            self._acts.addWidget(button)
        self.more.setVisible(not all(offered.values()))
        refused = sum(1 for why in answers.values() if why is not None)
        self.others.setVisible(bool(refused))
        # zh: 暂不可办 {count}
        self.others.setText(_("Not now: {count}").format(count=refused))
        self._why.setText("")
        if answers and refused == len(answers):
            self._why.setText(_("There is nothing for you to do here now."))

    # Acting.

    def press(self, key: str) -> None:
        """Do a verb as its key does; when it is not allowed, say why."""
        answers = self._answers()
        if key not in answers:
            return
        why = answers[key]
        if why is None:
            self._ask(key)
        else:
            self._why.setText(why.text())

    def refusals(self) -> QMenu:
        """The verbs that are not allowed, grey, each with its reason."""
        menu = QMenu(self)
        for key, why in self._answers().items():
            if why is not None:
                action = menu.addAction(f"{VERBS[key].shown()} — {why.text()}".replace("&", "&&"))
                action.setEnabled(False)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def more_menu(self) -> QMenu:
        """The allowed verbs that have no button."""
        menu = QMenu(self)
        for key in (key for key, is_button in self.offered().items() if not is_button):
            action = menu.addAction(VERBS[key].shown().replace("&", "&&"))
            action.triggered.connect(lambda _on=False, key=key: self._ask(key))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _popup(self, menu: QMenu, button: QWidget) -> None:
        # Above the button: it stands at the foot of the window.
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _ask(self, key: str, case_id: int | None = None) -> None:
        """Ask for what a verb needs and do it, with this case or with one that was merged into it."""
        verb = VERBS[key]
        ids = (case_id or self.file.details.id,)
        if not verb.asks:
            self._start(self._do(verb.make(ids, {})))
            return
        # What happened at the same place and still goes on.
        offers = [near.id for near in self.file.nearby if near.state in STATES and STATES[near.state].open]
        details = self.file.details
        dialog = ActDialog(
            self._theme,
            self._context,
            verb,
            ids,
            self,
            offers,
            work=self._work.ahead,
            versions=(details.version,) if ids == (details.id,) else (),
        )
        dialog.commanded.connect(lambda command: self._start(self._do(command)))
        dialog.open()

    async def _do(self, command: Any) -> None:
        details = self.file.details
        if getattr(command, "versions", None) == () and command.case_ids == (details.id,):
            # Decided on what the window shows: who was quicker is told, not overwritten.
            command = replace(command, versions=(details.version,))
        await self._run(command)
        self._say(_(command_label(command_name(type(command)))), undo=True)

    async def _run(self, command: Any) -> Any:
        try:
            return await self._jobs.write(self._work.run, command)
        finally:
            await self._reread()

    async def _undo(self) -> None:
        what = await self._jobs.write(self._work.undo)
        self._say(_("Undone: {what}").format(what=what))
        await self._reread()

    async def _look(self, reason: str) -> None:
        contact = await self._jobs.write(self._work.look, self.file.details.id, reason)
        if not self._closed and self.isVisible():
            self.contact.reveal(contact)
        await self._reread()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._jobs.start(self._told(work))

    async def _told(self, work: Awaitable[None]) -> None:
        """Trouble is told in this window; what is a bug goes the usual way."""
        try:
            await work
        except Trouble as trouble:
            self._say(trouble.text(), tone="over")

    def _say(self, words: str, tone: str = "neutral", *, undo: bool = False) -> None:
        if self._closed:
            return
        button = (_("Undo"), "undo") if undo else ("", "")
        self._notices.show_notice(words, tone, *button)

    # Reading anew.

    def _on_news(self, news: News) -> None:
        had = self.company.text()
        self._show_company()
        if self._concerns(news):
            self._start(self._reread())
            return
        self._show_light()
        if self.company.text() != had:
            # A claim came or ended: what can be done here is something else.
            self._show_acts()
        minute = self._context.board.now_ms // MINUTE_MS
        if minute != self._minute:
            # The strip grows with the time that passes.
            self._minute = minute
            self._show_strip()

    def _concerns(self, news: News) -> bool:
        """Whether this case may be another one now."""
        if not CASE_TABLES.isdisjoint(news.registers_changed):
            return True
        store, applied = self._context.board.store, news.applied
        slot = store.slot_of(self.file.details.id)
        if slot is not None:
            return int(store.version[slot]) != self.file.details.version
        # History is not on the board: any change may be ours.
        return applied.reset or any(len(part) for part in (applied.added, applied.changed, applied.removed))

    async def _reread(self) -> None:
        """Read the case again; calls that come meanwhile are answered by one more reading."""
        if self._reading:
            self._read_again = True
            return
        self._reading = True
        try:
            while True:
                self._read_again = False
                file = await self._jobs.read(self._work.read, self.file.details.id)
                if self._closed:
                    return
                if file is not None and file != self.file:
                    had = {photo.sha256 for photo in self.file.photos}
                    self.file = file
                    self._show()
                    if {photo.sha256 for photo in file.photos} != had:
                        await self._load_thumbnails()
                if not self._read_again:
                    return
        finally:
            self._reading = False

    async def _load_thumbnails(self) -> None:
        photos = self.file.photos
        images = await self._jobs.read(self._thumbnails, photos)
        ways = await self._jobs.read(self._ways_of, photos, images)
        if self._closed:
            return
        self._images, self._ways = images, ways
        self.photos.show_photos(self.file.photos, images, ways)
        self._await_photos()
        self.loaded.emit()

    def _await_photos(self) -> None:
        """Look now and then for those that are still to come, as long as there are any."""
        if any(way.way is not Way.LOST for way in self._ways.values()):
            self._arrivals.start()

    async def _look_for_photos(self) -> None:
        photos = tuple(photo for photo in self.file.photos if photo.sha256 in self._ways)
        images = await self._jobs.read(self._thumbnails, photos)
        ways = await self._jobs.read(self._ways_of, photos, images)
        if self._closed:
            return
        if (ways, any(image is not None for image in images.values())) != (self._ways, False):
            self._images = {**self._images, **images}
            self._ways = ways
            self.photos.show_images(self._images, ways)
        self._await_photos()

    def _thumbnails(self, photos: tuple[Photo, ...]) -> dict[str, QImage | None]:
        """On a reader's thread: a QImage, unlike a pixmap, may be made anywhere. ``None``: missing."""
        found: dict[str, QImage | None] = {}
        for photo in photos:
            path = self._work.thumbnail(photo.sha256, photo.mime)
            image = QImage() if path is None else QImage(str(path))
            found[photo.sha256] = None if image.isNull() else image
        return found

    def _ways_of(self, photos: tuple[Photo, ...], images: Mapping[str, QImage | None]) -> dict[str, PhotoWay]:
        """Of those that are missing and have, or had, a server to come from."""
        missing = (photo for photo in photos if images[photo.sha256] is None)
        ways = {photo.sha256: self._work.way(photo) for photo in missing}
        return {sha256: way for sha256, way in ways.items() if way is not None}

    # Photos.

    def _may_add_photos(self) -> bool:
        return self._context.who.may(MAY_ADD_PHOTOS)

    def add_photos(self, paths: list[Path]) -> None:
        """Take files in as photos of this case, of the phase that is chosen."""
        self._start(self._add(paths, str(self.phase.currentData())))

    async def _add(self, paths: list[Path], phase: str) -> None:
        added = 0
        try:
            for path in paths:
                kept = await self._jobs.read(self._work.keep, path)
                values = {name: getattr(kept, name) for name in Kept.__annotations__}
                await self._jobs.write(
                    self._work.run, AttachPhoto(self.file.details.id, phase, path.name, **values)
                )
                added += 1
        finally:
            if added:
                # zh: 已添加照片 {count} 张
                self._say(_("Photos added: {count}").format(count=added), undo=True)
            await self._reread()

    def _on_add(self) -> None:
        dialog = QFileDialog(self, _("Add photos"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(_("Photos") + " (*.jpg *.jpeg *.png *.webp)")
        dialog.filesSelected.connect(lambda names: self.add_photos([Path(name) for name in names]))
        dialog.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.add_photos(paths)

    async def _open_photo(self, key: int) -> None:
        photos = self.file.photos
        view = PhotoView(self._theme, photos, self)
        view.turned.connect(lambda other: self._start(self._turn(view, other)))
        await self._turn(view, key)
        view.open()

    async def _turn(self, view: PhotoView, key: int) -> None:
        photo = next((one for one in self.file.photos if one.id == key), None)
        if photo is not None:
            image = await self._jobs.read(self._full_size, photo)
            words = " · ".join(filter(None, words_of(self._ways.get(photo.sha256))))
            view.show_photo(key, image, self._words.moment(photo.added_at), words)

    def _full_size(self, photo: Photo) -> QImage | None:
        path = self._work.find(photo.sha256, photo.mime)
        image = QImage() if path is None else QImage(str(path))
        return None if image.isNull() else image

    # Paper.

    def _on_paper(self) -> None:
        if self.contact.contact is None:
            self._choose_paper(None)
            return
        menu = QMenu(self)
        menu.addAction(_("Without the contact")).triggered.connect(lambda: self._choose_paper(None))
        # Only while it is shown, so only after permission and reason.
        shown = self.contact.contact
        menu.addAction(_("With the contact")).triggered.connect(lambda: self._choose_paper(shown))
        menu.aboutToHide.connect(menu.deleteLater)
        self._popup(menu, self.paper_button)

    def _choose_paper(self, contact: Contact | None) -> None:
        dialog = QFileDialog(self, _("Save as PDF"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("PDF (*.pdf)")
        dialog.setDefaultSuffix("pdf")
        dialog.selectFile(f"{self.file.details.number}.pdf")
        dialog.fileSelected.connect(lambda name: self.save_pdf(Path(name), contact))
        dialog.open()

    def save_pdf(self, target: Path, contact: Contact | None = None) -> None:
        """Write the case as a PDF; the contact is on it only when it is handed over."""
        self._start(self._save(target, contact))

    async def _save(self, target: Path, contact: Contact | None) -> None:
        photos = self.file.photos[:MOST_PHOTOS]
        small = await self._jobs.read(self._thumbnails, photos)
        images = {sha256: image for sha256, image in small.items() if image is not None}
        context, details = self._context, self.file.details
        bright = Theme("light")
        paper = Paper(
            context.city.label(language()),
            self._words.name("category", details.category_id),
            bright.css("line"),
        )
        words = Words(context, full_dates=True)
        html = case_html(self.file, words, context.board.directory, paper, list(images), contact)
        # zh: {who} 于 {when} 打印
        printed = _("Printed by {who}, {when}").format(
            who=context.who.name, when=words.moment(from_ms(context.board.now_ms))
        )
        title = _("Case {number}").format(number=details.number)
        write_pdf(target, html, images, title, printed, paper_font(bright.families()), bright.color("text1"))
        # zh: 已保存 {path}
        self._say(_("Saved: {path}").format(path=target.name))

    def _on_finished(self) -> None:
        self._closed = True
        self.contact.conceal()
        self._context.news.disconnect(self._on_news)


def clock_spans(file: CaseFile) -> tuple[ClockSpan, ...]:
    """The stretches of the disposal clock. Of a case that came without them (imported, or older than
    they are) and went straight on, they follow from its moments; of one that was reworked they do not.
    """
    details = file.details
    if file.spans or details.dispatched_at is None or details.due_at is None or details.reworks:
        return file.spans
    by = next((taken.actor_name for taken in details.steps if taken.verb == "dispatch"), "")
    end = details.handled_at or details.closed_at
    ran = ClockSpan(0, "running", "dispatch", details.dispatched_at, end, by)
    if details.handled_at is None:
        return (ran,)
    return ran, ClockSpan(0, "paused", "check", details.handled_at, details.closed_at, "")


def _scrolling(inside: QWidget, margin: int) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    inside.setContentsMargins(0, 0, margin, 0)
    area.setWidget(inside)
    for part in (area, area.viewport(), inside):
        part.setAutoFillBackground(False)
    return area
