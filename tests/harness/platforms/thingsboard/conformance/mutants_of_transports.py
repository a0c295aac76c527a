"""Mistakes of one transport in what all three share: a row that asks over three has to look at each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.http import provision_call as over_http
from fleetrig.reference_server.platforms.thingsboard.mqtt import provision_sessions as over_mqtt
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Status
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import Undecodable
from fleetrig.reference_server.platforms.thingsboard.state import attributes, devices
from fleetrig.reference_server.platforms.thingsboard.state.records import Scope
from tests.harness.conformance.code_changes import instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import Mutant, mutant

OF_OTHERS = {"HTTP": "S52 S72", "MQTT": "S69 S71", "CoAP": "S52 S69"}
"""Rows that ask over other transports only."""
READS = {"HTTP": "read_json_request", "MQTT": "read_request", "CoAP": "read_request"}
ON_REFUSALS = "S04 S08 S10 S11 S14 S15 S39 S43 S47 S83"
OTHER = {Status.FAILURE: Status.NOT_FOUND, Status.NOT_FOUND: Status.FAILURE}


def mixed_up(decided: Any) -> Any:
    return replace(decided, status=OTHER.get(decided.status, decided.status))


def never_made(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.SUCCESS:
        devices.delete_device(registry, decided.device)
    return decided


def bringing_nothing(original: Any, registry: Any, request: Any, *more: Any) -> Any:
    bare = replace(request, token="", client_id="", username="", password="", certificate="")
    return original(registry, bare, *more)


def not_noted(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is Status.SUCCESS:
        attributes.delete_attributes(registry, decided.device.id, Scope.SERVER, [attributes.PROVISION_STATE])
    return decided


def given_again(original: Any, registry: Any, *more: Any) -> Any:
    decided = original(registry, *more)
    if decided.status is not Status.FAILURE or decided.device is None:
        return decided
    return replace(decided, status=Status.SUCCESS, credentials=devices.credentials_of(registry, decided.device.id))


def without_nulls(original: Any, said: Any, traits: Any) -> Any:
    try:
        document = json.loads(said)
    except ValueError:
        return original(said, traits)
    if not isinstance(document, dict):
        return original(said, traits)
    kept = json.dumps({name: value for name, value in document.items() if value is not None})
    return original(kept if isinstance(said, str) else kept.encode(), traits)


def in_any_case(original: Any, said: Any, traits: Any) -> Any:
    lower = "access_token" if isinstance(said, str) else b"access_token"
    upper = "ACCESS_TOKEN" if isinstance(said, str) else b"ACCESS_TOKEN"
    return original(said.replace(lower, upper), traits)


def missing_is_empty(original: Any, said: Any, traits: Any) -> Any:
    try:
        document = json.loads(said)
    except ValueError:
        return original(said, traits)
    if not isinstance(document, dict):
        return original(said, traits)
    filled = json.dumps({"provisionDeviceKey": "", "provisionDeviceSecret": "", **document})
    return original(filled if isinstance(said, str) else filled.encode(), traits)


def json_only(original: Any, payload: bytes, traits: Any) -> Any:
    request = original(payload, traits)
    if request.is_protobuf:
        raise Undecodable("no JSON", "no JSON")
    return request


def mutants() -> Iterator[Mutant]:
    for over, module in (("HTTP", over_http), ("MQTT", over_mqtt), ("CoAP", over_coap)):
        spares, reads = OF_OTHERS[over], READS[over]
        mixed = (module, "decide", then(mixed_up))
        yield mutant(f"refusals are mixed up over {over}", ON_REFUSALS, mixed, spares=spares)
        gone = (module, "decide", instead(never_made))
        yield mutant(f"devices are told of and not made over {over}", "S01", gone, spares=spares)
        bare = (module, "decide", instead(bringing_nothing))
        yield mutant(f"own credentials are ignored over {over}", "S16 S19", bare, spares=f"{spares} S01")
        silent = (module, "decide", instead(not_noted))
        yield mutant(f"provisionState is not noted over {over}", "S38", silent, spares=f"{spares} S01")
        again = (module, "decide", instead(given_again))
        yield mutant(f"whoever asks again is answered over {over}", "S04 S39 S47", again, spares=f"{spares} S01")
        nulls = (module, reads, instead(without_nulls))
        yield mutant(f"null counts as nothing over {over}", "S32", nulls, spares=f"{spares} S33")
        cases = (module, reads, instead(in_any_case))
        yield mutant(f"types are known in any case over {over}", "S28", cases, spares=f"{spares} S33")
        empty = (module, reads, instead(missing_is_empty))
        yield mutant(f"a missing key is an empty one over {over}", "S33", empty, spares=f"{spares} S32")
    for over, module in (("MQTT", over_mqtt), ("CoAP", over_coap)):
        change = (module, "read_request", instead(json_only))
        yield mutant(f"nobody reads protobuf over {over}", "S35 S36 S37", change, spares=f"{OF_OTHERS[over]} S34")


MUTANTS = tuple(mutants())
