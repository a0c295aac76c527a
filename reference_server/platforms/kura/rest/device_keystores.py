"""Keystores of a device, by KEYS-V1 (spec 3.4, 5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platform import HeldRequest
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.rest.call import Call, no_constant
from fleetrig.reference_server.platforms.kura.rest.device_outcomes import Asked, Unreadable, ask_device
from fleetrig.reference_server.platforms.kura.rest.devices import wanted_device
from fleetrig.reference_server.platforms.kura.rest.forms import needed_text, needed_whole, text
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, date
from fleetrig.reference_server.platforms.kura.state.certificates import certificate_by_id, inherited_certificates
from fleetrig.reference_server.platforms.kura.state.errors import missing, missing_argument
from fleetrig.simulator.contract.clock import US_PER_MS

KEYS: Final = "KEYS-V1"
ENTRIES: Final = "keystores/entries"
SAME_NAMES: Final = (
    "alias",
    "size",
    "algorithm",
    "subjectDN",
    "subjectAN",
    "issuer",
    "certificate",
    "certificateChain",
)


def read_keystores(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(KEYS, "GET", "keystores"), _keystores)


def read_items(call: Call) -> HeldRequest:
    """GET …/keystore/items: of all stores, of one, or with one alias."""
    said = {"keystoreServicePid": call.parameter("keystoreId"), "alias": call.parameter("alias")}
    body = {name: value for name, value in said.items() if value}
    asked = Asked(KEYS, "GET", ENTRIES, body=_written(body) if body else None)
    return ask_device(call, wanted_device(call), asked, _items)


def read_item(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(KEYS, "GET", f"{ENTRIES}/entry", body=_place(call)), _item)


def delete_item(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(KEYS, "DEL", ENTRIES, body=_place(call)))


def load_certificate(call: Call) -> HeldRequest:
    """POST …/items/certificateRaw."""
    pem = needed_text(call.document, "certificate")
    return _post(call, "certificate", {"certificate": pem})


def load_known_certificate(call: Call) -> HeldRequest:
    """POST …/items/certificateInfo: one of the account's own, or an inherited one."""
    wanted = needed_text(call.document, "certificateInfoId")
    found = certificate_by_id(call.registry, wanted)
    if found is None or found not in inherited_certificates(call.registry, call.scope.id):
        raise missing("certificateInfo", wanted)
    return _post(call, "certificate", {"certificate": found.own_pem})


def make_key_pair(call: Call) -> HeldRequest:
    asked = call.document
    said = {name: needed_text(asked, name) for name in ("algorithm", "attributes")}
    return _post(call, "keypair", said | {"size": needed_whole(asked, "size"), "signatureAlgorithm": _signature(asked)})


def make_request(call: Call) -> HeldRequest:
    """POST …/items/csr."""
    said = {"attributes": needed_text(call.document, "attributes"), "signatureAlgorithm": _signature(call.document)}
    asked = Asked(KEYS, "POST", f"{ENTRIES}/csr", body=_written(_names(call) | said))
    return ask_device(call, wanted_device(call), asked, _signing_request)


def _post(call: Call, what: str, said: Mapping[str, Any]) -> HeldRequest:
    asked = Asked(KEYS, "POST", f"{ENTRIES}/{what}", body=_written(_names(call) | dict(said)))
    return ask_device(call, wanted_device(call), asked)


def _names(call: Call) -> dict[str, Any]:
    asked = call.document
    return {"keystoreServicePid": needed_text(asked, "keystoreId"), "alias": needed_text(asked, "alias")}


def _place(call: Call) -> bytes:
    """The entry that the query names. Raises Refused."""
    for name in ("keystoreId", "alias"):
        if not call.parameter(name):
            raise missing_argument(name)
    return _written({"keystoreServicePid": call.parameter("keystoreId"), "alias": call.parameter("alias")})


def _signature(asked: Mapping[str, Any]) -> str:
    """Kapua's API has the name with a slip of the pen; both are read (5.5)."""
    found = text(asked, "singnatureAlgorithm") or text(asked, "signatureAlgorithm")
    if not found:
        raise missing_argument("signatureAlgorithm")
    return found


def _written(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _read(reply: KuraPayload) -> Any:
    try:
        return json.loads((reply.body or b"").decode(), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the body is no JSON: {str(error)[:200]}") from None


def _objects(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable("expected an array of objects")
    return found


def _keystores(reply: KuraPayload) -> Reply:
    shown = [
        {"id": one.get("keystoreServicePid"), "keystoreType": one.get("type"), "size": one.get("size")}
        for one in _objects(_read(reply))
    ]
    return Reply({"type": "deviceKeystores", "deviceKeystore": shown})


def _items(reply: KuraPayload) -> Reply:
    return Reply({"type": "deviceKeystoreItems", "keystoreItem": [_shown(one) for one in _objects(_read(reply))]})


def _item(reply: KuraPayload) -> Reply:
    return Reply({"type": "deviceKeystoreItem", **_shown(_objects([_read(reply)])[0])})


def _shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"keystoreId": entry.get("keystoreServicePid"), "itemType": entry.get("type")}
    dates = {"notBefore": _date(entry.get("startDate")), "notAfter": _date(entry.get("expirationDate"))}
    same = {name: entry.get(name) for name in SAME_NAMES}
    return {name: value for name, value in (shown | same | dates).items() if value is not None}


def _date(value: Any) -> Any:
    """Over MQTT dates are ms since the epoch."""
    is_ms = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 253_402_300_800_000
    return date(value * US_PER_MS) if is_ms else value


def _signing_request(reply: KuraPayload) -> Reply:
    """A gateway sends a bare JSON text; an object is read too (S-42)."""
    found = _read(reply)
    if isinstance(found, dict):
        found = next((found[name] for name in ("csr", "signingRequest") if name in found), None)
    if not isinstance(found, str):
        raise Unreadable("expected a JSON text with the PEM of a request")
    return Reply({"type": "deviceKeystoreCSR", "signingRequest": found})
