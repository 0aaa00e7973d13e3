"""The forms of the accounts window: roles, where one may act, a new account, another password."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from db.kernel.actor import Scope
from db.kernel.language import _, language
from db.live.directory import Directory, Entry
from db.people.commands import ChangePassword, SetScope
from db.people.queries import AccountLine, RoleLine
from db.people.rules import POSTS
from db.people.staff import ResetPassword, SetRoles
from desktop.accounts.words import KINDS, area_name, class_name, permitted
from desktop.core.words import number
from desktop.widgets.asking import Asking
from desktop.widgets.form import Field
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

_ID = Qt.ItemDataRole.UserRole
_ROWS = 9


class RoleList(QListWidget):
    """The roles with a mark each; Space sets and takes it."""

    def __init__(
        self, theme: Theme, roles: Sequence[RoleLine], held: Iterable[str] = (), rows: int = _ROWS
    ) -> None:
        super().__init__()
        self._permissions = {each.code: each.permissions for each in roles}
        chosen = set(held)
        for each in roles:
            item = QListWidgetItem(each.label(language()), self)
            item.setData(_ID, each.code)
            item.setSizeHint(QSize(0, theme.px(28)))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if each.code in chosen else Qt.CheckState.Unchecked)
        self.setCurrentRow(0)
        self.setFixedHeight(theme.px(28) * min(len(roles), rows) + theme.px(10))

    def chosen(self) -> tuple[str, ...]:
        """The codes of the roles that are marked."""
        items = (self.item(row) for row in range(self.count()))
        return tuple(item.data(_ID) for item in items if item.checkState() is Qt.CheckState.Checked)

    def permitted(self) -> str:
        """What the marked roles let one do together."""
        return permitted({each for code in self.chosen() for each in self._permissions[code]})


class RolesAsking(Asking):
    """Which roles an account has, and what they let it do."""

    def __init__(
        self, theme: Theme, line: AccountLine, roles: Sequence[RoleLine], parent: QWidget | None = None
    ) -> None:
        # zh: {name}的角色
        super().__init__(theme, _("Roles of {name}").format(name=line.name), parent)
        self._line = line
        self.setMinimumWidth(theme.px(560))
        self.roles = RoleList(theme, roles, line.roles)
        # zh: 角色
        self.form.add("roles", _("Roles"), self.roles, _("They count from the next sign-in on."))
        self.may = label("", "label", "text2")
        self.may.setWordWrap(True)
        self.may.setMinimumHeight(theme.px(96))
        self.may.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.add_widget(self.may)
        self.roles.itemChanged.connect(lambda _item: self._say())
        self._say()
        self.roles.setFocus()

    def command(self) -> SetRoles:
        return SetRoles(self._line.id, self.roles.chosen())

    def _say(self) -> None:
        words = self.roles.permitted()
        # zh: 可以：{what}
        told = _("May: {what}").format(what=words) if words else _("Without a role it may do nothing.")
        self.may.setText(told)
        self.may.setAccessibleName(told)


class ScopeAsking(Asking):
    """Where an account may act: three trees, and how many open cases lie within what is marked."""

    def __init__(
        self,
        theme: Theme,
        line: AccountLine,
        directory: Directory,
        within: Callable[[Scope], tuple[int, int]],
        parent: QWidget | None = None,
    ) -> None:
        """``within``: of a scope, how many open cases lie within it, and how many there are."""
        # zh: {name}的管辖范围
        super().__init__(theme, _("Where {name} may act").format(name=line.name), parent)
        self._line = line
        self._directory = directory
        self._within = within
        self.setMinimumWidth(theme.px(620))
        self.areas = _tree(theme, _("Areas"))
        self.units = _tree(theme, _("Units"))
        self.classes = _tree(theme, _("Classes"))
        self._fill_areas()
        self._fill_units()
        self._fill_classes()
        self.find = QLineEdit()
        self.find.setMaxLength(60)
        self.find.setClearButtonEnabled(True)
        # zh: 查找
        self.form.add("find", _("Find"), self.find)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for tree in (self.areas, self.units, self.classes):
            self.tabs.addTab(tree, tree.accessibleName())
        self.form.add_widget(self.tabs)
        self.effect = label("", "body", "text1")
        self.effect.setWordWrap(True)
        self.effect.setMinimumHeight(theme.px(60))
        self.effect.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.add_widget(self.effect)
        for tree in (self.areas, self.units, self.classes):
            tree.itemChanged.connect(lambda _item, _column: self._say())
        self.find.textChanged.connect(self._on_find)
        self._say()
        self.areas.setFocus()

    def command(self) -> SetScope:
        return SetScope(self._line.id, *self.marked())

    def marked(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        """Areas, units and beginnings of classes that are marked."""
        return _marked(self.areas), _marked(self.units), _marked(self.classes)

    def _fill_areas(self) -> None:
        # Cells are thousands: who is bound to one names its patrol area.
        chosen = set(self._line.areas)
        areas = self._directory.areas.values()
        entries = [each for each in areas if each.kind not in ("city", "cell") or each.id in chosen]
        _hang(self.areas, entries, chosen)

    def _fill_units(self) -> None:
        chosen = set(self._line.units)
        entries = [each for each in self._directory.units.values() if each.active or each.id in chosen]
        _hang(self.units, entries, chosen)

    def _fill_classes(self) -> None:
        chosen = set(self._line.prefixes)
        known: set[str] = set()
        for kind, words in KINDS.items():
            top = _item(self.classes, _(words), kind, kind in chosen)
            known.add(kind)
            for entry in self._directory.majors.values():
                prefix = f"{kind} {entry.code}"
                if self._kinds_of(entry.major) == {kind} and prefix not in known:
                    _item(top, f"{entry.label(language())} ({entry.code})", prefix, prefix in chosen)
                    known.add(prefix)
            top.setExpanded(True)
        for prefix in sorted(chosen - known):
            _item(self.classes, class_name(self._directory, prefix), prefix, True)

    def _kinds_of(self, major: str) -> set[str]:
        return {each.kind for each in self._directory.categories.values() if each.major == major}

    def _on_find(self, words: str) -> None:
        tree = self.tabs.currentWidget()
        assert isinstance(tree, QTreeWidget)
        for row in range(tree.topLevelItemCount()):
            _show_found(tree.topLevelItem(row), words.strip().casefold())

    def _say(self) -> None:
        areas, units, prefixes = self.marked()
        # Of units those below count as well; that is worked out by who asks.
        inside, total = self._within(Scope(frozenset(areas), frozenset(units), prefixes))
        if not (areas or units or prefixes):
            own = self._line.keeps_to_own_unit
            # zh: 未勾选：仅限本部门的案件
            words = _("Nothing marked: everywhere.")
            if own:
                words = _("Nothing marked: only cases of the own unit.")
        else:
            names = [area_name(self._directory, each) for each in areas]
            names += [self._directory.label("unit", each, language()) for each in units]
            names += [class_name(self._directory, each) for each in prefixes]
            words = _(", ").join(names)
        # zh: {what}\n在办 {total} 件中的 {inside} 件在此范围内。
        told = _("{what}\n{inside} of {total} open cases lie within.")
        self.effect.setText(told.format(what=words, inside=number(inside), total=number(total)))


class AccountAsking(Asking):
    """A new account for somebody who is known already."""

    def __init__(
        self,
        theme: Theme,
        directory: Directory,
        roles: Sequence[RoleLine],
        make: Callable[..., Any],
        parent: QWidget | None = None,
    ) -> None:
        """``make``: the command from the person's name, unit code, post, login, password and roles."""
        # zh: 新建账号
        super().__init__(theme, _("New account"), parent)
        self._make = make
        self.setMinimumWidth(theme.px(560))
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.unit = QComboBox()
        for entry in directory.units.values():
            if entry.active:
                self.unit.addItem(entry.label(language()), entry.code)
        self.post = QComboBox()
        for code, words in POSTS.items():
            self.post.addItem(_(words), code)
        self.login = QLineEdit()
        self.login.setMaxLength(60)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.roles = RoleList(theme, roles, rows=5)
        self.form.add("name", _("Name of the person"), self.name)  # zh: 姓名
        # zh: 所属单位 / 岗位
        self._add_pair(("unit", _("Of unit"), self.unit), ("post", _("Post"), self.post))
        # zh: 登录名 / 初始密码，首次登录后须修改
        self._add_pair(
            ("login", _("Name to sign in with"), self.login),
            ("password", _("First password, to be changed by its owner"), self.password),
        )
        self.form.add("roles", _("Roles"), self.roles)
        self.name.setFocus()

    def command(self) -> Any:
        return self._make(
            self.name.text().strip(),
            self.unit.currentData(),
            self.post.currentData(),
            self.login.text().strip(),
            self.password.text(),
            self.roles.chosen(),
        )

    def _add_pair(self, *pair: tuple[str, str, QWidget]) -> None:
        """Two fields beside each other: the form has to fit a small screen."""
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self._theme.px(8))
        for key, title, editor in pair:
            self.form.fields[key] = Field(self._theme, title, editor)
            row.addWidget(self.form.fields[key], 1)
        self.form.add_widget(line)

    def faults(self) -> dict[str, str]:
        found = {}
        if not self.name.text().strip():
            found["name"] = _("A person needs a name.")
        if not self.login.text().strip():
            found["login"] = _("An account name is one to 60 characters on one line.")
        if not self.roles.chosen():
            # zh: 请至少选择一个角色。
            found["roles"] = _("Mark at least one role.")
        return found


