"""What a report keeps, and what becomes of the collector's errand."""

from __future__ import annotations

import pytest

from db.cases.commands.closing import ForceClose
from db.cases.commands.intake import Report, SendVerify
from db.cases.tables import reporter, task
from db.kernel.refusal import Refused, RefusedAll
from tests.db.engine.kit import rows_of
from tests.flows.bureau import COVER, Bureau


def test_a_report_keeps_the_pair_as_given_and_the_other_systems_number(bureau: Bureau) -> None:
    due = bureau.now.replace(hour=9)
    given = {
        "lon": 117.16,
        "lat": 35.08,
        "original_x": 4_000_000.5,
        "original_y": 39_500_000.25,
        "datum": "EPSG:4527",
        "foreign_system": "12345",
        "foreign_number": "TZ-1",
        "foreign_due_at": due,
    }
    case_id = bureau.reported(**given)
    row = bureau.row(case_id)
    assert {name: row[name] for name in given} == given
    with pytest.raises(Refused) as caught:
        bureau.reported(**given)
    assert caught.value.code == "known_already"
    assert row["number"] in caught.value.text()
    bureau.reported(foreign_system="upper", foreign_number="TZ-1")


def test_all_faults_of_a_report_are_told_at_once(bureau: Bureau) -> None:
    with pytest.raises(RefusedAll) as caught:
        bureau.run(Report("rumour", 5, lon=200.0, lat=0.0, component_id=6, reported_by=7))
    assert [each.code for each in caught.value.refusals] == [
        "unknown_source",
        "unknown_category",
        "unknown_component",
        "unknown_person",
        "not_on_earth",
    ]


def test_who_reported_stands_apart_and_never_in_the_journal(bureau: Bureau) -> None:
    case_id = bureau.reported(reporter_name="赵六", reporter_phone="13812345678", wants_answer=True)
    (row,) = bureau.about(reporter, case_id)
    assert (row["name"], row["phone"], row["wants_answer"]) == ("赵六", "13812345678", True)
    entry = bureau.entries()[-1]
    assert "13812345678" not in str(entry.arguments) + str(entry.changes)


def test_nobody_is_sent_who_is_not_there(bureau: Bureau) -> None:
    case_id = bureau.reported()
    with pytest.raises(Refused, match="no such person"):
        bureau.run(SendVerify((case_id,), 99), "acceptor")


def test_an_errand_for_a_case_that_ended_is_dropped(bureau: Bureau) -> None:
    case_id = bureau.at("pending_verify")
    bureau.run(ForceClose((case_id,), "重复"), "duty_leader")
    (row,) = bureau.about(task, case_id)
    assert (row["result"], row["answered_at"]) == ("dropped", bureau.now)


def test_a_report_of_an_unknown_class_leaves_nothing(bureau: Bureau) -> None:
    before = bureau.dump()
    with pytest.raises(Refused):
        bureau.reported(category_id=COVER + 1)
    assert bureau.dump() == before
    assert rows_of(bureau.core.database, reporter) == {}
