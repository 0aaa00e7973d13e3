"""Before a track is shown its purpose is told and a reason is asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from desktop.map.track import TrackDialog
from desktop.widgets.theme import Theme


def test_without_a_reason_nothing_is_asked_for(shown: Callable[..., QWidget]) -> None:
    dialog = TrackDialog(Theme(), "王敏", 30)
    asked: list[tuple[int, str]] = []
    dialog.asked.connect(lambda hours, reason: asked.append((hours, reason)))
    shown(dialog)
    assert "30 days" in dialog.notice.text()
    dialog.reason.setText(" a ")
    dialog.form.sent.emit()
    assert asked == []
    assert dialog.form.fields["reason"].error() == "A reason is required."
    dialog.hours.setCurrentIndex(1)
    dialog.reason.setText("交接核对")
    dialog.form.sent.emit()
    assert asked == [(4, "交接核对")]
