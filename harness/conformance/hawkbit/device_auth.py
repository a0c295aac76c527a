"""Who a device is, and whether it may come in (spec/hawkbit.md §3)."""

from __future__ import annotations

from typing import Final

from harness.conformance.exact_client import Answer
from harness.conformance.findings import expect
from harness.conformance.frame import Resource
from harness.conformance.hawkbit.session import Session

ROWS: Final[Resource[Session]] = Resource("hawkbit", "auth")


def expect_bare_401(answer: Answer) -> None:
    """The one refusal of the Device API: no body, no challenge, no reason (§3.1)."""
    expect(f"status of {answer.request}", 401, answer.status)
    expect("body of the 401", "", answer.text)
    expect("WWW-Authenticate of the 401", None, answer.header("WWW-Authenticate"))


@ROWS.row("S41", "wrong-token", "A wrong target token is refused by a bare 401, and changes nothing")
def wrong_token(server: Session) -> None:
    server.target_tokens()
    target = server.target()
    expect_bare_401(server.ddi("GET", target.controller_id, auth="TargetToken wrong"))
    expect("updateStatus", "unknown", server.record(target.controller_id)["updateStatus"])
