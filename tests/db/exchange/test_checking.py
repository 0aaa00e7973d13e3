"""Each row becomes a draft of a case, or a line in the list of problems with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.exchange.checking import Checked, Draft, check, limit_days, short_code, soon_at
from db.exchange.importing import check_file
from db.exchange.known import Known, known_without_database
from db.exchange.mapping import CaseMapping, read_mapping
from db.exchange.problems import Reason
from db.exchange.reading import examine
from db.kernel.geo import bd09_from_wgs84, gcj02_from_wgs84, metres_between
from db.kernel.refusal import Refused
from tests.db.exchange.kit import MAPPING, real_file, row, write_mapping, write_rows


class Town:
    """Checks rows with the town's mapping, changed as a test needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = MAPPING
        self.open: list[Checked] = []

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)

    def mapping(self) -> CaseMapping:
        return read_mapping(write_mapping(self.folder, self.text))

    def check(self, *rows: dict[str, str], known: Known | None = None) -> Checked:
        mapping = self.mapping()
        source = examine(write_rows(self.folder, *rows), mapping)
        checked = check(source, mapping, known or known_without_database())
        self.open.append(checked)
        return checked

    def draft(self, **cells: str) -> Draft:
        (draft,) = self.check(row(**cells)).drafts()
        return draft

    def said(self, **cells: str) -> list[tuple[str, Reason, bool]]:
        return [
            (problem.column, problem.reason, problem.skipped)
            for problem in self.check(row(**cells)).problems.first
        ]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    for checked in town.open:
        checked.close()


def test_a_good_row_is_taken_without_a_word(town: Town) -> None:
    checked = town.check(row())
    (draft,) = checked.drafts()
    assert not len(checked.problems)
    assert draft[1:14] == (
        "1",
        "T-1",
        "handling",
        "other",
        "matter/06028",
        "Loud",
        "1 High Street",
        117.15,
        35.08,
        "Roads",
        "Longquan",
        1_713_207_795_000,
        None,
    )


@pytest.mark.parametrize(
    "cells, column, reason",
    [
        ({"No": ""}, "No", Reason.NO_NUMBER),
        ({"No": "9" * 61}, "No", Reason.TOO_LONG),
        ({"State": "Lost"}, "State", Reason.UNKNOWN_STATE),
        ({"State": ""}, "State", Reason.MISSING),
        ({"At": ""}, "At", Reason.MISSING),
        ({"At": "soon"}, "At", Reason.NOT_A_DATE),
        ({"At": "2024-02-30"}, "At", Reason.NO_SUCH_DATE),
        ({"State": "Done"}, "Closed", Reason.CLOSED_WITHOUT_TIME),
        ({"State": "Done", "Closed": "2024-04-15"}, "Closed", Reason.BEFORE_REPORT),
        ({"Lon": "abc"}, "Lon", Reason.NOT_A_NUMBER),
        ({"Lat": "nan"}, "Lat", Reason.NOT_A_NUMBER),
        ({"Lon": "200"}, "Lon", Reason.NOT_ON_EARTH),
        ({"Lat": "-91"}, "Lat", Reason.NOT_ON_EARTH),
    ],
)
def test_a_row_that_cannot_be_taken_is_skipped_with_line_column_and_reason(
    town: Town, cells: dict[str, str], column: str, reason: Reason
) -> None:
    checked = town.check(row(No="0"), row(**cells))
    (problem,) = checked.problems.first
    assert (problem.line, problem.column, problem.reason, problem.skipped) == (3, column, reason, True)
    assert (checked.report.taken, checked.report.skipped, checked.report.rows) == (1, 1, 2)


@pytest.mark.parametrize(
    "cells, column, reason",
    [
        ({"Lon": "", "Lat": ""}, "Lon", Reason.NO_POSITION),
        ({"Lon": ""}, "Lon", Reason.HALF_A_POINT),
        ({"Lon": "0", "Lat": "0.0"}, "Lon", Reason.ZERO_POINT),
        ({"Lon": "116.0"}, "Lon", Reason.OUTSIDE),
        ({"Closed": "2024-05-01"}, "Closed", Reason.OPEN_WITH_CLOSING),
        ({"What": "a\0b\x1b"}, "What", Reason.CONTROL_CHARACTERS),
        ({"Where": "x" * 201}, "Where", Reason.CUT),
    ],
)
def test_a_row_that_is_odd_is_taken_with_a_remark(
    town: Town, cells: dict[str, str], column: str, reason: Reason
) -> None:
    assert town.said(**cells) == [(column, reason, False)]


def test_rows_without_a_position_are_taken_and_counted_as_marked(town: Town) -> None:
    checked = town.check(row(), row(No="2", Lon="", Lat=""), row(No="3", Lon="0", Lat="0"))
    assert (checked.report.taken, checked.report.marked) == (3, 2)
    assert [draft.lon for draft in checked.drafts()] == [117.15, None, None]


