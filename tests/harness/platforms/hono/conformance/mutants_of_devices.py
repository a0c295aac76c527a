"""Mistakes with devices as operators make them, searches for them, and their credentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hono.management import (
    credentials_api,
    credentials_form,
    device_form,
    devices_api,
    parameters,
    search,
)
from fleetrig.reference_server.platforms.hono.state import credentials, devices, secrets
from fleetrig.reference_server.platforms.hono.state.records import CREDENTIALS
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.hono.conformance.mutants import mutant, refuses_with, replies, shows, with_traits, without


def over_what_is_there(original: Any, registry: Any, tenant: Any, named: str, document: Any, now_us: int) -> Any:
    stored = devices.device_of(registry, tenant.tenant_id, named) if named else None
    if stored is not None:
        return devices.replace_device(registry, stored, document, None, now_us)
    return original(registry, tenant, named, document, now_us)


def merging(original: Any, registry: Any, stored: Any, document: Any, *more: Any) -> Any:
    return original(registry, stored, {**stored.document, **document}, *more)


def without_being_updated(device: Any) -> Any:
    return replace(device, updated_us=None)


def with_its_flags(original: Any, device: Any) -> Any:
    """The status that the operator gave it."""
    return {**original(device), "auto-provisioned": True}


def keeps_all(original: Any, registry: Any, device: Any, entries: Sequence[Any], version: Any = None) -> Any:
    """A PUT that leaves alone what it does not name."""
    named = {(one["type"], one["auth-id"]) for one in entries}
    before = credentials.credentials_of_device(registry, device.tenant_id, device.device_id)
    kept = [one.document for one in before if (one.type, one.auth_id) not in named]
    return original(registry, device, [*kept, *entries], version)


def unchanged_by_nothing(original: Any, registry: Any, device: Any, entries: Sequence[Any], version: Any = None) -> Any:
    return original(registry, device, entries, version) if entries else device


def of_another(original: Any, registry: Any, device: Any, entries: Any) -> None:
    """Takes from another device what it has."""
    for entry in entries:
        holder = credentials.credentials_by_auth_id(registry, device.tenant_id, entry["type"], entry["auth-id"])
        if holder is not None:
            registry.store.delete(CREDENTIALS, device.tenant_id, CREDENTIALS.key(holder))


def within(original: Any, one: Any, document: Any) -> bool:
    """A filter that looks for its value anywhere."""
    return str(one.value).strip("*?") in str(search.value_at(document, one.path))


def of_any_length(original: Any, registry: Any, tenant_id: str, limits: Any, entries: Any) -> Any:
    return original(registry, tenant_id, {}, entries)


def without_dates(secret: Any) -> Any:
    return {name: value for name, value in secret.items() if name not in ("not-before", "not-after")}


def in_clear(plain: str, *_: Any) -> dict[str, str]:
    return {"pwd-hash": "AA==", "hash-function": "none", "pwd-plain": plain}


def once(keys: Any) -> dict[Any, int]:
    """Nothing is ever there twice."""
    return dict.fromkeys(keys, 1)


def as_it_is(document: Any, traits: Any) -> Any:
    return without("status")(document)


def totalled(document: Any) -> Any:
    """A total of what is on the page."""
    if not isinstance(document, dict) or "result" not in document:
        return document
    return {**document, "total": len(document["result"])}


def numbered(document: Any) -> Any:
    """All secrets have one id."""
    if not isinstance(document, list):
        return document
    return [{**entry, "secrets": [{**one, "id": "1"} for one in entry["secrets"]]} for entry in document]


def backwards(original: Any, name: Any) -> str:
    return ",".join(reversed(original(name).split(",")))


MUTANTS = (
    mutant("a device is made over another one", "R24",
           (devices_api, "create_device", instead(over_what_is_there)), spares="R23"),
    mutant("a new device has no list of credentials", "R27", refuses_with(200, "never"),
           replies(lambda one: replace(one, document=one.document or {}), to=200)),
    mutant("a gateway may stand behind a gateway", "R28",
           (devices_api, "read_device", being(as_it_is))),
    mutant("a status is taken for granted", "R29 R30", (device_form, "_status", instead(with_its_flags)), spares="R24"),
    mutant("a device does not say when it was made", "R30 R31", with_traits(has_status=False)),
    mutant("a PUT of a device changes single members", "R31",
           (devices_api, "replace_device", instead(merging)), spares="R32"),
    mutant("a change does not say when", "R31", (devices_api, "replace_device", then(without_being_updated)),
           (device_form, "_status", then(without("updated")))),
    mutant("any version of a device will do", "R32", (devices, "check_version", giving(None)), spares="R19"),
    mutant("a version of what there is not", "R32", refuses_with(412, "no such object"), spares="R33"),
    mutant("what was deleted is deleted again", "R33", refuses_with(204, "no such device"), spares="R31"),
    mutant("there is room for one more", "R34 R54",
           (devices, "check_device_limit", giving(None)), (credentials_api, "check_entries", instead(of_any_length))),
    mutant("all devices are none", "R39", (devices_api, "delete_devices", giving(0)), spares="R33"),
    mutant("pages are counted by devices", "R35", with_traits(counts_pages=False), spares="R37"),
    mutant("a total of what is shown", "R35",
           shows(totalled)),
    mutant("pages of a thousand", "R36", (parameters, "MOST_PAGE_SIZE", being(1000)), spares="R35"),
    mutant("no page at all is the server's fault", "R36", refuses_with(500, "page size must be"), spares="R35"),
    mutant("nothing is found", "R37", refuses_with(204, "no devices matching"), spares="R35"),
    mutant("filters find nothing", "R38", with_traits(matches_filters=False), spares="R35"),
    mutant("filters find what holds their value", "R38", (search.Filter, "matches", instead(within)), spares="R37"),
    mutant("order is upside down", "R38",
           (search, "_sort", then(lambda sort: replace(sort, is_descending=not sort.is_descending)))),
    # credentials
    mutant("hashes are shown", "R40 R47 R52", with_traits(hides_secrets=False), spares="R44"),
    mutant("passwords are kept as they are", "R40",
           (secrets, "hashed_password", being(in_clear)),
           (secrets, "CONFIDENTIAL", being({}))),
    mutant("secrets have numbers", "R40",
           shows(numbered)),
    mutant("a validity is forgotten", "R41 R50", (credentials_form, "_validity_of", giving({})),
           (credentials, "_record", instead(lambda original, registry, device, position, entry: original(
               registry, device, position, {**entry, "secrets": [without_dates(one) for one in entry["secrets"]]})))),
    mutant("any id of a secret will do", "R42",
           (secrets, "_merged_secret", being(lambda kind, secret, known: secret)), spares="R40"),
    mutant("nothing changes nothing", "R43",
           (credentials_api, "put_entries", instead(unchanged_by_nothing)), spares="R44"),
    mutant("what is put is put beside", "R44", (credentials_api, "put_entries", instead(keeps_all)), spares="R40"),
    mutant("one entry twice", "R45", (credentials, "Counter", being(once)), spares="R44"),
    mutant("credentials change hands", "R46", (credentials, "_check_free", instead(of_another)), spares="R45"),
    mutant("any cost will do", "R47", settings=Settings(max_bcrypt_cost=12)),
    mutant("any hash is bcrypt", "R47", (secrets, "check_hash", giving(None)), spares="R48"),
    mutant("credentials need no secrets", "R48",
           (credentials_form, "needed_text", instead(lambda original, value, where: value or "x"))),
    mutant("secrets may end before they begin", "R49", refuses_with(204, "'not-before'"), spares="R47"),
    mutant("such a secret is the server's fault", "R49", with_traits(crashes=True), spares="R47"),
    mutant("names of certificates begin at the root", "R50",
           (credentials_form, "rfc2253_of", instead(backwards))),
    mutant("names of certificates stay as they are given", "R51",
           (credentials_form, "parsed_rfc2253", being(lambda said: said))),
    mutant("any version of credentials will do", "R53", (credentials, "check_version", giving(None)), spares="R32"),
    mutant("credentials have a version of their own", "R53", with_traits(has_common_version=False), spares="R32"),
    mutant("any raw key will do", "R66", (secrets, "_check_public_key", giving(None)), spares="R52"),
    mutant("a raw key is hidden", "R66",
           (secrets, "CONFIDENTIAL", being({"rpk": frozenset({"key"})}))),
)  # fmt: skip
