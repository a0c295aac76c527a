"""A credentials document as somebody would send it (spec 1.3)."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight
from fleetrig.harness.platforms.hono.doctor.facts import DeviceRecord, objects
from fleetrig.harness.platforms.hono.doctor.hashes import hash_causes
from fleetrig.harness.platforms.hono.doctor.tenant_form import ARMOUR, SINGLE_BASE64
from fleetrig.reference_server.platforms.hono.management.credentials_form import read_entries
from fleetrig.reference_server.platforms.hono.management.members import Unreadable
from fleetrig.reference_server.platforms.hono.state.generations import Traits


def device_of_document(
    name: str, document: Any, login: str, password: str
) -> tuple[DeviceRecord | None, tuple[Diagnosis, ...]]:
    """A device that has these credentials; None where the registry would refuse them."""
    if not isinstance(document, list):
        return None, (Diagnosis(
            "credentials-no-array", Weight.CAUSE,
            "The credentials are no JSON array: Hono answers 500 (a class cast), other registries 400.",
            "Put the entry into [ ]; PUT replaces all credentials of the device.",
        ),)  # fmt: skip
    found = [*_pem(document), *_hashes(document, login, password)]
    try:
        entries = read_entries(document, Traits())
    except Unreadable as unreadable:
        return None, tuple(found or [_refused(str(unreadable))])
    return DeviceRecord(name, {}, entries), tuple(found)


def _pem(document: list[Any]) -> list[Diagnosis]:
    return [
        Diagnosis(
            "credentials-as-pem", Weight.CAUSE,
            f"The entry {at + 1} has a cert that is PEM text. It takes Base64 of the certificate's DER: 400.",
            f"Send {SINGLE_BASE64.replace('ca.pem', 'device.pem')}, or auth-id with the subject's name.",
        )
        for at, one in enumerate(document)
        if isinstance(one, dict) and isinstance(one.get("cert"), str) and ARMOUR in one["cert"]
    ]  # fmt: skip


def _hashes(document: list[Any], login: str, password: str) -> list[Diagnosis]:
    """`password` is held against the entry of the login alone."""
    found: list[Diagnosis] = []
    for entry in objects(document):
        is_own = entry.get("auth-id") == login.partition("@")[0]
        causes = [list(hash_causes(one, password if is_own else "")) for one in objects(entry.get("secrets"))]
        if entry.get("type") == "hashed-password" and causes and all(causes):
            found += causes[0]
    return found


def _refused(why: str) -> Diagnosis:
    return Diagnosis(
        "credentials-refused", Weight.CAUSE,
        f"The registry refuses these credentials with 400: {why}.",
        "Correct the document; what GET shows is a good pattern, secrets are added to it.",
    )  # fmt: skip
