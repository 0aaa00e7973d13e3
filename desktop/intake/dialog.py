"""The intake: a report is taken down by keyboard alone; place, class and twins are found while one types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from db.calendars.rules import UNIT_LABELS, LimitUnit
from db.cases.commands.intake import Report
from db.cases.duplicates import Draft, Duplicate
from db.cases.rules import SOURCES, STATES
from db.kernel.clock import Clock
from db.kernel.language import _, language
from db.kernel.refusal import Trouble
from db.registers.datum import DATUMS, looks_like_coordinates
from db.registers.queries import CategoryValue, ComponentNear, ConditionValue
from desktop.core.jobs import Jobs
from desktop.intake.asking import Question
from desktop.intake.choosing import Choice, ChoiceField
from desktop.intake.work import IntakeWork, Spot, Surroundings
from desktop.widgets.button import Button
from desktop.widgets.form import Field, spoken
from desktop.widgets.plain import Elided, label, set_tone
from desktop.widgets.theme import Theme

WITH_NUMBER = frozenset({"hotline", "upper", "app"})
"""Sources that have a number of their own for what they send, and may want an answer by a time."""
TWINS = 3
"""So many duplicates are listed, each with its key."""
_SURE = 0.6
"""From here on what was typed counts as understood without being picked from the list."""


class IntakeDialog(QDialog):
    """Open it with ``show()``: the map behind it stays within reach. ``filed`` tells what was written."""

    filed = Signal(object)
    """A ``Filed``."""

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        work: IntakeWork,
        clock: Clock,
        zone: ZoneInfo,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._work = work
        self._clock = clock
        self._zone = zone
        self._category: CategoryValue | None = None
        self._conditions: list[ConditionValue] = []
        self._spot: Spot | None = None
        self._place_read = ""
        self._component: ComponentNear | None = None
        self._twins: list[Duplicate] = []
        self._busy = False
        self._build()
        self._wire()
        self._on_source()
        self.fields["datum"].setEnabled(False)
        self.category.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_busy(self) -> bool:
        """Whether a question is open or the report is being written."""
        return self._busy or any(question.is_open for question in self._questions)

    def take_point(self, lon: float, lat: float) -> None:
        """A point picked on the map, as if its coordinates had been typed."""
        self.datum.setCurrentText("WGS-84")
        self.place.setText(f"{lon:.6f}, {lat:.6f}")
        self._on_place_typed(self.place.text())

    # Building.

    def _build(self) -> None:
        px = self._theme.px
        self.setWindowTitle(_("New case"))
        self.setMinimumSize(px(860), px(600))
        self.resize(px(1040), px(720))
        sides = QHBoxLayout()
        sides.setSpacing(px(24))
        sides.addLayout(self._build_form(), 3)
        sides.addLayout(self._build_surroundings(), 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(8))
        column.addLayout(sides, 1)
        column.addLayout(self._build_twins())
        column.addLayout(self._build_foot())

    def _build_form(self) -> QGridLayout:
        theme, px = self._theme, self._theme.px
        self.source = QComboBox()
        for code, words in SOURCES.items():
            self.source.addItem(_(words), code)
        self.source.setCurrentIndex(self.source.findData("hotline"))
        self.foreign_number = QLineEdit()
        self.foreign_number.setMaxLength(60)
        self.foreign_due = QLineEdit()
        self.foreign_due.setPlaceholderText("12-31 17:00")
        self.category = ChoiceField(theme)
        self.category.setPlaceholderText(_("Code, name, pinyin or first letters"))
        self.condition = QComboBox()
        self.condition.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.description = QPlainTextEdit()
        self.description.setTabChangesFocus(True)
        self.description.setMinimumHeight(px(56))
        self.place = ChoiceField(theme)
        self.place.setPlaceholderText(_("Address, crossing, landmark or coordinates"))
        self.datum = QComboBox()
        self.datum.addItems(DATUMS)
        self.reporter = QLineEdit()
        self.reporter.setMaxLength(60)
        self.phone = QLineEdit()
        self.phone.setMaxLength(40)
        self.wants_answer = QCheckBox(_("Wants an &answer"))
        self.fields = {
            "source": Field(theme, _("&Source"), self.source),
            "foreign_number": Field(theme, _("Their &number"), self.foreign_number),
            "foreign_due": Field(theme, _("Their answer is d&ue"), self.foreign_due),
            "category": Field(theme, _("&Category"), self.category),
            "condition": Field(theme, _("Filing con&dition"), self.condition),
            "description": Field(theme, _("&What is the matter"), self.description),
            "place": Field(theme, _("&Place"), self.place),
            "datum": Field(theme, _("Coordinate &frame"), self.datum),
            "reporter": Field(theme, _("&Reporter"), self.reporter),
            "phone": Field(theme, _("&Telephone"), self.phone),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(2))
        for key, row, at, wide in (
            ("source", 0, 0, 2), ("foreign_number", 0, 2, 2), ("foreign_due", 0, 4, 2),
            ("category", 1, 0, 6), ("condition", 2, 0, 6), ("description", 3, 0, 6),
            ("place", 4, 0, 4), ("datum", 4, 4, 2), ("reporter", 5, 0, 2), ("phone", 5, 2, 2),
        ):  # fmt: skip
            # A long error grows downwards and leaves its neighbours where they are.
            top = Qt.AlignmentFlag.AlignTop if row != 3 else Qt.AlignmentFlag(0)
            grid.addWidget(self.fields[key], row, at, 1, wide, top)
        grid.addWidget(self.wants_answer, 5, 4, 1, 2, Qt.AlignmentFlag.AlignVCenter)
        for place in range(6):
            grid.setColumnStretch(place, 1)
        grid.setRowStretch(3, 1)
        return grid

    def _build_surroundings(self) -> QVBoxLayout:
        px = self._theme.px
        column = QVBoxLayout()
        column.setSpacing(px(4))
        column.addWidget(label(_("What follows from the place"), "label", "text2"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(4))
        grid.setColumnStretch(1, 1)
        self.found: dict[str, Elided] = {}
        for row, (key, words) in enumerate(
            (
                ("point", _("Point")),
                ("district", _("District")),
                ("community", _("Community")),
                ("patrol", _("Patrol area")),
                ("cell", _("Cell")),
                ("unit", _("Unit")),
            )
        ):
            value = Elided("—", "body")
            value.setAccessibleName(words)
            self.found[key] = value
            grid.addWidget(label(words, "label", "text3"), row, 0)
            grid.addWidget(value, row, 1)
        column.addLayout(grid)
        # Whether a stall is a case at all depends on the hour.
        self.hours = label("", "body", "soon")
        self.hours.setWordWrap(True)
        self.hours.hide()
        column.addWidget(self.hours)
        column.addSpacing(px(8))
        title = label(_("Co&mponents near it"), "label", "text2")
        self.components = QListWidget()
        self.components.setAccessibleName(spoken(_("Co&mponents near it")))
        self.components.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        title.setBuddy(self.components)
        self.no_components = label("—", "label", "text3")
        column.addWidget(title)
        column.addWidget(self.no_components)
        column.addWidget(self.components, 1)
        column.addStretch(0)
        return column

    def _build_twins(self) -> QVBoxLayout:
        px = self._theme.px
        column = QVBoxLayout()
        column.setSpacing(px(4))
        self.twins_title = label(_("No open case like this near by."), "label", "text3")
        column.addWidget(self.twins_title)
        self.twin_rows: list[tuple[QWidget, Button, Elided]] = []
        for place in range(TWINS):
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(px(8))
            button = Button(self._theme, _("Join"), keys=f"Alt {place + 1}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            words = Elided("", "body")
            line.addWidget(button)
            line.addWidget(words, 1)
            # The form above never jumps when twins come and go.
            policy = row.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            row.setSizePolicy(policy)
            row.hide()
            column.addWidget(row)
            self.twin_rows.append((row, button, words))
        return column

    def _build_foot(self) -> QHBoxLayout:
        px = self._theme.px
        self.trouble = label("", "body", "over")
        self.trouble.setWordWrap(True)
        self.trouble.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.cancel_button = Button(self._theme, _("Cancel"), keys="Esc")
        self.file_button = Button(self._theme, _("Report it"), keys="Ctrl ⏎", kind="primary")  # zh: 登记
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.trouble, 1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.file_button)
        return row

    def _wire(self) -> None:
        work = self._work
        self._ask_category = self._question(work.categories, self._on_categories)
        self._ask_conditions = self._question(work.conditions, self._on_conditions)
        self._ask_place = self._question(self._read_place, self._on_places)
        self._ask_around = self._question(work.around, self._on_around)
        self._ask_twins = self._question(work.duplicates, self._on_twins)
        self._questions = (
            self._ask_category,
            self._ask_conditions,
            self._ask_place,
            self._ask_around,
            self._ask_twins,
        )
        self.source.currentIndexChanged.connect(self._on_source)
        self.category.typed.connect(self._on_category_typed)
        self.category.chosen.connect(self._on_category_chosen)
        self.description.textChanged.connect(self._look_for_twins)
        self.place.typed.connect(self._on_place_typed)
        self.place.chosen.connect(self._on_place_chosen)
        self.datum.currentIndexChanged.connect(lambda: self._on_place_typed(self.place.text()))
        self.components.itemActivated.connect(self._on_component)
        self.components.itemClicked.connect(self._on_component)
        self.cancel_button.clicked.connect(self.reject)
        self.file_button.clicked.connect(self._on_file)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self._on_file)
        for place, (_row, button, _words) in enumerate(self.twin_rows):
            button.clicked.connect(lambda _on=False, place=place: self._on_join(place))
            QShortcut(QKeySequence(f"Alt+{place + 1}"), self).activated.connect(
                lambda place=place: self._on_join(place)
            )

    def _question(self, ask: Callable[..., object], answered: Callable[..., None]) -> Question:
        return Question(self._jobs, ask, answered, self)

    # Source and class.

    def _on_source(self) -> None:
        shown = self.source.currentData() in WITH_NUMBER
        # Greyed, not gone: nothing jumps while one types.
        for key in ("foreign_number", "foreign_due"):
            self.fields[key].setEnabled(shown)

    def _on_category_typed(self, words: str) -> None:
        self._category = None
        self._set_conditions([])
        if words.strip():
            self._ask_category.put(words)
        else:
            self._ask_category.drop()
            self.category.offer([])

    def _on_categories(self, found: Sequence[CategoryValue]) -> None:
        self.category.offer([Choice(_name(each), _origin(each), each) for each in found])
        self.fields["category"].set_error(
            "" if found or not self.category.text().strip() else _("No category is called that.")
        )

    def _on_category_chosen(self, value: CategoryValue) -> None:
        self._ask_category.drop()
        self._category = value
        self.category.setText(_name(value))
        self.fields["category"].set_error("")
        self._ask_conditions.put(value.id)
        self._look_around()
        self._look_for_twins()

    def _on_conditions(self, found: list[ConditionValue]) -> None:
        self._set_conditions(found)

    def _set_conditions(self, found: list[ConditionValue]) -> None:
        self._conditions = found
        self.condition.clear()
        for each in found:
            text = each.text_en if language() == "en" and each.text_en else each.text
            unit = _(UNIT_LABELS[LimitUnit(each.limit_unit)])
            self.condition.addItem(f"{each.limit_amount} {unit} · {text}", each.id)

    # Place.

    def _read_place(self, text: str, datum: str) -> tuple[str, list[Spot], str]:
        """On a reader's thread: what was asked, the answers, or what is wrong with it."""
        try:
            return text, self._work.places(text, datum), ""
        except Trouble as trouble:
            return text, [], trouble.text()

    def _on_place_typed(self, text: str) -> None:
        self.fields["datum"].setEnabled(looks_like_coordinates(text))
        self._set_spot(None)
        if text.strip():
            self._ask_place.put(text, self.datum.currentText())
        else:
            self._ask_place.drop()
            self._place_read = ""
            self.place.offer([])
            self.fields["place"].set_error("")

    def _on_places(self, answer: tuple[str, list[Spot], str]) -> None:
        text, found, wrong = answer
        self._place_read = text
        best = found[0] if found and found[0].is_whole and found[0].sure >= _SURE else None
        self._set_spot(best)
        self.fields["place"].set_error(wrong)
        if best is not None and best.datum is not None:
            self.place.offer([])
        else:
            self.place.offer([Choice(each.name, _exactness(each), each, each is best) for each in found])

    def _on_place_chosen(self, spot: Spot) -> None:
        self._ask_place.drop()
        # What was typed and understood stays as it is; a name picked from the list replaces it.
        if spot != self._spot:
            self.place.setText(spot.name)
        self._place_read = self.place.text()
        self._set_spot(replace(spot, is_whole=True))

    def _set_spot(self, spot: Spot | None) -> None:
        self._spot = spot
        self._component = None
        self._ask_around.drop()
        if spot is None:
            self._show_around(Surroundings("", "", "", ""))
            self.found["point"].setText("—")
        else:
            self.found["point"].setText(f"{spot.lon:.6f}, {spot.lat:.6f} · {_exactness(spot)}")
            set_tone(self.found["point"], "soon" if spot.is_coarse else "text1")
            self._look_around()
        self._look_for_twins()

    def _look_around(self) -> None:
        if self._spot is not None:
            category_id = self._category.id if self._category is not None else None
            self._ask_around.put(self._spot.lon, self._spot.lat, category_id)

    def _on_around(self, around: Surroundings) -> None:
        self._show_around(around)

    def _show_around(self, around: Surroundings) -> None:
        for key in ("district", "community", "patrol", "cell", "unit"):
            self.found[key].setText(getattr(around, key) or "—")
        self.hours.setText(around.hours)
        self.hours.setVisible(bool(around.hours))
        self.components.clear()
        for each in around.components:
            name = each.name_en if language() == "en" and each.name_en else each.name
            item = QListWidgetItem(f"{name}  {each.code}  {each.metres:.0f} m")
            item.setData(Qt.ItemDataRole.UserRole, each)
            self.components.addItem(item)
        if self._component is not None:
            self._mark_component()
        self.no_components.setText("—" if self._spot is None else _("None within 50 m."))
        self.no_components.setVisible(not around.components)
        self.components.setVisible(bool(around.components))

    def _on_component(self, item: QListWidgetItem) -> None:
        """Take it, or leave it again; its surveyed place is better than any address."""
        picked: ComponentNear = item.data(Qt.ItemDataRole.UserRole)
        if self._component is not None and self._component.id == picked.id:
            self._component = None
        else:
            self._component = picked
        self._mark_component()
        lon, lat = self._point()
        if lon is not None and lat is not None:
            exact = _("the component's own") if self._component is not None else _exactness(self._spot)
            self.found["point"].setText(f"{lon:.6f}, {lat:.6f} · {exact}")
        self._look_for_twins()

    def _mark_component(self) -> None:
        chosen = self._component.id if self._component is not None else 0
        for row in range(self.components.count()):
            item = self.components.item(row)
            each: ComponentNear = item.data(Qt.ItemDataRole.UserRole)
            font = item.font()
            font.setBold(each.id == chosen)
            item.setFont(font)
            words = item.text().removeprefix("✓ ")
            item.setText(f"✓ {words}" if each.id == chosen else words)

    # Twins.

    def _draft(self) -> Draft:
        lon, lat = self._point()
        return Draft(
            self._category.id if self._category is not None else None,
            lon,
            lat,
            self.description.toPlainText(),
            self._component.id if self._component is not None else None,
        )

    def _point(self) -> tuple[float | None, float | None]:
        if self._component is not None:
            return self._component.lon, self._component.lat
        return (self._spot.lon, self._spot.lat) if self._spot is not None else (None, None)

    def _look_for_twins(self) -> None:
        draft = self._draft()
        # A neighbourhood has too many cases to be of help.
        if draft.lon is None or (self._spot is not None and self._spot.is_coarse and not draft.component_id):
            self._ask_twins.drop()
            self._on_twins([])
        else:
            self._ask_twins.put(draft)

    def _on_twins(self, found: Sequence[Duplicate]) -> None:
        self._twins = list(found[:TWINS])
        likely = any(twin.is_likely for twin in self._twins)
        if likely:
            title = _("This may have been reported already:")
        elif self._twins:
            title = _("Open cases near by:")
        else:
            title = _("No open case like this near by.")
        self.twins_title.setText(title)
        set_tone(self.twins_title, "soon" if likely else "text3")
        for place, (row, button, words) in enumerate(self.twin_rows):
            row.setVisible(place < len(self._twins))
            if place < len(self._twins):
                text = _twin_words(self._twins[place])
                words.setText(text)
                set_tone(words, "text1" if self._twins[place].is_likely else "text2")
                button.setAccessibleDescription(text)

    # Writing.

    def _on_file(self) -> None:
        if not self._busy:
            self._jobs.start(self._file(None))

    def _on_join(self, place: int) -> None:
        if not self._busy and place < len(self._twins):
            self._jobs.start(self._file(self._twins[place].case.id))

    async def _file(self, into_id: int | None) -> None:
        self._set_busy(True)
        try:
            await self._settle()
            report = self._report()
            if report is None:
                return
            if into_id is None:
                filed = await self._jobs.write(self._work.report, report)
            else:
                filed = await self._jobs.write(self._work.join, report, into_id)
        except Trouble as trouble:
            self.trouble.setText(trouble.text())
            return
        finally:
            self._set_busy(False)
        self.filed.emit(filed)
        self.accept()

    async def _settle(self) -> None:
        """A quick hand files before the last answer is there: what was typed last is what counts."""
        if self.category.is_open and self._category is None and self.category.choices:
            self.category.take(0)
        text = self.place.text()
        if text.strip() and text != self._place_read:
            self._ask_place.drop()
            self._on_places(await self._jobs.read(self._read_place, text, self.datum.currentText()))
            self.place.close_list()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.file_button.setEnabled(not busy)
        for _row, button, _words in self.twin_rows:
            button.setEnabled(not busy)

    def _report(self) -> Report | None:
        """What was typed as a command; with faults all fields say theirs, and nothing is written."""
        errors, due = self._errors()
        self.trouble.setText("")
        for key, field in self.fields.items():
            field.set_error(errors.get(key, ""))
        if errors or self._category is None:
            first = next(key for key in self.fields if key in errors)
            self.fields[first].editor.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        source = self.source.currentData()
        number = self.foreign_number.text().strip() if source in WITH_NUMBER else ""
        spot = self._spot
        lon, lat = self._point()
        typed = self.place.text().strip()
        # Coordinates are no address: then the place is told by the nearest name.
        address = spot.name if spot is not None and spot.datum is not None else typed
        return Report(
            source=source,
            category_id=self._category.id,
            description=self.description.toPlainText().strip(),
            address=address,
            lon=lon,
            lat=lat,
            component_id=self._component.id if self._component is not None else None,
            reporter_name=self.reporter.text().strip(),
            reporter_phone=self.phone.text().strip(),
            wants_answer=self.wants_answer.isChecked(),
            original_x=spot.original_x if spot is not None else None,
            original_y=spot.original_y if spot is not None else None,
            datum=spot.datum if spot is not None else None,
            foreign_system=source if number else None,
            foreign_number=number or None,
            foreign_due_at=due,
            condition_id=self.condition.currentData(),
        )

    def _errors(self) -> tuple[dict[str, str], datetime | None]:
        errors: dict[str, str] = {}
        if self._category is None:
            errors["category"] = _("Choose a category from the list.")
        if not self.place.text().strip():
            errors["place"] = _("Say where it is.")
        elif self._spot is None and looks_like_coordinates(self.place.text()):
            errors["place"] = self.fields["place"].error() or _("These coordinates are no place.")
        if not self.description.toPlainText().strip():
            errors["description"] = _("Write what is the matter.")
        due = None
        typed = self.foreign_due.text().strip() if self.source.currentData() in WITH_NUMBER else ""
        if typed:
            due = read_moment(typed, self._clock.now().astimezone(self._zone))
            if due is None:
                errors["foreign_due"] = _("For example 12-31 17:00.")
        if self.phone.text().strip() and not any(sign.isdigit() for sign in self.phone.text()):
            errors["phone"] = _("A telephone number has figures.")
        return errors, due

    def reject(self) -> None:
        """Esc or Cancel; not while the report is being written, or nobody would learn its number."""
        if not self._busy:
            super().reject()

    def done(self, result: int) -> None:
        """The window goes; answers that are still under way find nobody."""
        for question in self._questions:
            question.drop()
        super().done(result)


