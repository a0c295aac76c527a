"""What the generations of the server do differently on the wire, as data: asked for by name (`call.traits`).

The defaults are the newest behaviour, a profile names only what it does otherwise. All of 0.9 was seen on a 0.9.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.action_rules import CANCEL_COMPLETED
from fleetrig.reference_server.platforms.hawkbit.state.settings import Profile

PLUG_AND_PLAY: Final = "CONTROLLER_PLUG_AND_PLAY"


@dataclass(frozen=True, slots=True)
class Traits:
    """The ways of one generation."""

    # every answer
    names_charset: bool = False
    """`;charset=UTF-8` behind every JSON, CBOR and text type, and in no other place: not in the challenge of a 401."""
    utc_as: str = "Z"
    """How the framework's error body writes the zone of its timestamp; CBOR then has milliseconds instead."""
    unknown_methods_have_body: bool = True
    """TRACE and methods that are none get the framework's body; else an empty 400."""
    # requests and refusals
    one_counts_as_array: bool = True
    """Also one text where the words of a device's report are asked for."""
    done_status: int = 204
    """Of most changes and deletions that answer nothing."""
    quota_status: int = 429
    names_request_in_violations: bool = True
    """`create.create[0].name size …`; else that is said of markup only, and the rest of the record: `name size …`."""
    multi_assignment_error: str = "MultiAssignmentException"
    addresses_are_uris: bool = False
    """A target's address that is none is refused."""
    blanks_are_nothing: bool = False
    """A new target's name or token of blanks counts as absent, else as too short."""
    failed_searches_have_message: bool = False
    """A bad `q` is told in a fixed sentence where else there is none."""
    bodies_need_type: bool = False
    """No body needs a `Content-Type` too, where a device may leave it out."""
    greatest_config_value: int | None = None
    """Characters; longer ones are a violation."""
    # resources
    has_old_routes: bool = False
    has_old_search_fields: bool = False
    missing_routes: tuple[tuple[str, str], ...] = ()
    """(method, path), or for all methods ("", beginning of the path)."""
    has_target_groups: bool = True
    metadata_put_creates: bool = True
    actions_tell_active: bool = True
    """Whether an action is over is told by `active`; else by `status`, and its own status by `detailStatus`."""
    modules_tell_complete: bool = True
    visibility_is_needed: bool = True
    """A module's metadata is changed together with its `targetVisible` only."""
    cancel_completed: str = CANCEL_COMPLETED
    no_messages_are_null: bool = False
    """A line of an action's history without messages shows `[null]`, else `[]`."""
    confirmations_are_revocable: bool = True
    """A denial takes back an earlier confirmation."""
    system_declares_installed: bool = False
    """The action of `PUT installedBase` is by `system`; else by the device."""
    heaviest_assigns_first: bool = False
    """Of automatic assignments; else the oldest."""
    # tenant configuration
    has_old_config_keys: bool = False
    config_change_answers: bool = False
    """200 with the value; else nothing."""
    config_values_are_converted: bool = True
    """Else they have to be of the very type, and durations `HH:mm:ss` within the limits of the polling time."""
    # devices
    identity_header: str = "X-Controller-Id"
    authority_header: str = "X-Authority"
    authorities_are_numbered: bool = False
    """From 1 on, never as a list; what the tenant trusts is not trimmed."""
    self_made_by: str = PLUG_AND_PLAY
    """Who creates a target that registers itself."""
    removal_confirms: bool = True
    """Taking attributes away counts as telling them: they are not asked for any more."""
    # artifacts
    files_tell_bare_sha1: bool = False
    """The ETag has no quotes."""
    file_names_are_bare: bool = False
    """Neither cut nor quoted in `Content-Disposition`."""
    whole_files_are_ranges: bool = False
    """HEAD minds `Range`, a whole file has a `Content-Range`, and parts come as asked for: in any order, overlapping,
    without a type of their own."""
    # as documented
    new_targets_are_registered: bool = False
    """Before they ever polled; and what has not happened was at 0 (§5, 2 and 3)."""
    documented_links: bool = False
    """The answer to a creation has all links but the one to metadata, and actions without a page (§5, 4 and 7)."""
    tenants_have_gateway_key: bool = False
    """From the beginning, made by the first account; else there is none until somebody sets it (§5, 10)."""

    def lacks(self, method: str, path: str) -> bool:
        """Whether this generation does not have the route."""
        return (method, path) in self.missing_routes or any(
            not verb and path.startswith(start) for verb, start in self.missing_routes
        )


TRAITS: Final[Mapping[Profile, Traits]] = {
    Profile.CURRENT: Traits(),
    Profile.AS_DOCUMENTED: Traits(
        self_made_by="system",
        new_targets_are_registered=True,
        documented_links=True,
        tenants_have_gateway_key=True,
    ),
    Profile.OLD: Traits(
        names_charset=True,
        utc_as="+00:00",
        unknown_methods_have_body=False,
        one_counts_as_array=False,
        done_status=200,
        quota_status=403,
        names_request_in_violations=False,
        multi_assignment_error="MultiAssignmentIsNotEnabledException",
        addresses_are_uris=True,
        blanks_are_nothing=True,
        failed_searches_have_message=True,
        bodies_need_type=True,
        greatest_config_value=512,
        has_old_routes=True,
        has_old_search_fields=True,
        missing_routes=(
            ("", "/rest/v1/targetgroups"),
            ("", "/rest/v1/autoassignments"),
            ("GET", "/rest/v1/distributionsets/{id:long}/autoAssignments"),
            ("POST", "/rest/v1/rollouts/{id:long}/stop"),
            ("DELETE", "/rest/v1/actions"),
            ("DELETE", "/rest/v1/actions/{actionId:long}"),
            ("DELETE", "/rest/v1/targets/{controllerId}/actions"),
        ),
        has_target_groups=False,
        metadata_put_creates=False,
        actions_tell_active=False,
        modules_tell_complete=False,
        visibility_is_needed=False,
        cancel_completed="Cancellation completion is finished sucessfully.",
        no_messages_are_null=True,
        confirmations_are_revocable=False,
        system_declares_installed=True,
        heaviest_assigns_first=True,
        has_old_config_keys=True,
        config_change_answers=True,
        config_values_are_converted=False,
        identity_header="X-Ssl-Client-Cn",
        authority_header="X-Ssl-Issuer-Hash",
        authorities_are_numbered=True,
        removal_confirms=False,
        files_tell_bare_sha1=True,
        file_names_are_bare=True,
        whole_files_are_ranges=True,
    ),
}
