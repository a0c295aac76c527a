"""A device's credentials: read and changed by its operator (section 4, "Credentials")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid, missing
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import credentials_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import device_at, member_id
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, whole_number, word
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials, formed
from fleetrig.reference_server.platforms.thingsboard.state.devices import credentials_of, save_credentials
from fleetrig.reference_server.platforms.thingsboard.state.errors import bad_credentials
from fleetrig.reference_server.platforms.thingsboard.state.records import Credentials, CredentialsType, Device


def read(call: Call, device_id: str) -> Reply:
    """GET /api/device/{id}/credentials."""
    device = device_at(call, device_id)
    return Reply(document=credentials_form(_stored(call, device)), device=device.name)


def save(call: Call) -> Reply:
    """POST /api/device/credentials; sessions are closed if anything changes (S104)."""
    body = call.object
    device_id = member_id(body, "deviceId")
    if device_id is None:
        raise invalid("Parameter 'deviceId' can't be empty!")
    device = device_at(call, device_id)
    stored = _stored(call, device)
    given = mapping(body, "id")
    if given is None or given.get("id") != stored.id:
        raise bad_credentials("Unable to update non-existent device credentials!")
    saved = save_credentials(call.registry, stored, credentials_in(call, body), whole_number(body, "version"))
    changed = "" if saved is stored else f"credentials of {device.name} changed"
    return Reply(document=credentials_form(saved), device=device.name, changed=changed)


def credentials_in(call: Call, body: Mapping[str, Any]) -> FormedCredentials:
    """The credentials of a document. Without a type, or with an access token that is empty, none: RuleBroken."""
    kind = word(body, "credentialsType", CredentialsType)
    if kind is None:
        raise bad_credentials("Device credentials type should be specified!")
    return formed(kind, text(body, "credentialsId"), text(body, "credentialsValue"))


def _stored(call: Call, device: Device) -> Credentials:
    stored = credentials_of(call.registry, device.id)
    if stored is None:
        raise missing(reason="the device has no credentials")
    return stored