class PasswordAsking(Asking):
    """Another password for an account, which its owner then changes."""

    def __init__(self, theme: Theme, line: AccountLine, parent: QWidget | None = None) -> None:
        # zh: 重置{name}的密码
        super().__init__(theme, _("Another password for {name}").format(name=line.name), parent)
        self._line = line
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        hint = _("At least 8 characters of three kinds. Its owner changes it at the next sign-in.")
        self.form.add("password", _("New password"), self.password, hint)
        self.password.setFocus()

    def command(self) -> ResetPassword:
        return ResetPassword(self._line.id, self.password.text())

    def faults(self) -> dict[str, str]:
        return {} if self.password.text() else {"password": _("A password is needed.")}


class OwnPasswordAsking(Asking):
    """Another password for oneself: the one in use, and the new one twice."""

    def __init__(
        self, theme: Theme, account_id: int, *, is_first: bool, parent: QWidget | None = None
    ) -> None:
        """``is_first``: the one in use was given by somebody else."""
        # zh: 修改我的密码
        super().__init__(theme, _("Change my password"), parent)
        self._account_id = account_id
        if is_first:
            # zh: 当前密码由管理员设置，请改为只有您知道的密码。
            why = label(_("Somebody else set your password. Choose one that only you know."), "body", "text1")
            why.setWordWrap(True)
            self.form.add_widget(why)
        self.old, self.new, self.again = QLineEdit(), QLineEdit(), QLineEdit()
        hint = _("At least 8 characters of three kinds.")
        # zh: 当前密码 / 新密码 / 再次输入新密码
        for key, words, field, below in (
            ("old", _("Password in use"), self.old, ""),
            ("new", _("New password"), self.new, hint),
            ("again", _("New password once more"), self.again, ""),
        ):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            self.form.add(key, words, field, below)
        self.old.setFocus()

    def command(self) -> ChangePassword:
        return ChangePassword(self._account_id, self.old.text(), self.new.text())

    def faults(self) -> dict[str, str]:
        if not self.old.text():
            return {"old": _("A password is needed.")}
        if self.new.text() != self.again.text():
            # zh: 两次输入的新密码不一致。
            return {"again": _("The two new passwords differ.")}
        return {}


