"""Moving a gateway to another instance in an order in which it can be lost (spec 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.configuration import (
    PROVISIONING,
    TRANSPORT,
    CloudConnection,
    NotConfiguration,
    read_configuration,
)
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.topics import read_topic
from fleetrig.reference_server.platforms.kura.payload.codec import decode

WHERE_IT_IS: Final = ("broker-url", "topic.context.account-name", "username", "password", "client-id")
LOAD: Final = (
    "load the target's signing certificate into DMKeystore and its root into SSLKeystore (KEYS-V1), read them back"
)
ORDER: Final = (
    f"The safe order: create the request; {LOAD}; write the parameters of ProvisioningService; EXEC/snapshot; then, "
    "in one change and last, provisioned false and enabled true."
)


def moving_causes(facts: Facts) -> Iterator[Diagnosis]:
    """By the gateway's own configuration, and by a CONF-V1 request that is to change it."""
    body = _new_configuration(facts)
    if body is None:
        service = facts.connection.service(PROVISIONING) if facts.connection is not None else None
        begins = service is not None and service.flag("enabled") is True and not service.flag("provisioned")
        yield from _certificates(facts, is_begun=begins)
        return
    try:
        configuration = read_configuration(body)
    except NotConfiguration as wrong:
        yield Diagnosis(
            "configuration-malformed", Weight.CAUSE, f"The body of the request holds {wrong}: the gateway answers 400.",
            'Send esf:configurations (xmlns:esf="http://eurotech.com/esf/2.0").',
        )  # fmt: skip
        return
    if not configuration.is_prefixed:
        yield Diagnosis(
            "configuration-prefix", Weight.CAUSE,
            "The body does not use the prefix esf: for its elements: the gateway answers 200, and changes nothing.",
            "Write esf:configurations, esf:configuration, esf:properties, esf:property, esf:value.",
        )  # fmt: skip
    for connection in configuration.connections:
        yield from _flags(facts, connection)
        yield from _transport(facts, connection)


def _new_configuration(facts: Facts) -> bytes | None:
    message = facts.message
    if message is None or message.payload is None:
        return None
    topic = read_topic(message.topic)
    is_put = topic.application == "CONF-V1" and topic.method == "PUT" and topic.resource[:1] == ("configurations",)
    return (decode(message.payload).body or b"") if is_put else None


def _certificates(facts: Facts, *, is_begun: bool) -> Iterator[Diagnosis]:
    """`is_begun`: the gateway is asked to move already."""
    material = facts.material
    if material.signer is None or material.keystore is None:
        return
    if any(one.certificate == material.signer for one in material.keystore):
        return
    name = quoted(material.signer.subject.rfc4514_string())
    cause = (
        f"The gateway does not have the certificate of the target, {name}, in its DMKeystore: once provisioned it "
        "obeys "
        "signed messages alone, and cannot check those of the target."
    )  # fmt: skip
    if is_begun:
        yield Diagnosis(
            "enabled-before-certificates", Weight.CAUSE, f"{cause} It is asked to move already.",
            f"Set enabled to false, {LOAD}, then set enabled true and provisioned false. {ORDER}",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "dm-certificate-missing", Weight.CAUSE, cause,
            f"{LOAD[0].upper()}{LOAD[1:]}, while the gateway is still with the old instance. {ORDER}",
        )  # fmt: skip


def _flags(facts: Facts, connection: CloudConnection) -> Iterator[Diagnosis]:
    service = connection.service(PROVISIONING)
    if service.flag("enabled") is not True:
        return
    if service.flag("provisioned") is not False:
        yield Diagnosis(
            "flags-half-set", Weight.CAUSE,
            "The request sets enabled to true, and not provisioned to false: a gateway that is provisioned does not "
            "move.",
            f"Set both in one request. {ORDER}",
        )  # fmt: skip
    yield from _certificates(facts, is_begun=True)
    others = sorted(name for name in service.values if name not in ("enabled", "provisioned"))
    if others:
        yield Diagnosis(
            "flags-not-last", Weight.NOTE,
            f"The request sets {', '.join(others[:4])} together with enabled: whether each is taken is never reported.",
            "Write the parameters first, read them back, and set the two flags last.",
        )  # fmt: skip


def _transport(facts: Facts, connection: CloudConnection) -> Iterator[Diagnosis]:
    changed = [name for name in WHERE_IT_IS if name in connection.service(TRANSPORT).values]
    if changed:
        yield Diagnosis(
            "moves-by-transport", Weight.CAUSE if facts.is_signed_expected else Weight.LIKELY,
            f"The request changes MqttDataTransport ({', '.join(changed)}) itself: the gateway leaves its instance a "
            "second "
            "later without the certificates of another, and with nothing to come back to.",
            f"Move it by its ProvisioningService. {ORDER}",
        )  # fmt: skip
