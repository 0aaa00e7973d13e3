"""What the import window shows of a checked file: the first rows as they would be taken, and which
column goes where.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from db.cases.rules import STATES
from db.exchange.checking import Checked, PreviewRow, Report
from db.exchange.known import class_names
from db.exchange.mapping import CaseMapping
from db.kernel.language import N_, _, language, ngettext_
from desktop.core.words import local, number
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows

COLUMNS = (
    Column("line", N_("Line"), 56, align=RIGHT, sortable=False),
    Column("outcome", N_("What is done"), 144, sortable=False),
    Column("remark", N_("Remark"), 200, sortable=False),
    Column("number", N_("Number"), 128, sortable=False),
    Column("reported", N_("Reported"), 128, sortable=False),
    Column("category", N_("Category"), 168, sortable=False),
    Column("state", N_("State"), 88, sortable=False),
    Column("unit", N_("Unit"), 128, sortable=False),
    Column("district", N_("District"), 104, sortable=False),
    Column("position", N_("Position"), 144, sortable=False),
    Column("address", N_("Address"), 152, stretch=True, sortable=False),
)
FIELDS = {
    "number": N_("Number"),
    "state": N_("State"),
    "source": N_("Source"),
    "description": N_("Description"),
    "address": N_("Address"),
    "unit": N_("Unit"),
    "unit_name": N_("Name of the unit"),
    "district": N_("District"),
    "lon": N_("Longitude"),
    "lat": N_("Latitude"),
    "reported_at": N_("Reported"),
    "filed_at": N_("Registered"),
    "dispatched_at": N_("Dispatched"),
    "handled_at": N_("Handed back"),
    "due_at": N_("Due"),
    "closed_at": N_("Ended"),
    "reporter_name": N_("Name of the reporter"),
    "reporter_phone": N_("Telephone of the reporter"),
    "note": N_("Note"),
}
"""The fields of a case that a mapping can fill, as the window calls them."""
_SHOWN_WORDS = 3


def preview_rows(checked: Checked) -> ListedRows:
    """The first rows of the file, each with what becomes of it."""
    mapping = checked.mapping
    zone = ZoneInfo(mapping.zone)
    names = class_names(mapping)
    header = {heading: place for place, heading in enumerate(checked.source.header)}
    return ListedRows(
        (place, _cells(row, checked, zone, names, header)) for place, row in enumerate(checked.preview, 1)
    )


def _cells(
    row: PreviewRow,
    checked: Checked,
    zone: ZoneInfo,
    names: dict[str, tuple[str, str]],
    header: dict[str, int],
) -> dict[str, Cell | str]:
    remark = " ".join(
        f"{problem.column}: {problem.text()}" if problem.column else problem.text()
        for problem in row.problems
    )
    cells: dict[str, Cell | str] = {"line": number(row.line)}
    draft = row.draft
    if draft is None:
        tone = "text3" if row.already else "over"
        cells["outcome"] = Cell(_("There already") if row.already else _("Skipped"), tone=tone)
        cells |= {
            name: Cell(_raw(row, checked.mapping, field, header), tone="text3")
            for name, field in (
                ("number", "number"),
                ("reported", "reported_at"),
                ("address", "address"),
                ("state", "state"),
            )
        }
        cells["remark"] = Cell(remark, tone=tone, tip=remark)
        return cells
    unit = checked.units.get(draft.unit)
    chinese = language() == "zh_CN"
    registers = checked.mapping
    cells["outcome"] = Cell(_("Taken, see remark"), tone="soon") if row.problems else Cell(_("Taken"))
    cells["number"] = draft.number
    cells["reported"] = f"{local(draft.reported_at, zone):%Y-%m-%d %H:%M}"
    cells["category"] = names[draft.target][0 if chinese else 1]
    cells["state"] = _(STATES[draft.state].label)
    cells["unit"] = (
        draft.unit
        if unit is None
        else (registers.units.names.get(unit.word, unit.name) if chinese else unit.name)
    )
    cells["district"] = (
        registers.districts.names.get(draft.district, draft.district)
        if chinese
        else (draft.district.title() if draft.district.isupper() else draft.district)
    )
    cells["position"] = (
        Cell(_("No position"), tone="soon")
        if draft.lon is None or draft.lat is None
        else f"{draft.lon:.5f}, {draft.lat:.5f}"
    )
    cells["address"] = draft.address
    cells["remark"] = Cell(remark, tone="text2", tip=remark)
    return cells


def _raw(row: PreviewRow, mapping: CaseMapping, field: str, header: dict[str, int]) -> str:
    """What the source wrote for a field of a row that is not taken; nothing when the row has no such cell."""
    pick = mapping.columns.get(field)
    places = [header[heading] for heading in pick.headings] if pick else []
    words = [row.cells[place].strip() for place in places if place < len(row.cells)]
    return " ".join(next((word for word in words if word), "").split())[:80]


def column_lines(mapping: CaseMapping) -> list[tuple[str, str]]:
    """Our field and the source's columns, in the order of the mapping; several are joined by what joins
    them.
    """
    lines = [
        (
            _(FIELDS[field]),
            _(", else ").join(pick.joined_by.join(choice) for choice in pick.choices),
        )
        for field, pick in mapping.columns.items()
    ]
    return [*lines, (_("Category"), " / ".join(mapping.category_columns))]


def counts_line(report: Report) -> str:
    """The counts of a check in one line."""
    return _(
        "{rows} rows: {taken} taken, {marked} of them without a position; "
        "{skipped} skipped; {already} there already"
    ).format(
        rows=number(report.rows),
        taken=number(report.taken),
        marked=number(report.marked),
        skipped=number(report.skipped),
        already=number(report.already),
    )


def effect_line(checked: Checked) -> str:
    """What pressing the button will do, written beside it."""
    report = checked.report
    if not report.taken:
        return _("Nothing to import: every row is there already or was skipped.")
    # zh: 将新增在办 {open} 件、已结 {closed} 件
    parts = [
        _("adds {open} open and {closed} closed cases").format(
            open=number(report.open), closed=number(report.taken - report.open)
        )
    ]
    if checked.units:
        parts.append(
            ngettext_("{count} new unit", "{count} new units", len(checked.units)).format(
                count=len(checked.units)
            )
        )
    if checked.districts:
        count = len(checked.districts)
        parts.append(ngettext_("{count} new district", "{count} new districts", count).format(count=count))
    return _(", ").join(parts)


def unmapped_line(report: Report) -> str:
    """Words for which the default class was taken; nothing when there were none."""
    if not report.unmapped:
        return ""
    # zh: {word}（{count}）
    said = _("{word} ({count})")
    words = [
        said.format(word=word, count=number(count))
        for word, count in report.unmapped.most_common(_SHOWN_WORDS)
    ]
    more = len(report.unmapped) - len(words)
    if more:
        words.append(_("{count} more").format(count=number(more)))
    return _("The mapping does not know: {words}. The default class is taken.").format(
        words=_(", ").join(words)
    )
