"""What a device says in PROV-SIM1, read from its payload (spec 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, ValueType
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import Denial, ProvisionError
from fleetrig.simulator.contract.bounds import Bound

PROFILE_NAME: Final = "PROV-SIM1"
OWN_ID_TOKEN: Final = "#client-id"
"""What Kura's call service puts in place of the client id: it expands tokens in topics alone (2.5)."""
NONCE_BYTES: Final = (16, 64)
REQUEST_ID_CHARS: Final = Bound(1_024, "characters of a request id", "it is a level of a topic")
CSR_BYTES: Final = Bound(65_536, "bytes of a certificate request", "no key needs more", "64 KiB")
ACTIVATION_KEY_CHARS: Final = Bound(1_024, "characters of an activation key", "real ones have 32")


@dataclass(frozen=True, slots=True)
class StartMessage:
    """`POST/request`: a device wants to be provisioned."""

    nonce: bytes
    attempt: int
    activation_key: str = ""
    csr_pem: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmMessage:
    """`POST/confirm`: what has become of the material."""

    job_id: str
    is_staged: bool
    why: str = ""


def request_id_of(payload: KuraPayload) -> str:
    """Empty when no reply is possible: there is none, it is no text, or it cannot be a level of a topic (S-07)."""
    found = payload.text("request.id") or ""
    is_level = len(found) <= REQUEST_ID_CHARS.most and not any(one in found for one in "+#/\0")
    return found if is_level else ""


def requester_denial(payload: KuraPayload, client_id: str) -> Denial | None:
    """Why the requester that a message names is not the one that has sent it (S-08, S-09)."""
    named = payload.text("requester.client.id")
    if named in (client_id, OWN_ID_TOKEN):
        return None
    if named is None:
        why = "requester.client.id is missing or no STRING: send the own client id"
        return Denial(ProvisionError.MALFORMED, why)
    why = f"requester.client.id names {named[:80]!r}, and {client_id[:80]!r} has sent it"
    return Denial(ProvisionError.CLIENT_ID_MISMATCH, why)


def start_message(payload: KuraPayload) -> StartMessage | Denial:
    """The metrics of a request, as far as they are needed; further ones mean nothing here."""
    if (profile := payload.text("prov.profile")) != PROFILE_NAME:
        return _malformed(f"prov.profile is the STRING {PROFILE_NAME}, not {(profile or 'absent')[:40]!r}")
    attempt = payload.metrics.get("prov.attempt")
    if attempt is None or attempt.type is not ValueType.INT32 or int(attempt.value) < 1:
        return _malformed("prov.attempt is an INT32 from 1 on")
    nonce, (least, most) = payload.octets("prov.nonce"), NONCE_BYTES
    if nonce is None or not least <= len(nonce) <= most:
        return _malformed(f"prov.nonce is BYTES, {least} to {most} of them")
    key = payload.metrics.get("activation.key")
    if key is not None and (not isinstance(key.value, str) or len(key.value) > ACTIVATION_KEY_CHARS.most):
        return _malformed(f"activation.key is a STRING of {ACTIVATION_KEY_CHARS}")
    csr = payload.body or b""
    if len(csr) > CSR_BYTES.most:
        return _malformed(f"the certificate request is too large: {CSR_BYTES}")
    text = "" if key is None else str(key.value)
    return StartMessage(nonce, int(attempt.value), text, csr.decode("utf-8", "replace"))


def confirm_message(payload: KuraPayload) -> ConfirmMessage | Denial:
    job_id, result = payload.text("prov.job.id"), payload.text("prov.result")
    if job_id is None:
        return _malformed("prov.job.id is a STRING: that of the reply")
    if result not in ("STAGED", "FAILED"):
        return _malformed("prov.result is the STRING STAGED or FAILED")
    return ConfirmMessage(job_id, result == "STAGED", payload.text("prov.reason") or "")


def _malformed(why: str) -> Denial:
    return Denial(ProvisionError.MALFORMED, why)
