"""What lies between a device and its server: address, TLS, clocks, the path before the API, the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.doctor.server_certificate import TlsLook, not_trusted, server_certificate
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts

SKEW_WORTH_SAYING_S: Final = 60.0
TENANT_NEAR: Final = 0.6


def surroundings(facts: Facts) -> Iterator[Diagnosis]:
    """Everything that can be wrong before it is asked who the device is."""
    if facts.contact.trouble is not None:
        yield _trouble(facts, facts.contact.trouble)
    yield from server_certificate(_look(facts))
    yield from _address(facts)
    yield from _skew(facts)


def is_hawkbit(answer: Answer | None) -> bool:
    """Whether this answer to `GET /rest/v1/userinfo` can only come from hawkBit's Management API."""
    if answer is None:
        return False
    if answer.status == 200:
        return _is_json(answer) and b'"tenant"' in answer.body
    return answer.status == 401 and (answer.header("WWW-Authenticate") or "").startswith(("Basic", "Bearer"))


def is_device_api(answer: Answer | None) -> bool:
    """Whether this answer to `GET` on a device's root looks like hawkBit's Device API (§2.1, §3.1, §0.1)."""
    match answer:
        case Answer(status=200):
            return b'"config"' in answer.body and b'"polling"' in answer.body
        case Answer(status=304):
            return True
        case Answer(status=401 | 403 | 429, body=b""):
            return answer.header("WWW-Authenticate") is None
        case Answer(status=400):
            return not answer.body or (_is_json(answer) and (b'"status"' in answer.body or b"hawkbit" in answer.body))
        case _:
            return False


def is_admission(answer: Answer | None) -> bool:
    """Whether a request for what no device has was let in: hawkBit's own 404, and no other's (§2)."""
    return answer is not None and answer.status == 404 and _is_json(answer) and b"repo.entityNotFound" in answer.body


def is_no_api(facts: Facts) -> bool:
    """An HTTP server answers, but neither of hawkBit's APIs is where it should be."""
    answers = [answer for answer in (facts.answer, facts.knock, facts.trial) if answer is not None]
    spoke = facts.userinfo is not None or bool(answers)
    known = any(is_device_api(answer) or is_admission(answer) for answer in answers)
    return spoke and not is_hawkbit(facts.userinfo) and not known


def _is_json(answer: Answer) -> bool:
    return "json" in (answer.header("Content-Type") or "")


IN_WORDS: Final[dict[Trouble, tuple[str, str]]] = {
    Trouble.UNKNOWN_HOST: ("The host {host} is not known here ({detail}).", "Check its name."),
    Trouble.NOBODY_LISTENS: (
        "Nobody listens at {url}: the connection was refused.",
        "Start the server, or check host and port (hawkBit's own is 8080).",
    ),
    Trouble.NO_ROUTE: ("There is no way to {url}: {detail}.", "Check the network between here and there."),
    Trouble.NO_ANSWER: ("{url} does not answer.", "Check firewalls on the way, and whether the server is stuck."),
    Trouble.NOT_TLS: (
        "{url} was asked for TLS, but what answers there is no TLS ({detail}): it is probably plain HTTP.",
        "Use {unsecured}, or the port on which the proxy ends TLS.",
    ),
    Trouble.IS_TLS: (
        "{url} was asked in plain HTTP, but that port speaks TLS.",
        "Use {secured}, here and on the device.",
    ),
    Trouble.WANTS_CERTIFICATE: (
        "{url} ends the TLS handshake without a client certificate that it accepts ({detail}).",
        "Give --cert FILE --key FILE: then TLS is done as the device does it.",
    ),
    Trouble.CERTIFICATE_REFUSED: (
        "{url} refuses the device's certificate at the TLS handshake: {detail}. hawkBit never hears of this device.",
        "Compare issuer, dates and purpose of the certificate with what the proxy trusts (ssl_client_certificate).",
    ),
    Trouble.TLS_REFUSED: ("TLS with {url} fails: {detail}.", "Compare TLS versions and ciphers of both sides."),
    Trouble.NO_HTTP: ("What answers at {url} speaks no HTTP ({detail}).", "Check host and port."),
}


