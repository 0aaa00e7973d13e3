"""Who else is at a case, in words: who has claimed it, who looks at it, who writes in it."""

from __future__ import annotations

from db.kernel.language import _
from db.live.board import Board
from desktop.core.words import clock_time


def company_words(board: Board, case_id: int, account_id: int) -> str:
    """One line about a case for the person of an account; "" when nobody else is near and it is nobody's."""
    parts = []
    claim = board.store.claims.by_case.get(case_id)
    if claim is not None:
        until = clock_time(claim.until_ms, board.store.zone)
        if claim.account_id == account_id:
            # zh: 您已领取，至 {time}
            parts.append(_("yours until {time}").format(time=until))
        else:
            # zh: {who} 已领取，至 {time}
            parts.append(_("{who} has it until {time}").format(who=claim.name, time=until))
    for each in board.others_at(case_id, account_id):
        # zh: {who} 正在处理
        writing = _("{who} is writing")
        # zh: {who} 正在查看
        looking = _("{who} is looking")
        parts.append((writing if each.typing else looking).format(who=each.name))
    # zh: 、
    return _(", ").join(parts)
