"""What an act on many cases would do, before it is done: which follow, which stay and why, whose load."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSaveFile, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from db.cases.foresight import Foresight, UnitLoad
from db.kernel.language import N_, _
from db.kernel.moved import LeftOut
from db.kernel.refusal import Refused, Trouble
from db.kernel.text import no_formula
from desktop.core.words import number
from desktop.widgets.button import Button
from desktop.widgets.plain import Elided, label, set_tone
from desktop.widgets.rows import Column, ListedRows, TableModel
from desktop.widgets.table import Table
from desktop.widgets.theme import Theme

MOST_UNITS = 6
"""So many units are shown with their loads; of the rest only how many there are."""
MOST_REASONS = 3
_MOST_NAMES = 3
_SLOW_MS = 200
_LIST_ROWS = 5
_PAIRS = (
    ("open", N_("Open")),  # zh: 在办
    ("due_today", N_("Due today")),  # zh: 今日到期
    ("overdue", N_("Overdue")),  # zh: 超期
)
_STAY_COLUMNS = (
    Column("number", N_("Number"), 150, sortable=False),  # zh: 案件编号
    Column("why", N_("Why it stays"), 240, stretch=True, sortable=False),  # zh: 不能办理的原因
)


def stays(left_out: Sequence[LeftOut]) -> list[tuple[int, str]]:
    """Those that stay, by reason, the most frequent first: ``[(2, "…"), (1, "…")]``.

    Where somebody was quicker, the reason names who; of one alone also when, and what was done.
    """
    groups: dict[str, list[Refused]] = {}
    for each in left_out:
        groups.setdefault(_why(each.refusal), []).append(each.refusal)
    found = []
    for why, refusals in groups.items():
        people = list(dict.fromkeys(str(one.facts["who"]) for one in refusals if "who" in one.facts))
        if len(refusals) == 1:
            words = _reason(refusals[0])
        elif people:
            names = _(", ").join(people[:_MOST_NAMES]) + ("…" if len(people) > _MOST_NAMES else "")
            # zh: {why}（{names}）
            words = _("{why} ({names})").format(why=why, names=names)
        else:
            words = why
        found.append((len(refusals), words))
    return sorted(found, key=lambda pair: -pair[0])


def _why(refusal: Refused) -> str:
    """The reason alone: without the number, which stands beside it, and without who was quicker."""
    why = refusal.facts.get("why")
    return why.text() if isinstance(why, Trouble) else _unnumbered(refusal)


def _unnumbered(refusal: Refused) -> str:
    return refusal.text().removeprefix(f"{refusal.facts.get('number', '')}: ")


def _reason(refusal: Refused) -> str:
    """Why a case stays, without its number, with who was quicker, when and by what."""
    if not {"why", "who", "what", "when"} <= refusal.facts.keys():
        return _why(refusal)
    # zh: {why}{when} {who}：{what}
    return _("{why} {when} {who}: {what}").format(
        why=_why(refusal),
        when=refusal.facts["when"],
        who=refusal.facts["who"],
        what=refusal.facts["what"],
    )


def stay_lines(left_out: Sequence[LeftOut]) -> str:
    """Those that stay as a table for the clipboard: number, tab, reason, one line each."""
    return "\n".join(f"{each.number}\t{' '.join(_reason(each.refusal).split())}" for each in left_out)


def stay_sheet(left_out: Sequence[LeftOut]) -> bytes:
    """Those that stay as CSV in UTF-8 with a mark, so that Excel and WPS read it: number and reason."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(_(column.title) for column in _STAY_COLUMNS)
    for each in left_out:
        writer.writerow((no_formula(each.number), no_formula(" ".join(_reason(each.refusal).split()))))
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


