"""What lies between a device and its server: address, port, TLS, and whether it is ThingsBoard that answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.certificates import DAY, CertificateFacts
from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
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
    yield from _server_certificate(facts)


def is_unusable(facts: Facts) -> bool:
    """No device gets in here, whatever it has."""
    return facts.contact.trouble is not None or bool(facts.instead) or _is_strange(facts)


def _is_strange(facts: Facts) -> bool:
    """An answer that ThingsBoard does not give; 404 to another path than its own is its answer."""
    own_path = facts.presented.kind is not Kind.REQUEST or facts.way.path == PATH
    return facts.heard is not None and facts.heard.said is Said.NOT_UNDERSTOOD and own_path


def _trouble(facts: Facts, trouble: Trouble) -> Diagnosis:
    if trouble is Trouble.NOT_TRUSTED:
        return _not_trusted(facts)
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


def _not_trusted(facts: Facts) -> Diagnosis:
    shown = facts.contact.certificate
    whose = f" It was issued by {quoted(shown.issuer_common_name or shown.issuer)}." if shown is not None else ""
    return Diagnosis(
        "certificate-not-accepted", Weight.CAUSE,
        f"The certificate that the server shows is not accepted here: {facts.contact.untrusted}.{whose} A device that "
        "checks it as we do never sends key and secret.",
        "If the server's authority is your own, give its certificate to the device, and here with --ca FILE; "
        "--insecure looks on without checking.",
        (f"openssl s_client -connect {facts.way.host}:{facts.way.port} -showcerts </dev/null",),
    )  # fmt: skip


def _server_certificate(facts: Facts) -> Iterator[Diagnosis]:
    """What a look at the server's certificate says, whatever is trusted here."""
    shown, host = facts.contact.certificate, facts.way.host
    if shown is None:
        return
    weight = Weight.CAUSE if facts.contact.trouble is Trouble.NOT_TRUSTED else Weight.LIKELY
    if reason := shown.outside(facts.now):
        yield Diagnosis(
            "server-certificate-dates", weight,
            f"The server's certificate {reason}; this machine's clock says {facts.now:{DAY}}.",
            "Renew it, or set the clock that is wrong: devices without a clock see this after every start.",
        )  # fmt: skip
    if not shown.is_for(host):
        yield Diagnosis(
            "server-certificate-host", weight,
            f"The server's certificate is not for {quoted(host)}, but for {_names(shown)}.",
            "Use one of these names in the address, or issue a certificate that has this one as subjectAltName.",
        )  # fmt: skip
    if facts.contact.untrusted and facts.contact.trouble is None:
        yield Diagnosis(
            "server-certificate-unchecked", Weight.NOTE,
            f"The server's certificate was accepted unchecked (--insecure); checked, it fails here: "
            f"{facts.contact.untrusted}. A device that checks needs the CA of {quoted(shown.issuer_common_name)}.",
        )  # fmt: skip


def _names(shown: CertificateFacts) -> str:
    return (
        ", ".join(quoted(name) for name in shown.names[:4]) or f"nobody (CN {quoted(shown.common_name)} does not count)"
    )
