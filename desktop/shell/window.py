"""The main window: top bar, room, status strip, menus, and the notices that tell what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QMenuBar, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.kernel.clock import Clock, to_ms
from db.kernel.language import N_, _, language
from desktop.core.actions import Act, Actions
from desktop.core.context import Context, Freshness
from desktop.core.line import PARTS, Mark, Told, data_ms, told_of
from desktop.core.preferences import RECENT, Preferences
from desktop.core.trouble import Kind
from desktop.core.words import clock_time, number
from desktop.shell.commands import Commands
from desktop.shell.filters import FilterStrip
from desktop.shell.palette import Palette
from desktop.shell.queues import QueueStrip
from desktop.shell.room import Room
from desktop.shell.top import TopBar
from desktop.widgets.button import Button
from desktop.widgets.notice import NoticeStack
from desktop.widgets.pane import Pane
from desktop.widgets.plain import tip
from desktop.widgets.status import StatusStrip
from desktop.widgets.theme import Theme

MENUS = {
    "file": N_("File"),
    "case": N_("Case"),  # zh: 案件
    "queues": N_("Queues"),  # zh: 队列
    "map": N_("Map"),  # zh: 地图
    "map_tools": N_("Map tools"),  # zh: 地图工具
    "view": N_("View"),
    "help": N_("Help"),
}
TOOLS = (
    ("undo", "undo"),
    ("import", "import"),
    ("wall", "wall"),
    ("theme", "theme"),
    ("language", "language"),
)
"""Action ids of the tool bar and their icons."""

_TONES = {Kind.DONE: "neutral", Kind.REFUSED: "soon", Kind.UNAVAILABLE: "over", Kind.BUG: "over"}
_WINDOW = "room/window"
_STEP = 40
"""Pixels at 100 % by which a key makes a pane wider."""
_RECENT_KEPT = 12


class Window(QWidget):
    """The room of one signed-in person."""

    closed = Signal()
    acted = Signal(str)
    """The button of a notice was pressed: its key."""

    def __init__(
        self,
        theme: Theme,
        context: Context,
        preferences: Preferences,
        clock: Clock,
        panes: Mapping[str, Pane],
        acts: Sequence[Act],
        database: str,
    ) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._theme = theme
        self._context = context
        self._preferences = preferences
        self._clock = clock
        self._database = database
        self._commands: Commands | None = None
        self._focus_before: QWidget | None = None
        self.actions_ = Actions(self, context.who)
        self.actions_.refused.connect(lambda words: self.tell(Kind.REFUSED, words))
        # Acts say how the room stands, so it is there before them.
        self._make_room(panes)
        self.actions_.add([*acts, *self._own_acts(), *self.queues.acts()])
        self._build()
        self._wire()
        self._on_age()

    def tell(self, kind: str, words: str, button: str = "", key: str = "", keys: str = "") -> None:
        """Show a sentence at the foot of the room; what is wrong stays longer than what went well."""
        seconds = 8.0 if kind in (Kind.DONE, Kind.REFUSED) else 20.0
        self._notices.show_notice(words, _TONES.get(Kind(kind), "neutral"), button, key, keys, seconds)

    def _own_acts(self) -> list[Act]:
        def focus_search() -> None:
            self._top.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

        return [
            # zh: 命令…
            Act("palette", N_("Commands…"), self.open_palette, "Ctrl+K", menu="view", words="命令 palette"),
            Act("filter_text", N_("Filter as you type"), focus_search, "Ctrl+F", menu="view"),
            Act("filter_menu", N_("Filter by…"), self.strip_menu, "Ctrl+Shift+M", menu="view"),
            Act("widen", N_("Widen: selection, then filter"), self._on_escape, "Esc", menu="view"),
            Act("next_case", N_("Next case"), lambda: self._step(1), "Ctrl+Down", menu="case"),
            Act("previous_case", N_("Previous case"), lambda: self._step(-1), "Ctrl+Up", menu="case"),
            Act(
                "open_case",
                N_("Show the case in full"),
                lambda: self._context.opened.emit(self._one()),
                "Ctrl+Return",
                menu="case",
                why_not=lambda: "" if self._one() else _("Select one case."),
            ),
            Act("next_pane", N_("Next pane"), lambda: self._go_round(1), "F6", menu="view"),
            Act("previous_pane", N_("Previous pane"), lambda: self._go_round(-1), "Shift+F6", menu="view"),
            Act("wider", N_("Wider pane"), lambda: self._resize_pane(1), "Ctrl+]", menu="view"),
            Act("narrower", N_("Narrower pane"), lambda: self._resize_pane(-1), "Ctrl+[", menu="view"),
            Act("fill_map", N_("Map alone"), lambda: self._fill("map"), "Ctrl+F5", menu="view"),
            Act("fill_queue", N_("Cases alone"), lambda: self._fill("queue"), "Ctrl+F6", menu="view"),
            Act("fill_kpi", N_("Figures alone"), lambda: self._fill("kpi"), "Ctrl+F7", menu="view"),
            Act("float_map", N_("Map in a window of its own"), lambda: self._float("map"), "Shift+Ctrl+F5"),
            Act(
                "float_queue",
                N_("Cases in a window of their own"),
                lambda: self._float("queue"),
                "Shift+Ctrl+F6",
            ),
            Act(
                "float_kpi",
                N_("Figures in a window of their own"),
                lambda: self._float("kpi"),
                "Shift+Ctrl+F7",
            ),
            Act(
                "board",
                N_("Units beside the cases"),
                self._on_board,
                "Ctrl+B",
                menu="view",
                checkable=True,
                checked=lambda: self.room.is_called("board"),
            ),
            Act(
                "reset_layout", N_("Panes back to their places"), lambda: self.room.reset(), "F8", menu="view"
            ),
            Act("full_screen", N_("Full screen"), self._on_full_screen, "F11", menu="view"),
        ]

    def _make_room(self, panes: Mapping[str, Pane]) -> None:
        self.queues = QueueStrip(self._theme, self._context)
        self.strip = FilterStrip(self._theme, self._context)
        strips = QWidget()
        above = QVBoxLayout(strips)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(self.queues)
        above.addWidget(self.strip)
        self.room = Room(self._theme, strips, panes, self._preferences)

    def _build(self) -> None:
        city = _("Jingwei · {city}").format(city=self._context.city.label(language()))
        # Two windows are told apart by who sits there.
        self.setWindowTitle(" · ".join(part for part in (city, self._context.who.name) if part))
        menus = QMenuBar()
        for menu_id, title in MENUS.items():
            if actions := self.actions_.of_menu(menu_id):
                menu = menus.addMenu(_(title))
                menu.addActions(actions)
                # What does not fit now is grey with its reason, as things are when the menu is opened.
                menu.aboutToShow.connect(self.actions_.refresh)
        tools = [(self.actions_[key], icon) for key, icon in TOOLS if key in self.actions_]
        palette = self.actions_["palette"]
        self._top = TopBar(self._theme, self._context, self._clock, menus, tools, palette)
        self.status = StatusStrip(self._theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top)
        column.addWidget(self.room, 1)
        column.addWidget(self.status)
        for key, words, keys, strip in (
            # zh: 保存筛选
            ("keep_filter", N_("Keep this filter"), "Ctrl S", self.strip),
            # zh: 已保存
            ("kept", N_("Kept"), "", self.queues),
        ):
            if key in self.actions_:
                button = Button(self._theme, _(words), keys=keys, kind="quiet")
                button.setToolTip(tip(self.actions_[key].toolTip()))
                button.clicked.connect(self.actions_[key].trigger)
                strip.add_action(button)
        if "tray" in self.actions_:
            for key in PARTS:
                part = self.status.part(key)
                part.set_presses()
                part.pressed.connect(self.actions_["tray"].trigger)
        self._notices = NoticeStack(self._theme, self)
        self._palette = Palette(self._theme, self)
        kept = self._preferences.layout(_WINDOW)
        if kept.isEmpty() or not self.restoreGeometry(kept):
            self.resize(1600, 900)

    def _wire(self) -> None:
        context = self._context
        self._top.searched.connect(self._on_searched)
        self._notices.acted.connect(self.acted)
        self._palette.ran.connect(self._on_palette_ran)
        self._palette.closed.connect(self._on_palette_closed)
        context.age_changed.connect(self._on_age)
        context.standing_changed.connect(self._on_age)
        context.news.connect(self._say_counts)
        context.selection_changed.connect(self._say_counts)

    def set_commands(self, commands: Commands) -> None:
        """What the palette offers."""
        self._commands = commands

    def open_palette(self, typed: str = "") -> Palette:
        """Show everything that can be done, as if ``typed`` had been typed."""
        if self._palette.isVisible() and not typed:
            self._palette.leave()
            return self._palette
        self._focus_before = self.focusWidget()
        if self._commands is not None:
            recent = [key for key in self._preferences.get(RECENT).split(" ") if key]
            self._palette.open_with(self._commands.offers(), self._commands.read, recent)
        self._palette.set_text(typed)
        return self._palette

    def strip_menu(self) -> None:
        """Open the menu of filters."""
        self.strip.open_menu()

    def _on_palette_closed(self) -> None:
        if self._focus_before is not None and isValid(self._focus_before):
            self._focus_before.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_palette_ran(self, key: str) -> None:
        recent = [key, *(each for each in self._preferences.get(RECENT).split(" ") if each != key)]
        self._preferences.put(RECENT, " ".join(recent[:_RECENT_KEPT]))

    def _one(self) -> int:
        """The case that is selected, 0 when it is none or several."""
        return next(iter(self._context.selection)) if len(self._context.selection) == 1 else 0

    def _step(self, by: int) -> None:
        """Select the next case of the list, whichever pane has the focus: the map and the list show it."""
        lens = self._context.board.lens
        if not lens.count:
            return
        rows = [row for case_id in self._context.selection if (row := lens.row_of(case_id)) is not None]
        row = (max(rows) if by > 0 else min(rows)) + by if rows else 0
        self._context.select(frozenset({lens.id_at(min(max(row, 0), lens.count - 1))}))

    def _focused_pane(self) -> str:
        """The pane that has the focus; "" for none."""
        focus = self.focusWidget()
        return next((key for key, pane in self.room.panes.items() if pane.isAncestorOf(focus)), "")

    def _go_round(self, by: int) -> None:
        """The focus goes from pane to pane, and to the strip of filters between last and first."""
        stops = [key for key, pane in self.room.panes.items() if pane.isVisible()]
        if not stops:
            return
        now = self._focused_pane()
        place = stops.index(now) + by if now in stops else (0 if by > 0 else -1)
        self.room.panes[stops[place % len(stops)]].take_focus()

    def _resize_pane(self, by: int) -> None:
        self.room.widen(self._focused_pane() or "queue", by * self._theme.px(_STEP))

    def _float(self, key: str) -> None:
        pane = self.room.panes[key]
        pane.dock_back() if pane.is_floating() else pane.float_out()

    def _fill(self, key: str) -> None:
        self.room.fill("" if self.room.filled() == key else key)

    def _on_board(self) -> None:
        """With the keyboard: there, arrows to the unit, Enter; the same key brings back to the list."""
        on = not self.room.is_called("board")
        self.room.call("board", on)
        self.room.panes["board" if on else "queue"].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_escape(self) -> None:
        board = self.room.panes.get("board")
        if board is not None and self.room.is_called("board") and board.isAncestorOf(self.focusWidget()):
            # Whoever leaves the units keeps the cases selected.
            self._on_board()
            return
        if self._top.search.hasFocus() and not self._top.search.text():
            self.room.panes["queue"].setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not any(pane.step_back() for pane in self.room.panes.values()):
            self._context.widen()

    def _on_full_screen(self) -> None:
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    def _on_searched(self, text: str) -> None:
        chosen = self._context.filter
        if text.strip() != chosen.text:
            chosen = chosen.without("text")
            self._context.set_filter(chosen.toggled("text", text.strip()) if text.strip() else chosen)

    def _on_age(self) -> None:
        age, standing, zone = self._context.age, self._context.standing, self._context.zone
        told: dict[str, Told] = {}
        if standing is not None:
            told = told_of(standing, to_ms(self._clock.now()), zone)
        # zh: 数据时间 {time}
        time = _("data of {time}").format(time=clock_time(data_ms(age.at_ms, standing), zone, seconds=True))
        part = self.status.part("database")
        if age.state is Freshness.LOADING:
            part.set(_("Reading {database}…").format(database=self._database), "text2", 3)
        elif age.state is Freshness.LIVE:
            # At a server the circle stands before the word for the line.
            part.set(f"{self._database} · {time}", "text2", None if told else Mark.GOOD)
        elif age.state is Freshness.STALE:
            part.set(_("{database} is slow · {time}").format(database=self._database, time=time), "soon", 1)
        else:
            words = _("Database lost, trying again · {time}").format(time=time)
            part.set(words, "over", 2, age.reason)
        for key in PARTS if told else ():
            each = told[key]
            self.status.part(key).set(each.words, each.tone, each.mark, each.tip)
        self._say_counts()

    def _say_counts(self) -> None:
        board = self._context.board
        if self._context.age.state is Freshness.LOADING:
            return
        # zh: 在办 {count} 件
        self.status.part("open").set(_("{count} open").format(count=number(board.lens.total_open)))
        people = len(board.people)
        self.status.part("people").set(
            _("{count} collectors on the map").format(count=number(people)) if people else ""
        )
        chosen = len(self._context.selection)
        self.status.part("selected", right=True).set(
            _("{count} selected").format(count=number(chosen)) if chosen else ""
        )
        who = self._context.who
        # Reporting is done elsewhere: in this room, who may only report may only look.
        acts = any(name == "*" or name.startswith("case.") for name in who.permissions - {"case.report"})
        words = _("signed in: {who}") if acts else _("signed in: {who}, read only")
        self.status.part("who", right=True).set(words.format(who=who.name))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None or self.focusWidget() is self._top.search:
            # The list is what hands begin with; a ring round the search field would only draw the eye.
            self.room.panes["queue"].setFocus(Qt.FocusReason.OtherFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("ground"))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._preferences.keep_layout(_WINDOW, self.saveGeometry())
        self._preferences.flush()
        for pane in self.room.panes.values():
            pane.dock_back()
        super().closeEvent(event)
        self.closed.emit()
