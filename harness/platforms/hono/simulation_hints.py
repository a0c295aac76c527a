"""What to do next when a Hono does not let devices of a simulation in. Sources: docs/contracts/hono.md 2.6 and 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BAD_CREDENTIALS: Final = frozenset({"401", "4.01", "CONNACK 4", "CONNACK 134"})
NOT_AUTHORIZED: Final = frozenset({"403", "4.03", "CONNACK 5", "CONNACK 135"})
UNKNOWN: Final = frozenset({"404", "4.04"})
BUSY: Final = frozenset({"503", "5.03", "CONNACK 3", "CONNACK 136"})
USED_UP: Final = frozenset({"429", "4.29", "CONNACK 151"})

NO_TRUST: Final = (
    "no tenant takes such a certificate: its tenant must trust the direct issuer (trusted-ca, by exactly that name), "
    "with auto-provisioning-enabled unless the device is registered, and the certificate must be in date; "
    "`fleetrig doctor hono` looks closer"
)
WRONG_PASSWORD: Final = (
    "user names are SERIAL@{tenant}: is there such a tenant, with credentials of that auth-id and this password, in "
    "date and enabled?"
)
DISABLED: Final = (
    "the tenant, this adapter or the device is disabled, or a limit of the tenant is reached (devices, connections); a "
    "device-id-template that gives no legal id looks the same over MQTT"
)
NO_TENANT: Final = (
    "no tenant trusts the issuer of this certificate, or the device is disabled or deleted; a name in the URL may say "
    "the tenant (SNI)"
)
NO_DEVICE: Final = "the device is disabled or deleted, though its credentials are there"
NO_SINK: Final = (
    "nobody takes what devices send, or the registry could not announce a new device: is an application connected, and "
    "the messaging network up?"
)
NO_KEY: Final = (
    "over DTLS an unknown identity and a wrong key are answered by silence: identities are SERIAL@{tenant}. Or nobody "
    "is there"
)
NO_HANDSHAKE: Final = (
    "the handshake failed: is the device's certificate in date, and --ca whom the server is signed by?"
)
RACE: Final = "somebody else provisions the same device-id: two devices, or two certificates that give one id"
REDIRECTS: Final = (
    "{url} sends devices on to another address, and they do not follow: is it a protocol adapter of Hono, and is its "
    "address right?"
)
NO_ADAPTER: Final = "{url} has no /telemetry: is it a protocol adapter of Hono, and not its registry?"
OTHERS: Final = {
    "405": NO_ADAPTER,
    **dict.fromkeys(("301", "302", "303", "307", "308"), REDIRECTS),
    **dict.fromkeys(("502", "504"), "is the adapter running behind {url}?"),
}


@dataclass(frozen=True, slots=True)
class SigningIn:
    """How the devices of a simulation get in."""

    url: str
    kind: str
    """certificate, password or psk."""
    tenant: str


def advice(answer: str, way: SigningIn) -> str:
    """For a device that heard this; empty for what says nothing."""
    is_certificate = way.kind == "certificate"
    match answer:
        case _ if answer in BAD_CREDENTIALS:
            said = NO_TRUST if is_certificate else WRONG_PASSWORD
        case _ if answer in NOT_AUTHORIZED:
            said = DISABLED
        case _ if answer in UNKNOWN:
            said = NO_TENANT if is_certificate else NO_DEVICE
        case _ if answer in BUSY:
            said = NO_SINK
        case _ if answer in USED_UP:
            said = "the tenant's data volume or its number of connections is used up"
        case "409" | "4.09":
            said = RACE
        case "tls":
            said = NO_HANDSHAKE
        case "timeout" if way.kind == "psk":
            said = NO_KEY
        case _:
            said = OTHERS.get(answer, "")
    return said.format(url=way.url, tenant=way.tenant)


def hint(answer: str, way: SigningIn) -> str:
    """The same when every device heard this first."""
    said = advice(answer, way)
    what = f"HTTP {answer}" if answer.isdigit() else answer
    return f"all devices heard {what}: {said}" if said else ""
