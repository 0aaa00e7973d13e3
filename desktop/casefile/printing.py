"""A case on paper: one or two A4 pages, every word of other people escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from db.cases.casefile import CaseFile
from db.cases.contacts import Contact
from db.cases.photos import PHASES
from db.cases.queries import StepTaken
from db.cases.rules import STATES
from db.cases.workflow import VERB_LABELS
from db.kernel.clock import to_ms
from db.kernel.language import _
from db.live.directory import Directory
from desktop.casefile.sections import Words
from desktop.casefile.timeline import step_words
from desktop.core.words import span

MOST_PHOTOS = 4
MOST_NEAR = 8
PHOTO_HEIGHT = 108
"""Pixels at 96 to the inch: four photos stand side by side, upright or not."""


@dataclass(frozen=True)
class Paper:
    """What a sheet needs besides the case itself."""

    city: str
    category: str
    line: str
    """The colour of hairlines, as "#rrggbb"."""


def case_html(
    file: CaseFile,
    words: Words,
    directory: Directory,
    paper: Paper,
    photos: Sequence[str] = (),
    contact: Contact | None = None,
) -> str:
    """The sheet as HTML. `photos`: hashes of those whose pictures are there; the contact is on it only when
    it is handed over.
    """
    details = file.details
    state = _(STATES[details.state].label) if details.state in STATES else details.state
    parts = [
        f"<table width='100%'><tr><td><span style='font-size:16pt; font-weight:600'>{escape(paper.category)}"
        f"</span></td><td align='right' valign='bottom'>{escape(paper.city)}</td></tr></table>",
        f"<p>{escape(_('Case {number}').format(number=details.number))} · {escape(state)}</p>",
        f"<hr style='background-color:{paper.line}'>",
    ]
    if details.description:
        # What a citizen wrote keeps its lines.
        lines = "<br>".join(escape(line) for line in details.description.split("\n"))
        parts.append(f"<p style='font-size:11pt; margin-bottom:8px'>{lines}</p>")
    facts = words.facts(file)
    if contact is not None:
        facts |= {_("Contact"): f"{contact.name}  {contact.phone}"}
    parts.append(_table(list(facts.items())))
    if photos:
        parts.append(_heading(_("Photos")))
        parts.append(_photos(file, words, photos))
    parts.append(_heading(_("Steps")))
    parts.append(_steps(file.details.steps, words, directory))
    if matters := words.matters(file):
        parts.append(_heading(_("Requests, orders and tasks")))
        parts.append(
            _table([(f"{m.title} {m.state}".strip(), "\n".join(m.words)) for m in matters], narrow=True)
        )
    if file.duties:
        parts.append(_heading(_("Who answers for the place")))
        duties = [(kind, value.replace("\n", " · ")) for kind, value in words.duties(file)]
        parts.append(_table(duties, narrow=True))
    if file.nearby:
        parts.append(_heading(_("Here before")))
        near = [words.near(each) for each in file.nearby[:MOST_NEAR]]
        parts.append("".join(f"<div>{escape(head)} — {escape(detail)}</div>" for head, detail in near))
    return f"<html><body>{''.join(parts)}</body></html>"


def _heading(title: str) -> str:
    style = "font-weight:600; font-size:10.5pt; margin-top:10px; margin-bottom:3px"
    return f"<p style='{style}'>{escape(title)}</p>"


def _table(rows: Sequence[tuple[str, str]], *, narrow: bool = False) -> str:
    """Titles and values, two pairs a line when they are short."""
    across = 1 if narrow else 2
    cells = [
        f"<td width='{'22%' if narrow else '15%'}' style='padding:1px 6px 1px 0'>{escape(title)}</td>"
        f"<td width='{'78%' if narrow else '35%'}' style='padding:1px 12px 1px 0'>"
        f"{'<br>'.join(escape(line) for line in value.split(chr(10)))}</td>"
        for title, value in rows
    ]
    lines = ["".join(cells[i : i + across]) for i in range(0, len(cells), across)]
    return f"<table width='100%' cellspacing='0'>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _steps(steps: Sequence[StepTaken], words: Words, directory: Directory) -> str:
    lines = []
    before: StepTaken | None = None
    for taken in steps:
        passed = "" if before is None else span(to_ms(taken.at) - to_ms(before.at))
        verb = escape(_(VERB_LABELS.get(taken.verb, taken.verb)))
        note = "<br>".join(escape(line) for line in taken.note.split("\n"))
        lines.append(
            f"<tr><td width='20%'>{escape(words.moment(taken.at))}</td><td width='8%' align='right' "
            f"style='padding-right:8px'>{escape(passed)}</td><td width='17%'><b>{verb}</b></td>"
            f"<td width='23%'>{escape(step_words(taken, directory))}</td><td>{note}</td></tr>"
        )
        before = taken
    return f"<table width='100%' cellspacing='0' cellpadding='1'>{''.join(lines)}</table>"


def _photos(file: CaseFile, words: Words, there: Sequence[str]) -> str:
    shown = [photo for photo in file.photos if photo.sha256 in set(there)][:MOST_PHOTOS]
    cells = [
        f"<td><img src='photo:{photo.sha256}' height='{PHOTO_HEIGHT}'><br>"
        f"{escape(_(PHASES.get(photo.phase, photo.phase)))} {escape(words.moment(photo.added_at))}</td>"
        for photo in shown
    ]
    return f"<table cellspacing='6'><tr>{''.join(cells)}</tr></table>"
