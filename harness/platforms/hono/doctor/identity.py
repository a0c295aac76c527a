"""Which auth-id and device-id a certificate gives, by the templates of its authority (spec 0.2, 2.2, 2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.hono.doctor.facts import Anchor, Facts
from fleetrig.harness.platforms.hono.doctor.trust import quoted_dn
from fleetrig.reference_server.platforms.hono.provisioning.identity_template import TemplateFailed, expanded

AUTH_ID: Final = "auth-id-template"
DEVICE_ID: Final = "auto-provisioning-device-id-template"
LEGAL_ID: Final = re.compile(r"[a-zA-Z0-9_.:=-]+", re.ASCII)
"""Of devices (spec 0)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`device_id`: None where the registry draws one (a UUID). `causes`: about the auth-id; `of_new`: those that count
    for a device that is to be provisioned."""

    auth_id: str = ""
    device_id: str | None = None
    causes: tuple[Diagnosis, ...] = ()
    of_new: tuple[Diagnosis, ...] = ()


def identity(facts: Facts, anchor: Anchor | None) -> Identity:
    """`anchor`: whose templates count; None: the auth-id is the subject's name."""
    if anchor is None:
        return Identity(facts.presented.subject_dn)
    auth_id, causes = _made(facts, anchor, AUTH_ID, "401 over HTTP, CONNACK 4")
    device_id, of_new = _made(facts, anchor, DEVICE_ID, "500 or 400 over HTTP, CONNACK 5")
    if device_id is not None and not of_new and not LEGAL_ID.fullmatch(device_id):
        of_new = [_illegal(anchor, device_id)]
    auth_id = facts.presented.subject_dn if auth_id is None and not causes else auth_id
    return Identity(auth_id or "", device_id, tuple(causes), tuple(of_new))


def _made(facts: Facts, anchor: Anchor, name: str, told: str) -> tuple[str | None, list[Diagnosis]]:
    template = anchor.template(name)
    if template is None:
        return None, []
    subject = facts.presented.leaf.subject
    try:
        made = expanded(template, subject)
    except TemplateFailed as failed:
        return None, [_lacking(facts, name, template, str(failed), told)]
    return made, list(_for_regex(facts, name, template, made))


def _lacking(facts: Facts, name: str, template: str, why: str, told: str) -> Diagnosis:
    return Diagnosis(
        f"{_short(name)}-template-attribute", Weight.CAUSE,
        f"{printable(why, 200)} ({name}; the subject is {quoted_dn(facts.presented.subject_dn)}). Told as {told}.",
        f"Issue the certificate with that attribute, or change the template {quoted(template)}.",
    )  # fmt: skip


def _illegal(anchor: Anchor, device_id: str) -> Diagnosis:
    bad = "".join(dict.fromkeys(letter for letter in device_id if not LEGAL_ID.fullmatch(letter)))
    tip = ""
    if "subject-dn" in str(anchor.template(DEVICE_ID)):
        tip = " A whole name has commas: use {{subject-cn}} instead of {{subject-dn}}."
    return Diagnosis(
        "device-id-illegal", Weight.CAUSE,
        f"The template {quoted(str(anchor.template(DEVICE_ID)))} makes the device-id {quoted(device_id)}, which is "
        f"none: it may have letters, digits and - _ . : = only, not {printable(bad)!r}. Told as 400, CONNACK 5.{tip}",
        "Change the template or the subject of the certificates.",
    )  # fmt: skip


def _for_regex(facts: Facts, name: str, template: str, made: str) -> Iterator[Diagnosis]:
    """Hono takes values for replacements of a regular expression (spec 0.2)."""
    try:
        in_java = expanded(template, facts.presented.leaf.subject, as_java=True)
    except TemplateFailed:
        in_java = None
    if in_java == made:
        return
    told = f"makes {quoted(in_java)} of it" if in_java is not None else "fails over it (500 No group, CONNACK 5)"
    yield Diagnosis(
        f"{_short(name)}-template-letters", Weight.LIKELY if in_java is None else Weight.NOTE,
        f"The template {quoted(template)} gives {quoted(made)}, with a $ or backslash from the certificate "
        f"({quoted_dn(facts.presented.subject_dn)}): Hono takes the value for a regular expression's and {told}.",
        "Issue the certificate without $ and backslash in what the template uses.",
    )  # fmt: skip


def _short(name: str) -> str:
    return "auth-id" if name == AUTH_ID else "device-id"