@pytest.mark.parametrize("lon, lat", [("35.08", "117.15"), ("35.08", "117.15 ")])
def test_swapped_coordinates_are_swapped_back_and_told(town: Town, lon: str, lat: str) -> None:
    assert town.said(Lon=lon, Lat=lat) == [("Lon", Reason.SWAPPED, False)]
    draft = town.draft(Lon=lon, Lat=lat)
    assert (draft.lon, draft.lat) == (117.15, 35.08)


def test_a_swap_that_both_orders_allow_is_told_by_the_bounds_of_the_city(town: Town) -> None:
    town.change("[116.8, 34.8, 117.5, 35.3]", "[10, 40, 12, 42]")
    assert town.draft(Lon="41", Lat="11")[8:10] == (11.0, 41.0)
    town.change("bounds = [10, 40, 12, 42]", "")
    assert town.draft(Lon="41", Lat="11")[8:10] == (41.0, 11.0)


@pytest.mark.parametrize(
    "datum, there",
    [("GCJ-02", gcj02_from_wgs84), ("BD-09", bd09_from_wgs84), ("CGCS2000", lambda x, y: (x, y))],
)
def test_other_frames_become_wgs84(town: Town, datum: str, there: object) -> None:
    town.change('name = "Town"', f'name = "Town"\ndatum = "{datum}"')
    lon, lat = there(117.15, 35.08)  # type: ignore[operator]
    draft = town.draft(Lon=repr(lon), Lat=repr(lat))
    assert draft.lon is not None
    assert draft.lat is not None
    assert metres_between((draft.lon, draft.lat), (117.15, 35.08)) < 0.001


def test_hostile_text_stays_text_and_control_characters_go(town: Town) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202e\0 'quoted' \"twice\"\r\nline two"
    draft = town.draft(What=hostile, Where=hostile, Unit="<b>Roads</b>", District="<i>\0x</i>")
    assert draft.description == "<img src=x onerror=alert(1)> 'quoted' \"twice\"\nline two"
    assert draft.address == "<img src=x onerror=alert(1)> 'quoted' \"twice\" line two"
    assert (draft.unit, draft.district) == ("<b>Roads</b>", "<i>x</i>")


def test_the_second_row_with_a_number_is_skipped(town: Town) -> None:
    checked = town.check(row(), row(), row(No=" 1 "))
    assert [(p.line, p.reason) for p in checked.problems.first] == [(3, Reason.TWICE), (4, Reason.TWICE)]


def test_what_is_in_the_database_is_there_already_and_needs_no_word(town: Town) -> None:
    known = replace(known_without_database(), foreign_numbers=frozenset({"1"}))
    checked = town.check(row(State="Lost"), row(No="2"), row(), known=known)
    report = checked.report
    assert (report.rows, report.already, report.taken, report.skipped) == (3, 1, 1, 1)
    assert [p.reason for p in checked.problems.first] == [Reason.TWICE]


def test_a_number_that_another_case_bears_is_skipped(town: Town) -> None:
    known = replace(known_without_database(), numbers=frozenset({"T-1"}))
    checked = town.check(row(), known=known)
    assert [p.reason for p in checked.problems.first] == [Reason.NUMBER_TAKEN]


def test_a_long_number_becomes_a_number_of_ours_that_fits(town: Town) -> None:
    long, other = town.draft(No="X" * 59 + "1").number, town.draft(No="X" * 59 + "2").number
    assert len(long) == 24
    assert long.startswith("T-")
    assert long != other


def test_a_source_without_numbers_knows_a_row_by_its_words(town: Town) -> None:
    town.change('number = "No"\n', "")
    first, second = town.draft(What="a"), town.draft(What="b")
    assert first.foreign_number == town.draft(What="a").foreign_number != second.foreign_number
    assert len(first.number) <= 24


def test_a_time_before_the_report_can_be_dropped_instead(town: Town) -> None:
    town.change("[units]", '[rules]\ncontradicting_times = "drop"\n\n[units]')
    cells = {"State": "Done", "Closed": "2024-04-15 00:00"}
    assert town.said(**cells) == [("Closed", Reason.BEFORE_REPORT_DROPPED, False)]
    draft = town.draft(**cells)
    assert draft.closed_at == draft.reported_at


def test_a_closed_case_was_handed_back_when_it_was_closed(town: Town) -> None:
    draft = town.draft(State="Done", Closed="2024-04-17 00:00")
    assert draft.handled_at == draft.closed_at == draft.reported_at + 75_405_000


def test_a_case_that_was_not_dispatched_has_no_unit_and_no_clock(town: Town) -> None:
    draft = town.draft(State="New")
    assert (draft.unit, draft.dispatched_at, draft.handled_at) == ("", None, None)


def test_an_unknown_unit_waits_for_dispatch_where_the_register_may_not_grow(town: Town) -> None:
    town.change("[units]\ncreate = true", "[units]\ncreate = false")
    assert town.said() == [("Unit", Reason.UNKNOWN_UNIT, False)]
    assert (town.draft().unit, town.draft().state) == ("", "pending_dispatch")
    known = replace(known_without_database(), units={"roads": 7})
    (draft,) = town.check(row(), known=known).drafts()
    assert (draft.unit, draft.state) == ("Roads", "handling")


