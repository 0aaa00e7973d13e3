"""Automatic dispatch: the supervisor sees how often advice was right here, and sets from where on it acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from db.advice.automatic import LEAST, Automation, SetAutomatic
from db.advice.evaluating import AtThreshold, Evaluation
from db.kernel.language import _
from db.kernel.refusal import Trouble
from desktop.core.jobs import Jobs
from desktop.core.words import number
from desktop.widgets.form import Form
from desktop.widgets.plain import label
from desktop.widgets.theme import Theme


@dataclass(frozen=True)
class AutomaticWork:
    """All are called off the GUI thread and may raise ``Trouble``."""

    read: Callable[[], Automation]
    evaluate: Callable[[], Evaluation]
    """Learns from earlier months and asks about the newest ones: takes seconds."""
    run: Callable[[SetAutomatic], object]


class AutomaticDialog(QDialog):
    """Open it with ``open()``. Nothing can be saved before it is known what is set now."""

    saved = Signal(object)
    """What is set from now on: an ``Automation``."""

    def __init__(self, theme: Theme, jobs: Jobs, work: AutomaticWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._work = work
        self._pending = 2
        self._build()
        self._wire()
        jobs.start(self._read())
        jobs.start(self._evaluate())

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._pending > 0

    def _build(self) -> None:
        theme = self._theme
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # zh: 自动派遣
        self.setWindowTitle(_("Automatic dispatch"))
        self.setMinimumWidth(theme.px(520))
        self.threshold = QComboBox()
        # zh: 关闭
        self.threshold.addItem(_("off: nothing is dispatched by itself"), None)
        self.excluded = QLineEdit()
        self.excluded.setMaxLength(200)
        # zh: 保存 / 取消
        self.form = Form(theme, _("Save"), _("Cancel"))
        # zh: 推荐准确率下限
        self.form.add("threshold", _("Dispatch where advice is at least"), self.threshold)
        self.form.add(
            "excluded",
            # zh: 不自动派遣的类别
            _("Never these classes"),
            self.excluded,
            _("Beginnings of class codes, such as 06001 08"),
        )
        self.form.send_button.setEnabled(False)
        # zh: 正在用历史案件检验…
        self.measured = label(_("Trying it on the newest months…"), "label", "text2")
        self.measured.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.px(16)] * 4))
        column.setSpacing(theme.px(12))
        column.addWidget(label(_("Automatic dispatch"), "title", bold=True))
        column.addWidget(self.measured)
        column.addWidget(self.form)

    def _wire(self) -> None:
        self.form.sent.connect(self._on_sent)
        self.form.cancelled.connect(self.reject)

    async def _read(self) -> None:
        try:
            found = await self._jobs.read(self._work.read)
        except Trouble as trouble:
            self._fail(trouble)
            return
        if isValid(self):
            self._pending -= 1
            for threshold in (0.95, 0.97, 0.98, 0.99, 0.995):
                self.threshold.addItem(_percent(threshold), threshold)
            if found.threshold is not None and self.threshold.findData(found.threshold) < 0:
                self.threshold.addItem(_percent(found.threshold), found.threshold)
            self.threshold.setCurrentIndex(max(0, self.threshold.findData(found.threshold)))
            self.excluded.setText(" ".join(found.excluded))
            self.form.send_button.setEnabled(True)

    async def _evaluate(self) -> None:
        try:
            found = await self._jobs.read(self._work.evaluate)
        except Trouble as trouble:
            if isValid(self):
                self._pending -= 1
                self.measured.setText(trouble.text())
            return
        if isValid(self):
            self._pending -= 1
            self.measured.setText(measured_text(found))

    def _fail(self, trouble: Trouble) -> None:
        if isValid(self):
            self._pending -= 1
            self.form.set_errors({"": trouble.text()})

    def _on_sent(self) -> None:
        words = self.excluded.text().replace(",", " ").replace("，", " ").replace("、", " ")
        self.form.send_button.setEnabled(False)
        self._pending += 1
        self._jobs.start(self._save(SetAutomatic(self.threshold.currentData(), tuple(words.split()))))

    async def _save(self, command: SetAutomatic) -> None:
        try:
            await self._jobs.write(self._work.run, command)
        except Trouble as trouble:
            self._fail(trouble)
            if isValid(self):
                self.form.send_button.setEnabled(True)
            return
        if isValid(self):
            self._pending -= 1
            self.saved.emit(Automation(command.threshold, command.excluded))
            self.accept()


def measured_text(found: Evaluation) -> str:
    """What would have come of each threshold that may be set, a line each."""
    # zh: 以 {day} 前的历史检验其后 {count} 件
    lines = [
        _("Learned from before {day}, tried on {count} cases since:").format(
            day=f"{found.cut:%Y-%m-%d}", count=number(found.asked)
        )
    ]
    lines += [_line(each) for each in found.by_threshold if each.threshold >= LEAST]
    return "\n".join(lines)


def _line(each: AtThreshold) -> str:
    # zh: {threshold} 起：自动派遣 {coverage}，其中 {precision} 派对
    return _("from {threshold}: {coverage} of all would go, {precision} of them right").format(
        threshold=_percent(each.threshold),
        coverage=f"{int(each.coverage * 1000) / 10:g} %",
        precision=f"{int(each.precision * 10_000) / 100:g} %",
    )


def _percent(share: float) -> str:
    return f"{round(share * 1000) / 10:g} %"
