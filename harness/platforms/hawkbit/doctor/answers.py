"""What the server said to the device, and what may be behind it when nothing that can be seen explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable
from fleetrig.harness.platforms.hawkbit.doctor.facts import MODES, Facts, Kind
from fleetrig.harness.platforms.hawkbit.doctor.surroundings import is_device_api
from fleetrig.harness.servers.json_answer import NotJson, read_json

CACHE_S: Final = 60.0
"""A changed switch may be cached for 10 s (§1.6); somebody who tries at once is inside that."""
TRUSTED: Final = "hawkbit.server.ddi.security.rp.trustedIPs"


def answers(facts: Facts) -> Iterator[Diagnosis]:
    """What the status alone says. Also for a knock without credential: limiter, host check and lists come first."""
    answer = facts.answer or facts.trial or facts.knock
    match answer:
        case Answer(status=403):
            yield _forbidden(answer)
        case Answer(status=429):
            yield _limited()
        case Answer(status=400):
            yield from _bad_request(answer)
        case Answer(status=status) if status >= 500:
            yield Diagnosis(
                "server-error", Weight.CAUSE,
                f"The server answers {status}: " + ("a proxy that does not reach hawkBit." if status in (502, 503, 504)
                                                    else "it is ill, or what stands before it."),
                "Look into the logs of proxy and server.",
            )  # fmt: skip
        case _:
            pass


def unexplained(facts: Facts, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Possibilities behind a refusal whose cause nothing shows. Far-fetched ones only when nothing better was found."""
    answer = facts.answer or facts.trial
    if answer is None or answer.status != 401:
        return
    better = list(_better(facts, answer))
    yield from better
    yield from _unseen(facts)
    if not any(one.weight is Weight.LIKELY for one in (*found, *better)):
        yield from _on_the_way(facts)


def _better(facts: Facts, answer: Answer) -> Iterator[Diagnosis]:
    """What the answer itself or its time gives away."""
    if not is_device_api(answer):
        yield _not_from_hawkbit(answer)
    if (age_s := changed_ago_s(facts)) is not None and age_s < CACHE_S:
        yield Diagnosis(
            "cached", Weight.LIKELY,
            f"The tenant's ways in were changed {max(0.0, age_s):.0f} s ago, and servers may cache them for 10 s.",
            "Ask again in a moment.",
        )  # fmt: skip


def changed_ago_s(facts: Facts) -> float | None:
    """How long ago a way in was changed, by the server's clock."""
    if facts.config is None or not facts.config.changed_at_ms or not facts.same_tenant:
        return None
    return facts.now.timestamp() + (facts.skew_s or 0.0) - facts.config.changed_at_ms / 1000


def answer_line(answer: Answer) -> str:
    """The answer in one line: status, and what a device would make of it."""
    document = _document(answer)
    match document:
        case {"config": {"polling": {"sleep": sleep}}} if answer.status == 200:
            linked = document.get("_links")
            links = ", ".join(sorted(linked) if isinstance(linked, Mapping) else ()) or "none"
            return f"200: poll again in {printable(str(sleep))}, links: {printable(links)}"
    if where := answer.header("Location"):
        return f"{answer.status}: go to {printable(where)}"
    text = document.get("message") or document.get("error") or ""
    if not answer.body:
        return f"{answer.status}, an empty body"
    kind = (answer.header("Content-Type") or "no type").partition(";")[0]
    return (
        f"{answer.status}: {printable(str(text))}" if text else f"{answer.status}, {len(answer.body)} bytes of {kind}"
    )


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = read_json(answer.body)
    except NotJson:
        return {}
    return document if isinstance(document, dict) else {}


def _forbidden(answer: Answer) -> Diagnosis:
    if answer.body:
        return Diagnosis(
            "forbidden", Weight.LIKELY,
            "403 with a body is not hawkBit's: a proxy refuses this path, for instance for want of a client "
            "certificate (ssl_verify_client) or because it publishes other paths only.",
            "Look into the proxy's rules for /TENANT/controller/ (they know upper and lower case of the tenant).",
        )  # fmt: skip
    return Diagnosis(
        "blacklisted", Weight.LIKELY,
        "403 without a body, before any authentication: the address of the sender is on the server's black list.",
        "See hawkbit.server.security.clients.blacklist, and what X-Forwarded-For carries: its first address counts.",
    )  # fmt: skip


def _limited() -> Diagnosis:
    return Diagnosis(
        "limiter", Weight.CAUSE,
        "429: more than 200 reads or 50 writes a second came from this address. Behind a proxy that sends no "
        "X-Forwarded-For, or behind one NAT, all devices share one address.",
        "Let the proxy send X-Forwarded-For, spread the polls, or raise hawkbit.server.security.dos.filter.maxRead.",
    )  # fmt: skip


