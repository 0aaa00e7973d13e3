"""Of every command somebody has decided where it is carried out when a station works for a server."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import db
from db.calendars.commands import SetDay
from db.cases.claims import Claim
from db.cases.commands.intake import Report
from db.engine.tables import journal
from db.kernel.command import Reach, command_name, registered_commands
from db.people.commands import SetScope
from tests.db.sync.conftest import Pair
from tests.flows.bureau import COVER
from tests.kit.refusals import refused

BOTH = """
    case.accept case.add_helper case.answer_order case.ask_appeal case.ask_postpone case.ask_return
    case.ask_suspend case.attach_photo case.close case.decide_appeal case.dispatch case.fail_check
    case.force_close case.grant case.handle case.merge case.pass_check case.place case.reassign case.receive
    case.refuse case.register case.reject case.report case.resume case.resume_due case.send_back
    case.send_check case.send_verify case.set_priority case.split case.supervise case.tag case.unmerge
    case.untag case.urge case.verify_false case.verify_true case.void case.withdraw
    desk.change_kept desk.drop_kept desk.keep desk.order_kept
    sync.drop undo
"""
"""What an officer does with cases and at the own desk: at once here, then on the server."""
SERVER = """
    advice.set_automatic calendar.load_year calendar.set_day calendar.set_windows
    calendar.set_working_day_rule case.claim case.claim_next case.dispatch_advised case.import
    case.release_claim case.renew_claims case.take_over contact.view core.grant_permissions
    core.load_edition core.load_reference demo.grow demo.load demo.staff demo.walk duty.clear duty.end
    duty.import duty.paint duty.put people.add_person people.change_password people.clean_tracks
    people.close_account people.create_account people.create_first_account people.note_sign_in
    people.let_in people.open_account people.reset_password people.set_roles people.set_scope
    people.view_track proposal.confirm
    proposal.propose proposal.refuse proposal.withdraw registers.end_areas registers.end_rule
    registers.end_sensitive registers.import registers.put_areas registers.put_rule
    registers.put_sensitive registers.reshape_areas
"""
"""What others' decisions rest upon, who came first, and what only the server has: never without a line."""
HERE = """
    people.be_present search.rebuild sync.hear sync.take_over tiles.add tiles.raise tiles.remove
"""
"""What means something in this file only."""


def test_somebody_has_decided_on_every_command() -> None:
    for module in walk_packages(db.__path__, "db."):
        # Migrations are Alembic's to load.
        if ".migrations" not in module.name:
            import_module(module.name)
    decided = {
        name: reach
        for reach, names in ((Reach.BOTH, BOTH), (Reach.SERVER, SERVER), (Reach.HERE, HERE))
        for name in names.split()
    }
    ours = [cls for cls in registered_commands() if cls.__module__.startswith("db.")]
    assert {command_name(cls): cls.reach for cls in ours} == decided


def test_what_only_the_server_can_decide_is_refused_before_anything_is_written(pair: Pair) -> None:
    case_id = pair.east.run(Report("hotline", COVER, "井盖丢失"), "wang")
    count = len(pair.east.acts())
    for command, who in ((Claim((case_id,)), "wang"), (SetDay("2026-11-24", True), "chen")):
        with refused("needs_server" if who == "wang" else "not_permitted"):
            pair.east.run(command, who)
    with refused("not_permitted"):
        pair.east.run(SetScope(1), "wang")
    assert len(pair.east.acts()) == count
    with pair.east.local.read() as connection:
        newest = connection.execute(journal.select().order_by(journal.c.seq.desc())).first()
    assert newest is not None
    assert newest.command == "case.report"