def test_an_unknown_district_is_told_where_the_register_may_not_grow(town: Town) -> None:
    town.change("[districts]\ncreate = true", '[districts]\n[districts.words]\n"Unspecified" = ""')
    assert town.said() == [("District", Reason.UNKNOWN_DISTRICT, False)]
    assert town.said(District="Unspecified") == []


def test_words_that_the_mapping_does_not_know_are_counted(town: Town) -> None:
    checked = town.check(row(Kind="Ghosts"), row(No="2", Kind="Ghosts"), row(No="3", Kind="Litter"))
    assert checked.report.unmapped == Counter({"Ghosts": 2})
    assert [draft.target for draft in checked.drafts()] == ["T9", "T9", "matter/06010"]


def test_a_new_district_lies_in_the_middle_of_its_cases(town: Town) -> None:
    checked = town.check(row(), row(No="2", Lon="117.25", Lat="35.10"), row(No="3", Lon="", Lat=""))
    assert checked.districts["Longquan"].middle == pytest.approx((117.20, 35.09))
    assert checked.report.bounds == (117.15, 35.08, 117.25, 35.10)


def test_a_point_outside_of_the_city_does_not_stretch_its_bounds(town: Town) -> None:
    assert town.check(row(), row(No="2", Lon="100")).report.bounds == (117.15, 35.08, 117.15, 35.08)


def test_a_class_that_no_list_has_refuses_the_mapping(town: Town) -> None:
    town.change("matter/06010", "matter/99999")
    with pytest.raises(Refused, match="there is no class “matter/99999”"):
        town.check(row())


def test_the_first_rows_can_be_shown(town: Town) -> None:
    checked = town.check(row(), row(State="Lost", No="2"))
    first, second = checked.preview
    assert first.draft is not None
    assert (first.line, first.draft.number, first.problems) == (2, "T-1", ())
    assert second.draft is None
    assert second.problems[0].reason is Reason.UNKNOWN_STATE


def test_a_long_word_becomes_a_code_that_fits() -> None:
    assert short_code("NYPD") == "NYPD"
    assert len(short_code("x" * 60)) == 24


def test_a_given_due_moment_becomes_days_and_an_amber_moment() -> None:
    assert soon_at(1000, 2000) == 1800
    assert limit_days(0, 86_400_000) == 1
    assert limit_days(0, 86_400_001) == 2
    assert limit_days(0, 0) == 1


wild = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(list(row().values()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(row(), wild)), min_size=1, max_size=6))
def test_whatever_stands_in_the_cells_each_row_is_counted_once(
    town: Town, table: list[dict[str, str]]
) -> None:
    checked = town.check(row(No="first"), *table)
    report = checked.report
    assert report.taken + report.skipped + report.already == report.rows == 1 + len(table)
    assert report.skipped == sum(problem.skipped for problem in checked.problems.first)
    for draft in checked.drafts():
        assert not any("\0" in value for value in draft if isinstance(value, str))
        assert len(draft.number) <= 24


def test_the_thousand_requests_of_new_york_are_all_taken() -> None:
    mapping = read_mapping(Path(__file__).parents[3] / "resources/reference/mappings/nyc311.toml")
    with check_file(real_file(), mapping, None) as checked:
        report = checked.report
        assert (report.rows, report.taken, report.skipped, report.marked) == (1000, 1000, 0, 23)
        assert not report.unmapped
        assert checked.problems.counts == {Reason.NO_POSITION: 23, Reason.CLOSED_BY_FALLBACK: 1}
        states = Counter(draft.state for draft in checked.drafts())
        assert states == {"pending_handle": 430, "handling": 277, "closed": 293}
        assert sum(draft.due_at is not None for draft in checked.drafts()) == 16


def test_the_hotline_example_reads_a_chinese_export(tmp_path: Path) -> None:
    mapping = read_mapping(Path(__file__).parents[3] / "resources/reference/mappings/hotline_12345.toml")
    lines = [
        "工单编号,工单状态,诉求来源,诉求标题,诉求内容,所属街道,事发地址,承办单位,经度,纬度,受理时间,派单时间,办结期限,"
        "办结时间,结案时间,来电人,联系电话,办理结果,诉求大类,诉求小类",
        "GD1,办理中,电话,占道,摊位占道,龙泉街道,善国路,城管局"
        ",117.162098,35.088498,2024/4/16 3:03,2024/4/16 3:10"
        ",2024年4月18日 3时3分,,,张三,13800001234,,街面秩序,占道经营",
        "GD2,已归档,微信,噪声,,北辛街道,,城管局,,,20240416030315,,,2024-04-17 08:00,,,,已整改,噪声污染,其他"
        "噪声",
    ]
    path = tmp_path / "工单.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    with check_file(path, mapping, None) as checked:
        first, second = checked.drafts()
    assert (first.state, first.source, first.target) == ("handling", "hotline", "matter/09006")
    assert (round(first.lon or 0, 6), round(first.lat or 0, 6)) == (117.156187, 35.088951)
    assert (first.reporter_name, first.description) == ("张三", "占道：摊位占道")
    assert (second.state, second.target, second.closed_at) == ("closed", "matter/06028", second.handled_at)
