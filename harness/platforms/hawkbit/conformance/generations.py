"""What rows expect of a generation, where generations differ: asked for by name (`server.generation`).

The defaults are 1.1's. What is said of 0.9 was seen on a 0.9.0, not taken from the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Generation:
    """The ways of one generation, apart from what the reference server knows of them."""

    # every answer
    challenge: str = 'Basic realm="hawkBit", charset="UTF-8"'
    """Of the Management API to whom it does not know."""
    no_content: int = 204
    """Status of most changes and deletions that answer nothing."""
    quota_status: int = 429
    trace_status: int = 405
    # targets
    has_target_groups: bool = True
    has_auto_assignments: bool = True
    """As resources of their own."""
    one_counts_as_array: bool = True
    names_request_in_violations: bool = True
    """What is wrong with a text is said of the request (`create.create[0].name`); else of the record (`name`), but for
    markup, which is found in `create.creates[0]`."""
    metadata_put_creates: bool = True
    creates_as_documented: bool = False
    """The answer to a creation has all links (§5)."""
    first_status: str = "unknown"
    """Of a target that has not polled yet."""
    no_time: int | None = None
    """What stands for the time of what has not happened; None: nothing does."""
    self_made_by: str = "CONTROLLER_PLUG_AND_PLAY"
    """Who has created a target that registered itself."""
    # actions
    rollouts_can_be_stopped: bool = True
    actions_can_be_deleted: bool = True
    actions_tell_active: bool = True
    """Whether an action is over is told by `active`; else by `status`, and its own status by `detailStatus`."""
    # configuration
    config_change_answers: bool = False
    """A change is answered with the value."""
    config_values_are_converted: bool = True
    polling_time_is_plain: bool = False
    """`HH:mm:ss` alone; and the overdue time has the limits of the polling time."""
    # devices
    identity_header: str = "X-Controller-Id"
    authority_header: str = "X-Authority"
    authorities_are_numbered: bool = False
    """From 1 on, never as a list; those that a tenant trusts stand without blanks between them."""
    # files
    etag_of_file: str = '"{sha1}"'
    whole_file_has_range: bool = False
    """`Content-Range` also with a 200, which answers every range that is the whole file."""
    ranges_are_sorted: bool = True
    """Several ranges come in the order of the file, and may not overlap; else as asked for."""
    part_headers: str = "Content-Type: application/octet-stream\r\nContent-Range: {range}\r\n\r\n"
    """Between the boundary and the bytes of one of several ranges."""
    long_suffix_status: int = 416
    """Of a suffix range that is longer than the file."""

    def state_of(self, status: str, *, active: bool) -> dict[str, Any]:
        """How an action with this status shows it."""
        if self.actions_tell_active:
            return {"status": status, "active": active}
        return {"status": "pending" if active else "finished", "detailStatus": status}

    def new(self, field: str, number: int = 0) -> str:
        """What a violation calls a field of the n-th target of a creation."""
        return f"create.create[{number}].{field}" if self.names_request_in_violations else field

    def made(self, field: str) -> str:
        """What a violation calls a field of the one entity that a request makes."""
        return f"create.create.{field}" if self.names_request_in_violations else field

    def changed(self, field: str) -> str:
        """What a violation calls a field of a change."""
        return f"update.update.{field}" if self.names_request_in_violations else field

    def marked_up(self, field: str, number: int = 0) -> str:
        """What a violation calls a field with markup in it."""
        return f"{'create.create' if self.names_request_in_violations else 'create.creates'}[{number}].{field}"


GENERATIONS: Final[Mapping[str, Generation]] = {
    "1.1": Generation(),
    "as-documented": Generation(
        creates_as_documented=True, first_status="registered", no_time=0, self_made_by="system"
    ),
    "0.9": Generation(
        challenge='Basic realm="hawkBit"',
        no_content=200,
        quota_status=403,
        trace_status=400,
        has_target_groups=False,
        has_auto_assignments=False,
        one_counts_as_array=False,
        names_request_in_violations=False,
        metadata_put_creates=False,
        rollouts_can_be_stopped=False,
        actions_can_be_deleted=False,
        actions_tell_active=False,
        config_change_answers=True,
        config_values_are_converted=False,
        polling_time_is_plain=True,
        identity_header="X-Ssl-Client-Cn",
        authority_header="X-Ssl-Issuer-Hash",
        authorities_are_numbered=True,
        etag_of_file="{sha1}",
        whole_file_has_range=True,
        ranges_are_sorted=False,
        part_headers="Content-Range: {range}\r\n",
        long_suffix_status=500,
    ),
}
"""Profile -> its generation."""
