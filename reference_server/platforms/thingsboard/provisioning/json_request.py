"""A provision request from JSON, member by member in the server's order: the first bad one decides (spec 1.1, 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import NotJson, as_text, parse
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import ProvisionRequest, Undecodable, Unusable
from fleetrig.reference_server.platforms.thingsboard.state.generations import Traits
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType

KEY: Final = "provisionDeviceKey"
SECRET: Final = "provisionDeviceSecret"
ENUM: Final = "org.thingsboard.server.gen.transport.TransportProtos.CredentialsType"


def read_json_request(text: str, traits: Traits) -> ProvisionRequest:
    """Raises Undecodable, Unusable."""
    return request_of(read_object(text), traits)


def request_of(document: Mapping[str, Any], traits: Traits) -> ProvisionRequest:
    """Raises Undecodable, Unusable."""
    device_name, kind = _text(document, "deviceName"), _credentials_type(document)
    token, client_id, username, password, certificate = (
        _text(document, name) for name in ("token", "clientId", "username", "password", "hash")
    )
    key, secret = _needed_text(document, KEY), _needed_text(document, SECRET)
    gateway = traits.has_gateway_flag and "gateway" in document and _is_true(document["gateway"], "gateway")
    return ProvisionRequest(key, secret, device_name, kind, token, client_id, username, password, certificate, gateway)


def read_object(text: str) -> Mapping[str, Any]:
    """Raises Undecodable."""
    try:
        document = parse(text)
    except NotJson as error:
        raise Undecodable(str(error), f"the request is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise Undecodable(f"Can't parse value: {as_text(document)}", "the request is JSON, but no object")
    return document


def _credentials_type(document: Mapping[str, Any]) -> CredentialsType:
    if "credentialsType" not in document:
        return CredentialsType.ACCESS_TOKEN
    name = _text(document, "credentialsType")
    if name not in CredentialsType.__members__:
        known = ", ".join(CredentialsType)
        raise Unusable(f"No enum constant {ENUM}.{name}", f"credentialsType is none of {known}")
    return CredentialsType(name)


def _needed_text(document: Mapping[str, Any], name: str) -> str:
    if name not in document:
        said = f"Failed to find the field {name} in JSON body {as_text(document)}!"
        raise Unusable(said, f"the request has no {name}: without this member it is not answered, an empty one is")
    return _text(document, name)


def _text(document: Mapping[str, Any], name: str) -> str:
    """Absent: empty. Numbers and booleans as they are written."""
    value = document.get(name, "")
    if type(value) is str:
        return value
    value = _single(value, name)
    return value if isinstance(value, str) else as_text(value)


def _is_true(value: Any, name: str) -> bool:
    value = _single(value, name)
    return value if isinstance(value, bool) else bool(value.lower() == "true")


def _single(value: Any, name: str) -> str | bool:
    """A text, number or boolean, also inside of arrays of one."""
    while isinstance(value, list):
        if len(value) != 1:
            said = f"Array must have size 1, but has size {len(value)}"
            raise Undecodable(said, f"{name} is an array of {len(value)}")
        value = value[0]
    if value is None or isinstance(value, dict):
        called = "JsonNull" if value is None else "JsonObject"
        what = "null: leave the member out instead" if value is None else "an object"
        raise Unusable(called, f"{name} is {what}")
    assert isinstance(value, str | bool)
    return value