def _tree(theme: Theme, name: str) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderHidden(True)
    tree.setAccessibleName(name)
    tree.setMinimumHeight(theme.px(260))
    tree.setUniformRowHeights(True)
    return tree


def _item(above: QTreeWidget | QTreeWidgetItem, words: str, value: Any, is_marked: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem(above, [words])
    item.setData(0, _ID, value)
    item.setCheckState(0, Qt.CheckState.Checked if is_marked else Qt.CheckState.Unchecked)
    return item


def _hang(tree: QTreeWidget, entries: Sequence[Entry], chosen: set[int]) -> None:
    """Entries below what stands above them; what is marked is unfolded to."""
    made: dict[int, QTreeWidgetItem] = {}
    by_id: Mapping[int, Entry] = {each.id: each for each in entries}

    def made_of(entry: Entry) -> QTreeWidgetItem:
        if entry.id not in made:
            above = by_id.get(entry.parent_id or 0)
            holder = tree if above is None else made_of(above)
            made[entry.id] = _item(holder, entry.label(language()), entry.id, entry.id in chosen)
        return made[entry.id]

    for entry in entries:
        made_of(entry)
    for each in chosen & made.keys():
        above = made[each].parent()
        while above is not None:
            above.setExpanded(True)
            above = above.parent()
    if len(by_id) <= 60:
        tree.expandAll()
    tree.setCurrentItem(tree.topLevelItem(0))


def _marked(tree: QTreeWidget) -> tuple[Any, ...]:
    found: list[Any] = []

    def walk(item: QTreeWidgetItem) -> None:
        if item.checkState(0) is Qt.CheckState.Checked:
            found.append(item.data(0, _ID))
        for place in range(item.childCount()):
            walk(item.child(place))

    for row in range(tree.topLevelItemCount()):
        walk(tree.topLevelItem(row))
    return tuple(found)


def _show_found(item: QTreeWidgetItem, words: str) -> bool:
    """Hide what neither holds the words nor stands above or below what does; whether it is shown."""
    own = words in item.text(0).casefold()
    below = [_show_found(item.child(place), "" if own else words) for place in range(item.childCount())]
    shown = own or any(below)
    item.setHidden(not shown)
    if words and any(below) and not own:
        item.setExpanded(True)
    return shown
