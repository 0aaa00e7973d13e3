"""The accounts: who may sign in, with which roles, where each may act, and when it was used last."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from db.kernel.actor import Actor, Scope
from db.kernel.clock import to_ms
from db.kernel.language import N_, _, language
from db.kernel.refusal import Trouble
from db.live.reach import within_reach
from db.people.queries import AccountBook, AccountLine
from db.people.rules import POSTS
from db.people.staff import MANAGES, CloseAccount, LetIn, OpenAccount
from desktop.accounts.forms import AccountAsking, PasswordAsking, RolesAsking, ScopeAsking
from desktop.accounts.words import role_names, scope_words
from desktop.accounts.work import AccountWork
from desktop.core.context import Context
from desktop.core.jobs import Jobs
from desktop.core.words import day_and_time, number
from desktop.widgets.asking import Asking
from desktop.widgets.button import Button
from desktop.widgets.changing import ChangingWindow
from desktop.widgets.plain import label, tip
from desktop.widgets.rows import Cell, Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

_COLUMNS = (
    Column("name", N_("Account of"), 96, sortable=False),  # zh: 姓名
    Column("login", N_("Signs in as"), 96, sortable=False),  # zh: 登录名
    Column("unit", N_("Of unit"), 130, stretch=True, sortable=False),  # zh: 所属单位
    Column("post", N_("Post"), 108, sortable=False),  # zh: 岗位
    Column("roles", N_("Roles"), 150, stretch=True, sortable=False),  # zh: 角色
    Column("scope", N_("May act"), 170, stretch=True, sortable=False),  # zh: 管辖范围
    Column("last", N_("Last act"), 100, sortable=False),  # zh: 最近操作
    Column("state", N_("State"), 110, sortable=False),  # zh: 状态
)


class AccountsWindow(ChangingWindow):
    """Show it with ``show()``. What somebody else changes meanwhile is seen when it is shown again."""

    def __init__(
        self, theme: Theme, context: Context, jobs: Jobs, work: AccountWork, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, jobs, work.run, parent)
        self._context = context
        self._work = work
        self._may_change = context.who.may(MANAGES)
        self.book: AccountBook | None = None
        self._lines: dict[int, AccountLine] = {}
        self._rows = ListedRows()
        self._model = TableModel(self._rows, _COLUMNS, self)
        self.table = Table(theme, self._model)
        self._build()
        self._wire()
        self.refresh()

    def current(self) -> AccountLine | None:
        """The account on which the keyboard stands."""
        return self._lines.get(self.table.current_id() or 0)

    # Building.

    def _build(self) -> None:
        theme = self._theme
        title = _("Accounts")  # zh: 账号
        self.setWindowTitle(title)
        self.setMinimumSize(theme.px(900), theme.px(460))
        self.resize(theme.px(1160), theme.px(640))
        self.find = QLineEdit()
        self.find.setMaxLength(60)
        self.find.setClearButtonEnabled(True)
        # zh: 按姓名、登录名、部门或角色查找
        self.find.setPlaceholderText(_("Find by name, unit or role"))
        self.find.setAccessibleName(_("Find by name, unit or role"))
        self.find.setFixedWidth(theme.px(260))
        self.count = label("", "label", "text2")
        top = QHBoxLayout()
        top.setSpacing(theme.px(10))
        top.addWidget(label(title, "title", bold=True))
        top.addWidget(self.count)
        top.addStretch(1)
        top.addWidget(self.find)
        self.table.setAccessibleName(title)
        self.table.set_state("empty", _("No account is called so."))
        self.table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(10))
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addLayout(self._build_acts())
        column.addLayout(self.build_foot())
        self.table.setFocus()
        self._enable()

    def _build_acts(self) -> QHBoxLayout:
        theme = self._theme
        # zh: 角色… / 管辖范围… / 重置密码… / 停用 / 新建账号…
        self.roles_button = Button(theme, _("Roles…"), keys="Alt R")
        self.scope_button = Button(theme, _("Where it may act…"), keys="Alt W")
        self.password_button = Button(theme, _("Another password…"), keys="Alt P")
        self.close_account_button = Button(theme, _("Close account"), keys="Alt X")
        self.new_button = Button(theme, _("New account…"), keys="Ctrl N", kind="primary")
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        acts = (self.roles_button, self.scope_button, self.password_button, self.close_account_button)
        for button in acts:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.new_button)
        return row

    def _wire(self) -> None:
        self.find.textChanged.connect(lambda _text: self._show_rows())
        self.table.picked.connect(lambda _ids: self._enable())
        self.table.opened.connect(lambda _id: self.roles_button.click())
        pressed: tuple[tuple[Button, str, Callable[[AccountLine], Asking | None]], ...] = (
            (self.roles_button, "Alt+R", self._roles_of),
            (self.scope_button, "Alt+W", self._scope_of),
            (self.password_button, "Alt+P", self._password_of),
            (self.close_account_button, "Alt+X", self._turn),
        )
        for button, keys, asks in pressed:
            button.clicked.connect(lambda _on=False, asks=asks: self._on_pressed(asks))
            self.bind(keys, button.click)
        self.new_button.clicked.connect(self._on_new)
        self.bind("Ctrl+N", self.new_button.click)
        self.bind("Ctrl+F", self.find.setFocus)

    # Reading.

    async def _read(self, asked: int) -> None:
        try:
            book = await self._jobs.read(self._work.read)
        except Trouble as trouble:
            if self._is_newest(asked):
                self._reading = False
                self._tell(trouble.text(), "over")
            return
        if self._is_newest(asked):
            self._reading = False
            self.book = book
            self._lines = {each.id: each for each in book.accounts}
            self._show_rows()

    def _show_rows(self) -> None:
        if self.book is None:
            return
        roles = {each.code: each for each in self.book.roles}
        directory = self._context.board.directory
        wanted = self.find.text().strip().casefold()
        rows = []
        for line in self.book.accounts:
            unit = directory.label("unit", line.unit_id, language())
            named = role_names(line, roles)
            if wanted in f"{line.name} {line.login} {unit} {named}".casefold():
                rows.append((line.id, self._cells(line, unit, named)))
        before = self.table.current_id()
        self._rows.set_rows(rows)
        self._model.refresh()
        shown = {id for id, _cells in rows}
        if rows and before not in shown:
            self.table.select({rows[0][0]})
        active = sum(each.active for each in self.book.accounts)
        # zh: 共 {count} 个，启用 {active} 个
        words = _("{count} accounts, {active} of them open")
        self.count.setText(words.format(count=number(len(self.book.accounts)), active=number(active)))
        self._enable()

    def _cells(self, line: AccountLine, unit: str, named: str) -> dict[str, Cell | str]:
        tone = "text1" if line.active else "text3"
        directory = self._context.board.directory
        # zh: 无
        last = day_and_time(to_ms(line.last_at), self._context.zone) if line.last_at else "—"
        return {
            "name": Cell(line.name, tone=tone),
            "login": Cell(line.login, tone="text2" if line.active else "text3"),
            "unit": Cell(unit, tone="text2" if line.active else "text3"),
            "post": Cell(_(POSTS.get(line.post, line.post)), tone="text2" if line.active else "text3"),
            "roles": Cell(named or _("none"), tone=tone if named else "text3"),
            "scope": Cell(scope_words(line, directory), tone=tone, tip=scope_words(line, directory, 30)),
            "last": Cell(last, tone="text2"),
            "state": self._state(line),
        }

    def _state(self, line: AccountLine) -> Cell:
        if not line.active:
            return Cell(_("shut"), tone="text3")  # zh: 已停用
        if self._is_locked(line):
            return Cell(_("locked"), tone="over", tip=_("Too many wrong passwords."))  # zh: 已锁定
        if line.must_change:
            return Cell(_("first password"), tone="text2")  # zh: 待改密码
        return Cell(_("in use"), tone="text2")  # zh: 启用

    def _is_locked(self, line: AccountLine) -> bool:
        return line.locked_until is not None and to_ms(line.locked_until) > self._context.board.now_ms

    # Changing.

    def why_not(self, button: Button) -> str:
        """Why a button cannot be pressed now; "" when it can."""
        line = self.current()
        if not self._may_change:
            return _("Your role may not manage accounts.")
        on_server = (self.roles_button, self.password_button, self.close_account_button, self.new_button)
        if self._work.on_server and button in on_server:
            # zh: 服务器的登录、密码与角色由管理员用 jingwei server person 设置。
            return _("On a server, logins, passwords and roles are set with “jingwei server person”.")
        if button is not self.new_button and line is None:
            return _("Choose an account first.")
        is_own = line is not None and line.id == self._context.who.account_id
        if button is self.close_account_button and is_own and line is not None and not self._is_locked(line):
            return _("Nobody closes the own account.")
        return ""

    def _enable(self) -> None:
        line = self.current()
        is_shut = line is not None and (not line.active or self._is_locked(line))
        # zh: 启用 / 停用
        self.close_account_button.setText(_("Open account again") if is_shut else _("Close account"))
        buttons = (
            self.roles_button,
            self.scope_button,
            self.password_button,
            self.close_account_button,
            self.new_button,
        )
        for button in buttons:
            why = self.why_not(button)
            button.setEnabled(not why and not self._running and self.book is not None)
            button.setToolTip(tip(why))
            button.setAccessibleDescription(why)

    def _rest_words(self) -> str:
        if not self._may_change:
            return _("Your role may not manage accounts.")
        return _("What is set here counts from the next sign-in of the person on.")

    def _on_pressed(self, asks: Callable[[AccountLine], Asking | None]) -> None:
        line = self.current()
        if line is not None and not self.is_busy and (asking := asks(line)) is not None:
            self._ask(asking)

    def _roles_of(self, line: AccountLine) -> Asking:
        assert self.book is not None
        return RolesAsking(self._theme, line, self.book.roles, self)

    def _scope_of(self, line: AccountLine) -> Asking:
        return ScopeAsking(self._theme, line, self._context.board.directory, self._within, self)

    def _password_of(self, line: AccountLine) -> Asking:
        return PasswordAsking(self._theme, line, self)

    def _turn(self, line: AccountLine) -> None:
        shut = not line.active or self._is_locked(line)
        self._do(OpenAccount(line.id) if shut else CloseAccount(line.id))

    def _on_new(self) -> None:
        if self.book is not None and not self.is_busy:
            directory = self._context.board.directory
            self._ask(AccountAsking(self._theme, directory, self.book.roles, LetIn, self))

    def _within(self, scope: Scope) -> tuple[int, int]:
        """How many open cases lie within a scope, units with those below them; and how many there are."""
        store, directory = self._context.board.store, self._context.board.directory
        units = set(scope.units)
        while more := {each.id for each in directory.units.values() if each.parent_id in units} - units:
            units |= more
        asked = Actor(0, "", scope=Scope(scope.areas, frozenset(units), scope.prefixes))
        is_open = store.is_open[: store.size]
        reach = within_reach(asked, store, slice(0, store.size))
        return int(np.count_nonzero(reach & is_open)), int(np.count_nonzero(is_open))
