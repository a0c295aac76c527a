"""Bytes of MQTT and CoAP: JSON if they are, else protobuf (spec 1.5)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.thingsboard.provisioning.json_request import read_object, request_of
from fleetrig.reference_server.platforms.thingsboard.provisioning.protobuf import NotProtobuf, read_protobuf_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import ProvisionRequest, Undecodable
from fleetrig.reference_server.platforms.thingsboard.state.generations import Traits


def read_request(payload: bytes, traits: Traits) -> ProvisionRequest:
    """Raises Undecodable, Unusable. What is a JSON object is never tried as protobuf."""
    try:
        document = read_object(payload.decode("utf-8", "replace"))
    except Undecodable as no_json:
        return _from_protobuf(payload, no_json, traits)
    return request_of(document, traits)


def _from_protobuf(payload: bytes, no_json: Undecodable, traits: Traits) -> ProvisionRequest:
    try:
        return read_protobuf_request(payload, traits)
    except NotProtobuf as no_protobuf:
        raise Undecodable(str(no_json), f"{no_json.reason}; nor is it protobuf: {no_protobuf}") from no_protobuf