class EffectView(QWidget):
    """Shows one foresight, or why there is none. What is being looked up anew leaves the old one standing."""

    changed_size = Signal()
    again_wanted = Signal()
    """Those that somebody else has changed are to be taken as they are now."""

    def __init__(self, theme: Theme, name: Callable[[int], str], parent: QWidget | None = None) -> None:
        """``name``: what a unit is called."""
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self.foresight: Foresight | None = None
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self._on_slow)
        self._build()

    def wait(self) -> None:
        """The answer is being looked up; only when it takes long does anybody see it."""
        self._slow.start()

    def show_trouble(self, words: str) -> None:
        """It cannot be done at all, and why; "" takes everything away."""
        self._slow.stop()
        self.foresight = None
        self._head.setText(words)
        set_tone(self._head, "over")
        self._fill()

    def show_foresight(self, foresight: Foresight) -> None:
        """What would be."""
        self._slow.stop()
        self.foresight = foresight
        set_tone(self._head, "text1")
        self._head.setText(self.headline())
        self._fill()

    def headline(self) -> str:
        """How many move and how many stay, in one sentence."""
        found = self.foresight
        if found is None:
            return self._head.text()
        moving, staying = len(found.moving), len(found.left_out)
        if moving + staying == 1:
            # zh: 可以办理 / 不能办理
            return _("It can be done.") if moving else _("It cannot be done.")
        if not staying:
            # zh: {count} 件全部办理
            return _("All {count} follow.").format(count=number(moving))
        if not moving:
            return _("None of the {count} can follow.").format(count=number(staying))
        # zh: {moving} 件办理，{staying} 件保持不动
        return _("{moving} follow, {staying} stay.").format(moving=number(moving), staying=number(staying))

    def said(self) -> list[str]:
        """All that stands there, line by line, for the tests and for screen readers."""
        lines = [self._head, *self._lines]
        words = [each.text() for each in lines if each.text() and not each.isHidden()]
        for row in range(1, self._grid.rowCount()):
            items = [self._grid.itemAtPosition(row, column) for column in range(5)]
            cells = dict.fromkeys(item.widget() for item in items if item is not None)
            if cells:
                words.append(" | ".join(cell.text() for cell in cells if isinstance(cell, QLabel)))
        return words

    def _build(self) -> None:
        px = self._theme.px
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(4), 0, 0)
        column.setSpacing(px(4))
        self._head = label("", "body", "text1", bold=True)
        self._head.setWordWrap(True)
        column.addWidget(self._head)
        self._lines = [Elided("", "label", "text2") for _ in range(MOST_REASONS + 1)]
        for line in self._lines:
            column.addWidget(line)
        self._restarting = Elided("", "label", "soon")
        self._second = label("", "label", "soon")
        self._second.setWordWrap(True)
        self._lines += [self._restarting]
        column.addWidget(self._restarting)
        column.addWidget(self._second)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, px(4), 0, px(4))
        self._grid.setHorizontalSpacing(px(16))
        self._grid.setVerticalSpacing(px(3))
        self._grid.setColumnStretch(4, 1)
        column.addLayout(self._grid)
        column.addLayout(self._build_list())
        self.hide()

    def _build_list(self) -> QVBoxLayout:
        theme = self._theme
        self._stay_rows = ListedRows()
        self._stay_model = TableModel(self._stay_rows, _STAY_COLUMNS, self)
        self.stay_table = Table(theme, self._stay_model)
        self.stay_table.set_dense(True)
        # zh: 不能办理的案件
        self.stay_table.setAccessibleName(_("Cases that stay"))
        self.stay_table.setFixedHeight(theme.px(32 + 26 * _LIST_ROWS))
        self.stay_table.hide()
        # zh: 显示保持不动的案件
        self.list_button = Button(theme, _("Show those that stay"), kind="quiet")
        self.list_button.setCheckable(True)
        self.list_button.toggled.connect(self._on_list)
        self.copy_button = Button(theme, _("Copy the list"), kind="quiet")
        self.copy_button.clicked.connect(self._on_copy)
        # zh: 列表另存为…
        self.save_button = Button(theme, _("Save the list…"), kind="quiet")
        self.save_button.clicked.connect(self._on_save)
        self._saved = Elided("", "label", "text2")
        self._saved.hide()
        # zh: 按最新情况再看
        self.again_button = Button(theme, _("Take them as they are now"), kind="quiet")
        self.again_button.clicked.connect(self.again_wanted)
        row = QHBoxLayout()
        row.setSpacing(theme.px(4))
        for button in (self.list_button, self.copy_button, self.save_button, self.again_button):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(theme.px(4))
        column.addLayout(row)
        column.addWidget(self._saved)
        column.addWidget(self.stay_table)
        return column

    def _fill(self) -> None:
        found = self.foresight
        self._fill_reasons(() if found is None else found.left_out)
        restarting = len(found.restarting) if found is not None else 0
        # zh: 其中 {count} 件重新计时
        words = _("The whole limit counts anew for {count} of them.").format(count=number(restarting))
        self._restarting.setText(words if restarting else "")
        self._restarting.setVisible(bool(restarting))
        asks_second = found is not None and found.second_officer
        # zh: 数量较大，须另一位人员复核
        self._second.setText(
            _("So many cases need a second officer: it is proposed, and waits until somebody confirms it.")
        )
        self._second.setVisible(asks_second)
        self._fill_loads(() if found is None else found.loads)
        self.setVisible(bool(self._head.text()))
        self.changed_size.emit()

    def _fill_reasons(self, left_out: Sequence[LeftOut]) -> None:
        reasons = stays(left_out)
        shown = [f"{number(count)} · {words}" for count, words in reasons[:MOST_REASONS]]
        if len(reasons) > MOST_REASONS:
            rest = sum(count for count, _words in reasons[MOST_REASONS:])
            shown.append(_("{count} for other reasons").format(count=number(rest)))
        for place, line in enumerate(self._lines[: MOST_REASONS + 1]):
            line.setText(shown[place] if place < len(shown) else "")
            line.setVisible(place < len(shown))
        self._stay_rows.set_rows(
            (each.case_id, {"number": each.number, "why": _reason(each.refusal)}) for each in left_out
        )
        self._stay_model.refresh()
        self._saved.hide()
        for button in (self.list_button, self.copy_button, self.save_button):
            button.setVisible(bool(left_out))
        self.again_button.setVisible(any(each.refusal.code == "changed_meanwhile" for each in left_out))
        self.stay_table.setVisible(bool(left_out) and self.list_button.isChecked())

    def _fill_loads(self, loads: Sequence[UnitLoad]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if not loads:
            return
        for place, (_key, title) in enumerate(_PAIRS, start=1):
            self._grid.addWidget(_right(label(_(title), "axis", "text3")), 0, place)
        # zh: 在岗
        self._grid.addWidget(label(_("On shift"), "axis", "text3"), 0, 4)
        for row, load in enumerate(loads[:MOST_UNITS], start=1):
            self._grid.addWidget(label(self._name(load.unit_id), "label", "text1"), row, 0)
            for place, (key, _title) in enumerate(_PAIRS, start=1):
                before, after = getattr(load, key)
                grows = after > before
                tone = "text3" if after == before else "over" if key == "overdue" and grows else "text1"
                # zh: {before} → {after}
                words = number(after) if before == after else f"{number(before)} → {number(after)}"
                self._grid.addWidget(_right(label(words, "label", tone)), row, place)
            self._grid.addWidget(_names(load.on_shift), row, 4)
        if len(loads) > MOST_UNITS:
            rest = _("and {count} more units").format(count=number(len(loads) - MOST_UNITS))
            self._grid.addWidget(label(rest, "label", "text3"), MOST_UNITS + 1, 0, 1, 5)

    def _on_slow(self) -> None:
        if self.foresight is None and not self._head.text():
            self._head.setText(_("Looking ahead…"))
            set_tone(self._head, "text3")
            self.show()
            self.changed_size.emit()

    def _on_list(self, on: bool) -> None:
        self.stay_table.setVisible(on and bool(self._stay_rows.row_count()))
        self.changed_size.emit()

    def _on_copy(self) -> None:
        if self.foresight is not None:
            QGuiApplication.clipboard().setText(stay_lines(self.foresight.left_out))

    def _on_save(self) -> None:
        if self.foresight is None:
            return
        # What is on the screen now: the cases may move while a place is being chosen.
        content = stay_sheet(self.foresight.left_out)
        dialog = QFileDialog(self.window(), _("Save those that stay"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(_("Table (*.csv)"))
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(lambda name: self._save(content, Path(name)))
        dialog.open()

    def _save(self, content: bytes, target: Path) -> None:
        """A file of that name is replaced by the whole list or not at all."""
        stream = QSaveFile(str(target))
        is_written = (
            stream.open(QSaveFile.OpenModeFlag.WriteOnly)
            and stream.write(content) == len(content)
            and stream.commit()
        )
        words = _("Saved as {file}") if is_written else _("{file} cannot be written.")
        self._saved.setText(words.format(file=target.name))
        set_tone(self._saved, "text2" if is_written else "over")
        self._saved.show()
        self.changed_size.emit()


def _right(words: QLabel) -> QLabel:
    words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return words


def _names(names: Sequence[str]) -> QWidget:
    """Who is there: how many, and as many by name as there is room for; the tool tip has all."""
    if not names:
        return Elided(_("nobody known"), "label", "text3")
    # zh: {count} 人：{names}
    words = _("{count}: {names}").format(count=number(len(names)), names=_(", ").join(names))
    return Elided(words, "label", "text2")