def _trouble(facts: Facts, trouble: Trouble) -> Diagnosis:
    if trouble is Trouble.NOT_TRUSTED:
        return not_trusted(_look(facts))
    url = facts.url
    words = {
        "url": url,
        "host": quoted(urlsplit(url).hostname or ""),
        "detail": printable(facts.contact.detail),
        "secured": url.replace("http://", "https://", 1),
        "unsecured": url.replace("https://", "http://", 1),
    }
    cause, change = (text.format(**words) for text in IN_WORDS[trouble])
    return Diagnosis(trouble.name.lower().replace("_", "-"), Weight.CAUSE, cause, change)


def _look(facts: Facts) -> TlsLook:
    place = urlsplit(facts.url)
    return TlsLook(place.hostname or "", place.port or 443, facts.contact, facts.now, "its request")


def _address(facts: Facts) -> Iterator[Diagnosis]:
    if facts.contact.trouble is not None or not is_no_api(facts):
        return
    answer = facts.answer or facts.knock or facts.userinfo
    if answer is None:
        return
    where = answer.header("Location")
    if where is not None and 300 <= answer.status < 400:
        to_https = where.startswith("https://") and facts.url.startswith("http://")
        yield Diagnosis(
            "redirect", Weight.CAUSE,
            f"{facts.url} sends everybody on to {printable(where, 120)} ({answer.status}). Update clients do not carry "
            "their credential along, if they follow at all.",
            f"Use {'https' if to_https else 'that address'} from the beginning, here and on the device.",
        )  # fmt: skip
        return
    what = f"GET /rest/v1/userinfo is answered with {_in_short(facts.userinfo)}" if facts.userinfo is not None else ""
    look = f" hawkBit answers at {facts.better_url}." if facts.better_url else ""
    yield Diagnosis(
        "wrong-address", Weight.CAUSE,
        f"{facts.url} is not the base of hawkBit's APIs: {what or 'nothing there answers'}, the device's address with "
        f"{_in_short(facts.answer or facts.knock)}.{look}",
        f"Use {facts.better_url}." if facts.better_url else
        "Give what stands before /rest/v1 and before /TENANT/controller/v1: no page of the user interface, and with "
        "the path prefix of the proxy, if it has one.",
    )  # fmt: skip


def _in_short(answer: Answer | None) -> str:
    if answer is None:
        return "nothing"
    kind = (answer.header("Content-Type") or "").partition(";")[0]
    what = "JSON" if kind.endswith("json") else "an HTML page" if kind == "text/html" else printable(kind) or "text"
    what = what if answer.body else "an empty body"
    return f"{answer.status} and {what}"


def _skew(facts: Facts) -> Iterator[Diagnosis]:
    if facts.skew_s is None or abs(facts.skew_s) < SKEW_WORTH_SAYING_S:
        return
    ahead = "ahead of" if facts.skew_s > 0 else "behind"
    yield Diagnosis(
        "clock-skew", Weight.NOTE,
        f"The server's clock is {_span(abs(facts.skew_s))} {ahead} this machine's. Tokens know no time, but "
        "certificates do: on both sides, and on a device whose clock starts in 1970.",
        "Let both keep time by NTP.",
    )  # fmt: skip


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def tenant_typo(facts: Facts, *, would_fit: bool) -> Iterator[Diagnosis]:
    """The account administers another tenant than the one in the device's path; §3.2: a tenant that does not exist
    answers as one where everything is off. `would_fit`: nothing would refuse this device in the account's tenant."""
    if facts.account is None or facts.same_tenant:
        return
    ours, theirs = facts.account.tenant, facts.tenant
    is_near = SequenceMatcher(None, ours.upper(), theirs.upper()).ratio() >= TENANT_NEAR
    also = ""
    if would_fit:
        also = f" In {quoted(ours)} nothing would refuse this device."
    elif facts.exists:
        also = f" In {quoted(ours)} there is a target of this name."
    yield Diagnosis(
        "other-tenant", Weight.LIKELY if is_near or would_fit or facts.exists else Weight.POSSIBLE,
        f"The device asks in tenant {quoted(theirs)}, the account {quoted(facts.account.user)} belongs to "
        f"{quoted(ours)}: a typo in the tenant, or the wrong account to look with. A tenant that does not exist "
        f"answers 401 too.{also}",
        f"Use {quoted(ours)} in the device's address, or look with an account of tenant {quoted(theirs)}.",
    )  # fmt: skip