def _bad_request(answer: Answer) -> Iterator[Diagnosis]:
    message = str(_document(answer).get("message", ""))
    text = answer.text.lower()
    if "https port" in text:
        yield Diagnosis(
            "is-tls", Weight.CAUSE, "The proxy says that plain HTTP was sent to its HTTPS port.", "Use https."
        )
    elif "ssl certificate" in text:
        yield Diagnosis(
            "wants-certificate", Weight.CAUSE,
            f"The proxy wants a client certificate: {printable(' '.join(answer.text.split()), 120)}",
            "Give --cert FILE --key FILE.",
        )  # fmt: skip
    elif not answer.body:
        yield Diagnosis(
            "host-check", Weight.LIKELY,
            "400 without a body, before any authentication: the server takes only certain host names.",
            "Add the host of this address to hawkbit.server.security.allowedHostNames, or use one that is on it.",
        )  # fmt: skip
    elif message:
        yield Diagnosis("invalid", Weight.NOTE, f"The server says why: {printable(message, 200)}")


def _not_from_hawkbit(answer: Answer) -> Diagnosis:
    challenge = answer.header("WWW-Authenticate")
    what = f"asks for {printable(challenge, 60)}" if challenge else "has a body"
    return Diagnosis(
        "not-from-hawkbit", Weight.LIKELY,
        f"This 401 {what}; hawkBit's to a device is empty and asks for nothing. Something before it refuses the "
        "request: a proxy with its own login, or an identity provider.",
        "Exempt /TENANT/controller/v1/ there, and let the Authorization header through.",
    )  # fmt: skip


def _unseen(facts: Facts) -> Iterator[Diagnosis]:
    """What could be the cause, had we been allowed to look."""
    kind = facts.presented.kind
    tenant = f"in tenant {facts.tenant}"
    if facts.account is None:
        modes = MODES.get(kind, "")
        about = "the target is unknown, its token differs" if kind is Kind.TARGET_TOKEN else "the key differs"
        about = "identity or authority differ" if kind is Kind.CERTIFICATE else about
        yield Diagnosis(
            "not-looked", Weight.POSSIBLE,
            f"All of these look the same from outside: {modes} is off {tenant}, {about}, or there is no such tenant.",
            "Give an account of the Management API, then this page tells them apart: --user NAME --password env:NAME.",
        )  # fmt: skip
        return
    if not facts.same_tenant:
        return
    if facts.config is None or facts.config.is_on(kind) is None:
        yield Diagnosis(
            "mode-unseen", Weight.POSSIBLE, f"{MODES.get(kind, 'Every way in')} may be off {tenant}.",
            "Look with an account that has TENANT_CONFIGURATION.",
        )  # fmt: skip
    if kind is Kind.TARGET_TOKEN and (facts.exists is None or (facts.target and facts.target.token is None)):
        yield Diagnosis(
            "token-unseen", Weight.POSSIBLE,
            "The target's token may be another one." if facts.exists else "There may be no such target.",
            "Look with an account that has READ_TARGET and READ_TARGET_SECURITY_TOKEN.",
        )  # fmt: skip
    if kind is Kind.GATEWAY_TOKEN and (facts.config is None or facts.config.gateway_key is None):
        yield Diagnosis(
            "key-unseen", Weight.POSSIBLE, f"The gateway key {tenant} may be another one, or empty.",
            "Look with an account that has READ_GATEWAY_SECURITY_TOKEN.",
        )  # fmt: skip


def _on_the_way(facts: Facts) -> Iterator[Diagnosis]:
    """Between here and hawkBit."""
    presented = facts.presented
    if presented.kind is Kind.NOTHING:
        return
    if presented.kind is not Kind.CERTIFICATE:
        header = "the Authorization header"
        change = "Ask hawkBit itself, without the proxy; if it lets the device in, pass Authorization on there."
    elif presented.has_key:
        header = "the identity and authority headers"
        change = "Check the proxy's configuration against the note on headers below."
    else:
        header = "identity headers that come from outside, as this command sent them (and a good proxy must)"
        change = "Give --key FILE too, so that TLS is really done with the certificate."
    yield Diagnosis("header-missing", Weight.POSSIBLE, f"A proxy on the way drops {header} on this path.", change)
    yield Diagnosis(
        "trusted-ips", Weight.POSSIBLE,
        "The server looks at devices' credentials only when they come from certain addresses, and this machine (or "
        "the proxy) is none of them. X-Forwarded-For only helps with server.forward-headers-strategy.",
        f"Compare {TRUSTED} with the addresses that really connect to the server.",
    )  # fmt: skip
