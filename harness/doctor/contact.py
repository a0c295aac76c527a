"""What happened on the way to a server, before a request was sent: pure facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetrig.harness.doctor.certificates import CertificateFacts


class Trouble(StrEnum):
    """Why no HTTP answer came."""

    UNKNOWN_HOST = "unknown host"
    NOBODY_LISTENS = "nobody listens"
    NO_ROUTE = "no route"
    NO_ANSWER = "no answer"
    NOT_TLS = "plain HTTP behind https"
    IS_TLS = "TLS behind http"
    NOT_TRUSTED = "certificate not accepted"
    WANTS_CERTIFICATE = "client certificate wanted"
    CERTIFICATE_REFUSED = "client certificate refused"
    TLS_REFUSED = "TLS refused"
    NO_HTTP = "no HTTP"


@dataclass(frozen=True, slots=True)
class Contact:
    """How far a connection came. `trouble` is None when HTTP was spoken."""

    trouble: Trouble | None = None
    detail: str = ""
    """The cause in the words of the system or of the TLS library."""
    certificate: CertificateFacts | None = None
    """What the server showed, whether it was accepted or not."""
    untrusted: str = ""
    """Why the certificate does not count here, in OpenSSL's words; also when it was accepted because of --insecure."""
