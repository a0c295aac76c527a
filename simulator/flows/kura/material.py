"""What a provisioning server sends: the material in a reply, read and judged (open profile PROV-SIM1, spec 1.6)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.chain import read_chain, why_not_trusted
from fleetrig.simulator.flows.kura.components import check_names, check_password, check_url
from fleetrig.simulator.flows.kura.configuration_xml import read_configurations
from fleetrig.simulator.flows.kura.keystore import SSL_STORE, certificates_in
from fleetrig.simulator.flows.kura.life import SIGNED, GatewayLife
from fleetrig.simulator.flows.kura.naming import ControlTopic
from fleetrig.simulator.flows.kura.payload import KuraPayload
from fleetrig.simulator.flows.kura.requests import RESPONSE_CODE
from fleetrig.simulator.flows.kura.signing import ALGORITHM, ALIAS, VALUE, signed_input, verifies, why_not_signed

NEEDED: Final = ("prov.broker-url", "prov.account-name", "prov.client-id", "prov.username", "prov.password")
NAMES: Final = ("prov.account-name", "prov.client-id", "prov.username")
CODES: Final = frozenset({400, 404, 500})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why this attempt comes to nothing."""

    why: str
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Material:
    """All that a gateway needs for its target."""

    job_id: str
    broker_url: str
    account_name: str
    client_id: str
    username: str
    password: str = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    alias: str
    """Of the certificate that signs control messages, the first of the chain."""
    device_certificate: str
    apps: int
    configurations: dict[str, dict[str, Any]] = field(repr=False)


def read_refusal(reply: KuraPayload) -> Refusal | None:
    """None for a 200. A code that is not one of four is a mistake of the server."""
    code = reply.int32(RESPONSE_CODE)
    if code == 200:
        return None
    if code not in CODES:
        return Refusal(f"response code {code}, which no server may send")
    said = reply.text("prov.error") or reply.text("response.exception.message") or ""
    wait_s = reply.int32("prov.retry-after") or 0
    return Refusal(f"{code} {said}".strip(), float(max(0, wait_s)))


def read_material(
    life: GatewayLife, topic: ControlTopic, reply: KuraPayload, nonce: bytes
) -> Generator[Effect, Outcome, Material | Refusal]:
    """Nothing is stored yet."""
    now_us = yield from life.clock_us()
    if reply.data("prov.nonce") != nonce:
        return Refusal("the nonce is not echoed")
    values = {name: reply.text(name) for name in NEEDED}
    if missing := [name for name, value in values.items() if not value]:
        return Refusal(f"the material has no {', '.join(missing)}")
    try:
        chain = tuple(read_chain(pem)) if (pem := reply.text("prov.cert.chain")) else ()
        configurations = read_configurations(reply.body) if reply.body else {}
        check_url(str(values["prov.broker-url"]))
        check_names(**{name: str(values[name]) for name in NAMES})
        check_password(str(values["prov.password"]))
    except (ValueError, UsageError) as wrong:
        return Refusal(str(wrong))
    why = why_not_believed(life, topic, reply, chain, now_us) or life.why_rejected(configurations)
    if why:
        return Refusal(why)
    url, account, client_id, username, password = (str(values[name]) for name in NEEDED)
    return Material(
        reply.text("prov.job.id") or "",
        url,
        account,
        client_id,
        username,
        password,
        chain,
        reply.text("prov.dm.alias") or "",
        reply.text("prov.device.cert") or "",
        max(0, reply.int32("prov.apps") or 0),
        configurations,
    )


def why_not_believed(
    life: GatewayLife, topic: ControlTopic, reply: KuraPayload, chain: tuple[x509.Certificate, ...], now_us: int
) -> str:
    """The chain by its root, if that is wanted; the reply by its signature, if there is one or has to be one.

    A gateway that was provisioned before believes only whom its keystore knows; one that was not knows nobody yet, and
    takes the certificate that comes with the reply.
    """
    if life.provisioning.ca_authentication:
        anchors = [certificate for _, certificate in certificates_in(life, SSL_STORE)]
        if why := why_not_trusted(chain, anchors, now_us):
            return why
    if life.settings.signed_control == "never":
        return ""
    if life.memory.get(SIGNED) or life.settings.signed_control == "always":
        why = why_not_signed(life, topic, reply, now_us)
        return f"the reply is {why}" if why else ""
    value = reply.data(VALUE)
    if value is None or not chain or reply.text(ALIAS) != reply.text("prov.dm.alias"):
        return ""
    data = signed_input(topic, life.tokens["client-id"], reply)
    return "" if verifies(chain[0], reply.text(ALGORITHM) or "", value, data) else "the reply is wrongly signed"
