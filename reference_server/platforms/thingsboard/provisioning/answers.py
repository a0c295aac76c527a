"""What is said to a provision request (spec 1.2, 1.5): compact JSON in the server's order of members, or protobuf."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, Status
from fleetrig.reference_server.platforms.thingsboard.provisioning.protobuf import write_protobuf_answer
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import read_basic
from fleetrig.reference_server.platforms.thingsboard.state.generations import Traits
from fleetrig.reference_server.platforms.thingsboard.state.records import Credentials, CredentialsType

COMPACT: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
MESSAGES: Final = {
    Status.NOT_FOUND: "Provision data was not found!",
    Status.FAILURE: "Failed to provision device!",
}


def json_answer(decision: Decision, traits: Traits) -> bytes:
    """Of a decision that has a status."""
    document = _documented(decision) if traits.answers_as_documented else _answered(decision)
    return COMPACT.encode(document).encode("utf-8", "replace")


def protobuf_answer(decision: Decision) -> bytes:
    """Of a decision that has a status."""
    assert decision.status is not None
    credentials = decision.credentials
    if credentials is None:
        return write_protobuf_answer(decision.status)
    is_token = credentials.type is CredentialsType.ACCESS_TOKEN
    value = credentials.credentials_id if is_token else credentials.value or ""
    return write_protobuf_answer(decision.status, credentials.type, value)


def _answered(decision: Decision) -> Mapping[str, Any]:
    if decision.credentials is None:
        assert decision.status is not None
        return {"errorMsg": MESSAGES[decision.status], "status": decision.status}
    tail = {"credentialsType": decision.credentials.type, "status": decision.status}
    if decision.credentials.type is CredentialsType.LWM2M_CREDENTIALS:
        return tail
    return {"credentialsValue": _value(decision.credentials), **tail}


def _documented(decision: Decision) -> Mapping[str, Any]:
    """As the documentation has it, which no release does (spec 6)."""
    if decision.credentials is None or decision.device is None:
        return {"provisionDeviceStatus": decision.status}
    is_token = decision.credentials.type is CredentialsType.ACCESS_TOKEN
    return {
        "deviceId": decision.device.id,
        "provisionDeviceStatus": decision.status,
        "credentialsType": decision.credentials.type,
        "accessToken" if is_token else "credentialsValue": _value(decision.credentials),
    }


def _value(credentials: Credentials) -> Any:
    match credentials.type:
        case CredentialsType.ACCESS_TOKEN:
            return credentials.credentials_id
        case CredentialsType.MQTT_BASIC:
            return read_basic(credentials.value)
        case _:
            return credentials.value
