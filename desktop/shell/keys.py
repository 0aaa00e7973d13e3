"""The sheet of keys: what every key does and where it works, to be searched and to be printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from db.kernel.language import LANGUAGES, N_, _, in_language
from db.live.naming import Name, folded
from desktop.core.keys import Key, KeyGroup
from desktop.widgets.button import Button
from desktop.widgets.form import CommandField
from desktop.widgets.paper import paper_font, write_pdf
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme

MAP_KEYS = KeyGroup(
    N_("On the map"),
    (
        Key("← ↑ → ↓", N_("Move the map")),
        Key("+  −", N_("Closer, farther")),
        Key("Home", N_("Show everything")),
        Key("[  ]", N_("Back and on among the cases in sight, the most pressing first")),
        Key("\\", N_("The next case at the same place")),
        Key("Enter", N_("Open it, or list those at one place")),
        Key("Space", N_("Select it")),
        Key("N", N_("Who is nearest to it")),
        Key("F", N_("Follow this collector or vehicle")),
        Key("Ctrl", N_("Click: add to the selection or take out of it")),
        Key("Shift", N_("Drag on the map: select what lies inside")),
    ),
)
"""Keys that the map page knows; they work while the map has the focus."""

FIGURE_KEYS = KeyGroup(
    N_("In the figures"),
    (
        Key("Tab", N_("From card to card and chart to chart")),
        Key("↑ ↓", N_("Walk along the bars of a chart")),
        Key("← →", N_("Walk along the hours of a chart")),
        Key("⏎", N_("Show only the cases of the card, bar or hour; once more lets them go")),
    ),
)
CHIP_KEYS = KeyGroup(
    N_("On the chips of the filter"),
    (
        Key("Tab", N_("From chip to chip")),
        Key("⏎", N_("Open the menu of a chip")),
        Key("Del", N_("Take a chip away")),
    ),
)
PALETTE_KEYS = KeyGroup(
    N_("Among the commands"),
    (
        Key("↑ ↓", N_("Choose a line")),
        Key("⏎", N_("Do what the marked line says")),
        Key("Esc", N_("Empty the field, then close")),
    ),
)
_COLUMNS = 3


class KeySheet(QDialog):
    """Opened by F1. Invariant: every group that was given stands on it; a search only hides rows."""

    def __init__(
        self,
        theme: Theme,
        groups: Sequence[KeyGroup],
        version: str,
        failed: Callable[[Exception], None],
        parent: QWidget | None = None,
    ) -> None:
        """``failed`` is told when a sheet could not be written."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("Keys"))
        self._theme = theme
        self._groups = tuple(groups)
        self._failed = failed
        self._rows: list[tuple[Name, tuple[Name, ...], QWidget]] = []
        self._build(version)
        self._wire()

    def shown(self) -> list[str]:
        """The words of the rows on show."""
        return [row.findChildren(QLabel)[1].text() for _keys, _names, row in self._rows if not row.isHidden()]

    def _build(self, version: str) -> None:
        px = self._theme.px
        # zh: 查按键或功能
        self.field = CommandField(self._theme, _("Find a key or what it does"))
        self._print = Button(self._theme, _("Print in both languages…"), keys="Ctrl P")
        self._close = Button(self._theme, _("Close window"), keys="Esc")
        inside = QWidget()
        sides = QHBoxLayout(inside)
        sides.setContentsMargins(0, 0, px(8), 0)
        sides.setSpacing(px(32))
        columns = [QVBoxLayout() for _number in range(_COLUMNS)]
        self._blocks: list[tuple[QWidget, list[QWidget]]] = []
        for place, group in _shared_out(self._groups, _COLUMNS):
            columns[place].addWidget(self._block(group))
        for column in columns:
            column.setSpacing(px(18))
            column.addStretch(1)
            sides.addLayout(column, 1)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(_("Keys"))
        for part in (scroll, scroll.viewport(), inside):
            part.setAutoFillBackground(False)
        self._scroll = scroll
        foot = QHBoxLayout()
        about = _("Jingwei {version}, free software (MIT)").format(version=version)
        foot.addWidget(label(about, "label", "text3"))
        foot.addStretch(1)
        foot.addWidget(self._print)
        foot.addWidget(self._close)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(16))
        column.setSpacing(px(14))
        column.addWidget(self.field)
        column.addWidget(scroll, 1)
        column.addLayout(foot)
        self.resize(px(1180), px(760))
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _block(self, group: KeyGroup) -> QWidget:
        px = self._theme.px
        block = QWidget()
        column = QVBoxLayout(block)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(4))
        column.addWidget(label(_(group.title), "body", "text1", bold=True))
        rows = []
        for key in group.rows:
            row = QWidget()
            grid = QGridLayout(row)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(px(12))
            # What has no key of its own is found among the commands.
            keys = label(key.keys or "Ctrl K …", "label", "accent" if key.keys else "text3")
            keys.setMinimumWidth(px(104))
            keys.setAlignment(Qt.AlignmentFlag.AlignTop)
            words = label(_(key.words), "label", "text2")
            words.setWordWrap(True)
            grid.addWidget(keys, 0, 0)
            grid.addWidget(words, 0, 1)
            grid.setColumnStretch(1, 1)
            column.addWidget(row)
            rows.append(row)
            names = tuple(Name(folded(in_language(code, key.words))) for code in LANGUAGES)
            self._rows.append((Name(folded(key.keys)), names, row))
        self._blocks.append((block, rows))
        return block

    def _wire(self) -> None:
        self.field.textChanged.connect(self._on_typed)
        self._close.clicked.connect(self.accept)
        self._print.setShortcut("Ctrl+P")
        self._print.clicked.connect(self._on_print)

    def _on_typed(self, typed: str) -> None:
        wanted = folded(typed)
        for keys, names, row in self._rows:
            hit = not wanted or wanted in keys.text or any(name.fit(wanted) is not None for name in names)
            row.setVisible(hit)
        for block, rows in self._blocks:
            block.setVisible(any(not row.isHidden() for row in rows))

    def _on_print(self) -> None:
        """Asks where to, then writes the sheet."""
        dialog = QFileDialog(self, _("Print in both languages…"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("PDF (*.pdf)")
        dialog.setDefaultSuffix("pdf")
        dialog.selectFile("jingwei-keys.pdf")
        dialog.fileSelected.connect(lambda name: self.print_to(Path(name)))
        dialog.open()

    def print_to(self, target: Path) -> None:
        """Write the sheet in both languages."""
        bright = Theme(name="light")
        title = _("Keys")
        try:
            write_pdf(
                target,
                keys_html(self._groups),
                {},
                f"Jingwei · {title}",
                f"{datetime.now().astimezone():%Y-%m-%d}",
                paper_font(bright.families()),
                bright.color("text1"),
            )
        except Exception as error:
            self._failed(error)


def keys_html(groups: Sequence[KeyGroup]) -> str:
    """All keys as HTML, each with its words in both languages."""
    parts = []
    for group in groups:
        titles = (escape(in_language(code, group.title)) for code in LANGUAGES)
        parts.append(f"<p style='font-weight:600; margin-top:10px'>{' · '.join(titles)}</p>")
        lines = []
        for key in group.rows:
            words = "".join(
                f"<td width='39%' style='padding:1px 8px 1px 0'>{escape(in_language(code, key.words))}</td>"
                for code in LANGUAGES
            )
            lines.append(f"<tr><td width='22%'>{escape(key.keys or 'Ctrl+K …')}</td>{words}</tr>")
        parts.append(f"<table width='100%' cellspacing='0'>{''.join(lines)}</table>")
    return f"<html><body>{''.join(parts)}</body></html>"


def _shared_out(groups: Sequence[KeyGroup], columns: int) -> list[tuple[int, KeyGroup]]:
    """Each group with its column: always the one that is shortest so far."""
    heights = [0] * columns
    placed = []
    for group in groups:
        place = heights.index(min(heights))
        heights[place] += len(group.rows) + 2
        placed.append((place, group))
    return placed
