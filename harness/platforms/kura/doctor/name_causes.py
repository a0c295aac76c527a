"""Who the gateway says it is, beside who is expected: a broker compares user name and client id to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.names import (
    FORBIDDEN,
    bare_mac,
    how_client_ids_differ,
    how_logins_differ,
    sanitised,
)
from fleetrig.harness.platforms.kura.doctor.records import RequestRecord
from fleetrig.harness.servers.description import did_you_mean

REFUSED: Final = "The broker answers CONNACK 4 or 5, as if there were no request."
MQTT_3_1_CHARACTERS: Final = 23
LOGIN_CAUSES: Final = {
    "space": "There is a space at the beginning or the end of one of them.",
    "case": "They differ in upper and lower case alone: a gateway writes its MAC in upper case.",
    "colons": "A gateway makes its user name of its MAC without separators, a hyphen, and its serial number.",
    "unknown-serial": (
        "A gateway on which kura.serialNumber is not set calls itself MAC-UNKNOWN, and so does every other one."
    ),
    "serial": "The MAC is the same, the serial number is not.",
    "name": "",
}
CLIENT_ID_CAUSES: Final = {
    "sanitised": "Kura replaces / + # and . by - before it uses a client id.",
    "case": "They differ in upper and lower case alone.",
    "colons": (
        "Kura's transport calls itself by its MAC with colons (AA:BB:CC:DD:EE:FF), the ProvisioningService without."
    ),
    "name": "One user name is one gateway's.",
}


def form_causes(facts: Facts) -> Iterator[Diagnosis]:
    """What is wrong with the words alone."""
    gateway = facts.gateway
    if gateway.mac and not bare_mac(gateway.mac):
        yield Diagnosis(
            "mac-malformed", Weight.CAUSE,
            f"{quoted(gateway.mac)} is no MAC address: no user name and no client id can be made of it.",
            "Give six bytes in hex, for instance 00:60:0C:AA:BB:CC.",
        )  # fmt: skip
    if gateway.mac and not gateway.serial and not gateway.set_login:
        yield Diagnosis(
            "serial-unknown", Weight.NOTE,
            f"Without a serial number the gateway calls itself {quoted(gateway.login)}.",
            "Set kura.serialNumber in the framework's properties, or write the user name into its configuration.",
        )  # fmt: skip
    sent = gateway.client_id
    if gateway.set_client_id != sanitised(gateway.set_client_id):
        yield Diagnosis(
            "client-id-rewritten", Weight.NOTE,
            f"Kura sends the client id {quoted(sent)}: it replaces / + # and . by - in "
            f"{quoted(gateway.set_client_id)}.",
        )  # fmt: skip
    if found := FORBIDDEN.search(sent):
        yield Diagnosis(
            "client-id-forbidden", Weight.CAUSE,
            f"The client id {quoted(sent)} holds {found[0]}, which the registry takes in none (# + * & , ? > / and "
            "::).",
            f"Set client-id to {quoted(FORBIDDEN.sub('-', sent))}, on the gateway and on the server.",
        )  # fmt: skip


def request_name_causes(facts: Facts) -> Iterator[Diagnosis]:
    """No request has both names of this gateway."""
    found, gateway = facts.server.requests, facts.gateway
    if found is None or facts.request is not None or not gateway.client_id:
        return
    if own := next((one for one in found if one.client_id == gateway.client_id), None):
        yield _another_login(facts, own)
    elif near := next(
        (one for one in found if how_client_ids_differ(gateway.client_id, one.client_id) != "name"), None
    ):
        yield _another_client_id(facts, near)
    elif same := next((one for one in found if gateway.login and one.login == gateway.login), None):
        yield _another_client_id(facts, same)
    else:
        yield _no_request(facts)


def _another_login(facts: Facts, request: RequestRecord) -> Diagnosis:
    gateway = facts.gateway
    kind = how_logins_differ(gateway.login, request.login)
    is_own = "calls itself" if not gateway.set_login else "is set to log in as"
    return Diagnosis(
        f"username-{kind if kind != 'name' else 'differs'}", Weight.CAUSE,
        f"The gateway {is_own} {quoted(gateway.login)}, and its provision request has the user "
        f"{quoted(request.login)}. {LOGIN_CAUSES[kind]} {REFUSED}".replace("  ", " "),
        _login_advice(facts, request, kind),
    )  # fmt: skip


def _login_advice(facts: Facts, request: RequestRecord, kind: str) -> str:
    again = f"make the request anew (overwriteIfDuplicate) with the user {quoted(facts.gateway.login)}"
    if kind == "unknown-serial" and not facts.gateway.set_login:
        return f"Set kura.serialNumber on the gateway, or set its username to {quoted(request.login)}."
    return f"Set the gateway's username to {quoted(request.login)}, or {again}."


def _another_client_id(facts: Facts, request: RequestRecord) -> Diagnosis:
    own, wanted = facts.gateway.client_id, request.client_id
    kind = how_client_ids_differ(own, wanted)
    is_sure = facts.gateway.set_client_id or kind != "colons"
    change = (
        f"Make the request anew for {quoted(own)}: no gateway can call itself {quoted(wanted)}."
        if kind == "sanitised" else
        f"Set client-id on the gateway to {quoted(wanted)}, or make the request anew for {quoted(own)}."
    )  # fmt: skip
    return Diagnosis(
        f"client-id-{kind if kind != 'name' else 'differs'}", Weight.CAUSE if is_sure else Weight.LIKELY,
        f"The gateway calls with the client id {quoted(own)}, and the provision request is for {quoted(wanted)}. "
        f"{CLIENT_ID_CAUSES[kind]} {REFUSED}",
        change,
    )  # fmt: skip


def _no_request(facts: Facts) -> Diagnosis:
    gateway = facts.gateway
    known = [one.client_id for one in facts.server.requests or ()]
    is_sure = facts.server.knows_all_requests
    body = {
        "clientId": gateway.client_id, "provisionUserUsername": gateway.login, "provisionUserPassword": "…",
        "accountId": "…", "generateActivationKey": True, "retryMaxAttempts": 3, "overwriteIfDuplicate": False,
        "provisionSecureURL": True, "provisionAttachments": [],
    }  # fmt: skip
    return Diagnosis(
        "request-missing", Weight.CAUSE if is_sure else Weight.LIKELY,
        f"There is no provision request for the client id {quoted(gateway.client_id)}"
        f"{did_you_mean(gateway.client_id, known)} in the accounts that can be seen. {REFUSED}",
        "Create one in the account to which the gateway is to belong, with its client id, user name and password.",
        facts.shell.requests("POST", "", body),
    )  # fmt: skip
