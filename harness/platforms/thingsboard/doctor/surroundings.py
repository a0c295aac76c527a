"""What lies between a device and its server: address, port, TLS, and whether it is ThingsBoard that answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.doctor.server_certificate import TlsLook, not_trusted, server_certificate
from fleetrig.harness.platforms.thingsboard.doctor.facts import Facts, Kind, Said
from fleetrig.harness.platforms.thingsboard.doctor.way import PATH, PORTS, Over

SWITCHES: Final = {
    Over.MQTTS: "MQTT_SSL_ENABLED=true",
    Over.HTTPS: "SSL_ENABLED=true",
    Over.COAPS: "COAP_DTLS_ENABLED=true",
}
"""TLS is off by default on each transport."""
IN_WORDS: Final[dict[Trouble, tuple[str, str]]] = {
    Trouble.UNKNOWN_HOST: ("The host {host} is not known here ({detail}).", "Check its name."),
    Trouble.NOBODY_LISTENS: (
        "Nobody listens at {url}: the connection was refused.",
        "Start the server, or check host and port (ThingsBoard's own for {over} is {port}).{switch}",
    ),
    Trouble.NO_ROUTE: ("There is no way to {url}: {detail}.", "Check the network between here and there."),
    Trouble.NO_ANSWER: ("{url} does not answer.", "Check firewalls on the way, and whether the server is stuck."),
    Trouble.NOT_TLS: (
        "{url} was asked for TLS, but what answers there is no TLS ({detail}){instead}.",
        "Use the port for TLS, or {unsecured} if that is what it speaks.{switch}",
    ),
    Trouble.WANTS_CERTIFICATE: (
        (
            "{url} ends the TLS handshake without a client certificate that it accepts ({detail}). ThingsBoard wants "
            "none in a handshake; a proxy before it does."
        ),
        "Give --cert FILE --key FILE, or look at the proxy.",
    ),
    Trouble.CERTIFICATE_REFUSED: (
        "{url} refuses the certificate at the TLS handshake: {detail}.",
        "Compare the chain with what stands before ThingsBoard trusts.",
    ),
    Trouble.TLS_REFUSED: ("TLS with {url} fails: {detail}.", "Compare TLS versions and ciphers of both sides."),
}


def surroundings(facts: Facts) -> Iterator[Diagnosis]:
    """Everything that can be wrong before anybody is asked who the device is."""
    if facts.contact.trouble is not None:
        yield _trouble(facts, facts.contact.trouble)
    elif facts.instead:
        yield _other_protocol(facts)
    elif facts.heard is not None and _is_strange(facts):
        yield Diagnosis(
            "not-thingsboard", Weight.CAUSE,
            f"What answers at {facts.way.url} is not ThingsBoard as the device expects it: "
            f"{printable(', '.join(facts.heard.lines), 120)}.",
            "Check host, port and path; give the base of ThingsBoard's own APIs, with no page of the user interface.",
        )  # fmt: skip
    yield from server_certificate(_look(facts))


def is_unusable(facts: Facts) -> bool:
    """No device gets in here, whatever it has."""
    return facts.contact.trouble is not None or bool(facts.instead) or _is_strange(facts)


def _is_strange(facts: Facts) -> bool:
    """An answer that ThingsBoard does not give; 404 to another path than its own is its answer."""
    own_path = facts.presented.kind is not Kind.REQUEST or facts.way.path == PATH
    return facts.heard is not None and facts.heard.said is Said.NOT_UNDERSTOOD and own_path


def _trouble(facts: Facts, trouble: Trouble) -> Diagnosis:
    if trouble is Trouble.NOT_TRUSTED:
        return not_trusted(_look(facts))
    over = facts.way.over
    switch = f" TLS is off by default: {SWITCHES[over]} turns it on." if over in SWITCHES else ""
    words = {
        "url": facts.way.url,
        "host": quoted(facts.way.host),
        "detail": printable(facts.contact.detail),
        "over": over,
        "port": PORTS[over],
        "switch": switch,
        "instead": f": it is {facts.instead}" if facts.instead else "",
        "unsecured": facts.way.url.replace(f"{over}://", f"{over.plain}://", 1),
    }
    cause, change = IN_WORDS.get(trouble, ("{url} cannot be used: {detail}.", "Check host and port."))
    name = trouble.name.lower().replace("_", "-")
    return Diagnosis(name, Weight.CAUSE, cause.format(**words), change.format(**words))


def _other_protocol(facts: Facts) -> Diagnosis:
    """The port is alive and means something else: most servers close then, without a word."""
    over, instead = facts.way.over, facts.instead
    if instead == "TLS":
        secured = facts.way.url.replace(f"{over}://", f"{over}s://", 1)
        return Diagnosis(
            "is-tls", Weight.CAUSE, f"{facts.way.url} was asked without TLS, but that port speaks TLS.",
            f"Use {secured}, here and on the device, or the plain port ({PORTS[over]}).",
        )  # fmt: skip
    return Diagnosis(
        "other-protocol", Weight.CAUSE,
        f"The device speaks {over.plain.upper()} to {facts.way.url}, and that port speaks {instead}.",
        f"Use the port for {over} ({PORTS[over]} by default), or let the device speak {instead}.",
    )  # fmt: skip


def _look(facts: Facts) -> TlsLook:
    return TlsLook(facts.way.host, facts.way.port, facts.contact, facts.now, "key and secret")
