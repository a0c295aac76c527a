"""What was heard, or not heard, and what may be behind it: silence is what this platform says most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.thingsboard.doctor.facts import Asked, Facts, Heard, Kind, Said
from fleetrig.harness.platforms.thingsboard.doctor.mqtt_exchange import SILENCE, rates
from fleetrig.harness.platforms.thingsboard.doctor.way import (
    Over,
)

GAVE_UP_S: Final = 9.0
"""The server's internal time-out is 10 s at least (spec 1.6)."""
GUARD: Final = "transport.rate_limits.ip_limits_enabled (TB_TRANSPORT_IP_RATE_LIMITS_ENABLED)"

LEAF_ALONE: Final = "A profile for chains finds nothing in a certificate that is shown alone: send the authority's too."
CHAIN_UNASKED: Final = (
    "Whether a device profile would let it in by its chain cannot be asked without doing it: a device is made, or its "
    "certificate replaced."
)


def answers(facts: Facts, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """What the answer itself says where nothing that can be seen explains it."""
    heard = facts.heard
    if heard is None:
        return
    yield from _habits(facts, heard)
    has_cause = any(one.weight is Weight.CAUSE for one in found)
    if heard.is_positive or (has_cause and not heard.is_unheard):
        return
    match heard.said:
        case Said.NOT_FOUND:
            yield from _not_found(facts)
        case Said.FAILURE:
            yield from _failure(facts, heard)
        case Said.NO_DECISION:
            yield from _no_decision(facts, heard)
        case Said.CLOSED | Said.SILENCE:
            yield from _silence(facts, heard)
        case Said.REFUSED:
            yield from _refused(facts, heard)
        case _:
            pass


def _habits(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    """Ways of the server that are good to know for whoever writes a device."""
    is_session = facts.presented.kind is Kind.REQUEST and heard.lines[:1] == ("CONNACK 0",)
    kinds = {line.partition(" ")[0] for line in heard.lines}
    if is_session and "PUBLISH" in kinds and "SUBACK" not in kinds:
        yield Diagnosis(
                "no-suback", Weight.NOTE,
                "The server does not answer SUBSCRIBE in a session that provisions, as before 3.9: a device that "
                "waits for the SUBACK before it asks waits for ever.",
                "Publish the request without waiting; the reply comes even without a subscription.",
            )  # fmt: skip
    for name, limit in rates(heard.document).items():
        yield Diagnosis(
            "rate-limited", Weight.NOTE,
            f"The device may send {limit} ({name}, as capacity:seconds). Above that the server closes MQTT without an "
            "acknowledgement, answers HTTP with an empty 500 and CoAP with 5.00, and never says when to come back.",
            "Let the device send less, or have the limit raised in the tenant's profile.",
        )  # fmt: skip


def _not_found(facts: Facts) -> Iterator[Diagnosis]:
    """Key, secret and strategy are told apart by an account only."""
    if facts.tenant is not None:
        return
    yield Diagnosis(
        "key-or-secret", Weight.LIKELY,
        "NOT_FOUND says one of three things, and the server tells nobody which: no device profile has this key, the "
        "secret is another one, or provisioning is disabled in the profile (as in every new one).",
        "Compare both with the profile (Device profiles > its name > Device provisioning). With an account of the "
        "tenant this page tells them apart: --user NAME --password env:NAME.",
    )  # fmt: skip


def _failure(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    if heard.asked is Asked.THROW_AWAY:
        yield Diagnosis(
            "limit-reached", Weight.LIKELY,
            "A new device with a free name was refused too. What is left: the tenant's limit of devices (maxDevices "
            "in its profile) is reached, or the credentials that the request brings are in use by another device of "
            "the installation.",
            "Delete devices, have the limit raised, or bring other credentials.",
        )  # fmt: skip
    elif heard.asked is Asked.BY_AN_IMPOSSIBLE_NAME and facts.tenant is None:
        who = f"device {quoted(facts.name)}" if facts.name else "a device without a name"
        yield Diagnosis(
            "name-unseen", Weight.POSSIBLE,
            f"Key and secret are right, and the profile provisions. Whether it provisions {who} cannot be asked "
            "without doing it: FAILURE if the name is taken in the tenant (in any profile), is not on the list, was "
            "provisioned before, or the tenant's limit is reached.",
            "Give an account of the tenant, then this page looks: --user NAME --password env:NAME; --try provisions a "
            "throw-away device too, and removes it again.",
        )  # fmt: skip


def _no_decision(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    if facts.presented.kind is not Kind.REQUEST:
        yield Diagnosis(
            "rate-limit", Weight.LIKELY,
            "The server knows the device and does not answer: it has sent more than the tenant's profile allows, or "
            "the server is overloaded.",
            "Ask again in a minute. Over MQTT this page shows the limits.",
        )  # fmt: skip
        return
    yield _gave_up()


def _gave_up() -> Diagnosis:
    return Diagnosis(
        "chain-profile-key", Weight.LIKELY,
        "The server gave up without a decision. That is what becomes of every request with the key of a profile that "
        "provisions by certificate chains; or the server is overloaded, and the device may exist all the same.",
        "Compare the key with the profile that is meant; devices of a chain profile send no request.",
    )  # fmt: skip


def _silence(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    """No CONNACK, or none of what should follow it."""
    if facts.way.over.plain == Over.COAP:
        yield _deaf(facts)
    elif facts.way.over.plain == Over.HTTP:
        yield Diagnosis(
            "no-answer", Weight.LIKELY, f"No answer came over HTTP: {printable(', '.join(heard.lines), 160)}.",
            "Check host and port, and what lies between: a proxy, a firewall, a server that is stuck. A request with "
            "the key of a profile for certificate chains is not answered for 10 to 20 s: wait longer with --within.",
        )  # fmt: skip
    elif heard.lines[0] in ("closed", SILENCE):
        yield from _no_connack(facts, heard)
    elif facts.presented.kind is Kind.REQUEST and heard.after_s >= GAVE_UP_S and heard.said is Said.CLOSED:
        yield _gave_up()
    elif facts.presented.kind is Kind.REQUEST:
        yield Diagnosis(
            "no-reply", Weight.LIKELY,
            "The session was accepted and no reply came. ThingsBoard itself always answers or closes: between here "
            "and there is a broker of another kind (then every client that listens on /provision/response sees the "
            "secrets of all), or the rule engine stands still.",
            "Ask ThingsBoard's own MQTT port.",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "closed-after-login", Weight.LIKELY,
            "The login was accepted and the connection closed at the first message: the device has sent more than "
            "the tenant's profile allows, its device was deleted or its credentials changed in this moment, or a "
            "session of another kind was opened.",
            "Ask again in a minute.",
        )  # fmt: skip


def _no_connack(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    reached = "The REST API answers from here meanwhile. " if facts.tenant is not None else ""
    if heard.lines[0] == SILENCE:
        yield Diagnosis(
            "no-connack", Weight.LIKELY,
            f"The port takes the connection and never answers CONNECT. {reached}A firewall or a load balancer holds "
            "it, or the server is stuck.",
            "Ask from the server's own machine; look at what lies between.",
        )  # fmt: skip
        return
    yield Diagnosis(
        "ip-guard", Weight.LIKELY,
        f"The connection is closed before CONNACK. {reached}So does the server's IP guard ({GUARD}): after 10 wrong "
        "logins it refuses every connection from an address for 60 s, also of devices with good credentials behind "
        "the same NAT. It counts MQTT only; one good login clears it. A proxy that expects another protocol closes "
        "so too.",
        "Wait a minute with all devices of this address silent, find the one with wrong credentials, and ask again.",
    )  # fmt: skip


def _deaf(facts: Facts) -> Diagnosis:
    other = "coap" if facts.way.over is Over.COAPS else "coaps"
    return Diagnosis(
        "coap-silence", Weight.LIKELY,
        f"Nothing answers {facts.way.url}: CoAP and DTLS are silent where nobody listens, where the port speaks the "
        f"other one ({other}), or where UDP is blocked. DTLS is off by default (COAP_DTLS_ENABLED).",
        "Check that COAP_ENABLED is on and the port is open for UDP; ThingsBoard's own are 5683 and, for DTLS, 5684.",
    )  # fmt: skip


def _refused(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    presented = facts.presented
    if presented.kind is Kind.CERTIFICATE:
        yield from _refused_certificate(facts, heard)
    elif presented.kind is Kind.REQUEST:
        yield Diagnosis(
            "refused", Weight.LIKELY, f"The server refuses the request: {printable(', '.join(heard.lines), 120)}.",
            "See what the request has that the contract does not.",
        )  # fmt: skip
    elif heard.lines[0] == "CONNACK 3":
        yield Diagnosis(
            "session-limit", Weight.LIKELY,
            "The server answers 3, as to a device that logs in more often than its tenant's profile allows, and "
            "where it is overloaded: it has not looked at the credentials.",
            "Let the device wait longer between logins, and ask again in a minute.",
        )  # fmt: skip
    elif facts.tenant is None or not (facts.name or facts.tenant.knows_all):
        yield Diagnosis(
            "credentials-unknown", Weight.LIKELY,
            "No device has these credentials, or one has them as another type. The server does not say more: the "
            "device may have been deleted, its credentials changed, or a part of them differ.",
            "Compare with Devices > its name > Manage credentials. With an account of the tenant this page does "
            "that: --user NAME --password env:NAME, and --name for the device.",
        )  # fmt: skip


def _refused_certificate(facts: Facts, heard: Heard) -> Iterator[Diagnosis]:
    if facts.tenant is not None and heard.asked is Asked.LEAF_ALONE:
        return
    if heard.lines[0].startswith("TLS"):
        yield Diagnosis(
            "handshake-refused", Weight.LIKELY,
            f"The server ends the TLS handshake: {printable(heard.lines[0], 120)}.",
            "Check that each certificate of the chain is signed by the next, and that both sides share a TLS version.",
        )  # fmt: skip
    elif facts.tenant is None:
        alone = len(facts.presented.chain) == 1
        more = LEAF_ALONE if alone else CHAIN_UNASKED
        yield Diagnosis(
            "certificate-unknown", Weight.LIKELY if alone else Weight.POSSIBLE,
            f"No device has this certificate as it is. {more}",
            "Give an account of the tenant, then this page looks: --user NAME --password env:NAME"
            + ("." if alone else "; --try shows the whole chain all the same."),
        )  # fmt: skip