def read_moment(text: str, now: datetime) -> datetime | None:
    """A day and time as one writes it: with the year, without it, or only the time; the next that comes."""
    for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
    for pattern in ("%Y-%m-%d %H:%M", "%Y-%m/%d %H:%M"):
        try:
            moment = datetime.strptime(f"{now.year}-{text}", pattern).replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
        # On New Year's Eve "01-02 09:00" is next year's.
        return moment if moment > now - timedelta(days=180) else moment.replace(year=now.year + 1)
    try:
        hour = datetime.strptime(text, "%H:%M").replace(tzinfo=now.tzinfo)
    except ValueError:
        return None
    moment = now.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    return moment if moment > now else moment + timedelta(days=1)


def _name(value: CategoryValue) -> str:
    return value.name_en if language() == "en" and value.name_en else value.name


def _origin(value: CategoryValue) -> str:
    major = value.major_name_en if language() == "en" and value.major_name_en else value.major_name
    other = value.name if language() == "en" else ""
    return " · ".join(part for part in (other, value.code, major, value.standard) if part)


def _exactness(spot: Spot | None) -> str:
    if spot is None:
        return ""
    if spot.datum is not None:
        return spot.datum if not spot.within_m else f"{spot.datum} ±{spot.within_m:.0f} m"
    if spot.is_coarse:
        # zh: 仅大致位置，误差可达 {metres} 米
        return _("roughly, up to {metres} m off").format(metres=f"{spot.within_m:,.0f}")
    return _("within {metres} m").format(metres=f"{spot.within_m:.0f}")


def _twin_words(twin: Duplicate) -> str:
    case = twin.case
    name = case.category_en if language() == "en" and case.category_en else case.category
    state = _(STATES[case.state].label)
    # zh: {hours} 小时前
    ago = _("{hours} h ago").format(hours=f"{twin.hours:.1f}")
    kind = "" if "category" in twin.reasons else name
    parts = (case.number, kind, twin.why(), ago, state, case.address)
    return "  ·  ".join(part for part in parts if part)
