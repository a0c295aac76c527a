"""What a look at the certificate that a server shows says, on whatever platform."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from fleetrig.harness.doctor.certificates import DAY, CertificateFacts
from fleetrig.harness.doctor.contact import Contact, Trouble
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted


class TlsLook(NamedTuple):
    """Who was asked, what came of it, and what this machine's clock says. `never_sends`: what a device keeps back."""

    host: str
    port: int
    contact: Contact
    now: dt.datetime
    never_sends: str
    trust_option: str = "--ca"
    """How this doctor is told whom to trust."""


def not_trusted(look: TlsLook) -> Diagnosis:
    """Only when nothing else is wrong with the certificate: the rest is said by `server_certificate`."""
    shown = look.contact.certificate
    whose = f" It was issued by {quoted(shown.issuer_common_name or shown.issuer)}." if shown is not None else ""
    return Diagnosis(
        "certificate-not-accepted", Weight.CAUSE,
        f"The certificate that the server shows is not accepted here: {look.contact.untrusted}.{whose} A device that "
        f"checks it as we do never sends {look.never_sends}.",
        "If the server's authority is your own, give its certificate to the device, and here with "
        f"{look.trust_option} FILE; --insecure looks on without checking.",
        (f"openssl s_client -connect {look.host}:{look.port} -showcerts </dev/null",),
    )  # fmt: skip


def server_certificate(look: TlsLook) -> Iterator[Diagnosis]:
    """What is wrong with it, whatever is trusted here."""
    shown, contact = look.contact.certificate, look.contact
    if shown is None:
        return
    weight = Weight.CAUSE if contact.trouble is Trouble.NOT_TRUSTED else Weight.LIKELY
    if reason := shown.outside(look.now):
        yield Diagnosis(
            "server-certificate-dates", weight,
            f"The server's certificate {reason}; this machine's clock says {look.now:{DAY}}.",
            "Renew it, or set the clock that is wrong: devices without a clock see this after every start.",
        )  # fmt: skip
    if not shown.is_for(look.host):
        yield Diagnosis(
            "server-certificate-host", weight,
            f"The server's certificate is not for {quoted(look.host)}, but for {_names(shown)}.",
            "Use one of these names in the address, or issue a certificate that has this one as subjectAltName.",
        )  # fmt: skip
    if contact.untrusted and contact.trouble is None:
        yield Diagnosis(
            "server-certificate-unchecked", Weight.NOTE,
            f"The server's certificate was accepted unchecked (--insecure); checked, it fails here: "
            f"{contact.untrusted}. A device that checks needs the CA of {quoted(shown.issuer_common_name)}.",
        )  # fmt: skip


def _names(shown: CertificateFacts) -> str:
    return (
        ", ".join(quoted(name) for name in shown.names[:4]) or f"nobody (CN {quoted(shown.common_name)} does not count)"
    )
