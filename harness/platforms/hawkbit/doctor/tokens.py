"""Tokens and nothing at all: the rows of the outcome matrix (§3.2), each with what to change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from fleetrig.harness.doctor.diagnosis import SECRET, Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import MODES, SCHEMES, Facts, Kind, masked
from fleetrig.harness.platforms.hawkbit.doctor.ids import hint, is_possible
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY
from fleetrig.harness.scenario_file.token_findings import SHARED, is_short, short_token
from fleetrig.simulator.contract.header_text import why_no_header_text

CONFIGS: Final = "/rest/v1/system/configs/"
WRONG_SECRETS: Final = frozenset(
    {"token-differs", "gateway-key-differs", "token-malformed", "token-of-another", "wrong-kind"}
)
"""Where another secret has to be given anyway, whatever this one is like."""
QUOTES: Final = "\"'"


def tokens(facts: Facts) -> Iterator[Diagnosis]:
    """What refuses this device, by what the account could see of its tenant."""
    kind = facts.presented.kind
    if kind is Kind.NOTHING:
        yield _nothing(facts)
    elif kind in SCHEMES:
        yield from _unsendable(facts)
        wrong = list(_wrong_kind(facts))
        yield from wrong
        if not wrong:
            yield from mode_off(facts)
            yield from _target_token(facts) if kind is Kind.TARGET_TOKEN else _gateway_token(facts)


def weak(facts: Facts) -> Iterator[Diagnosis]:
    """What is weak about the token as it is, whether it lets the device in or not."""
    kind, secret = facts.presented.kind, facts.presented.secret
    if kind not in SCHEMES or any(one.name in WRONG_SECRETS for one in tokens(facts)):
        return
    if is_short(secret):
        yield Diagnosis(
            "token-short", Weight.NOTE, f"{short_token(f'The {kind}')}.",
            "Give the device another one, and the server the same.",
        )  # fmt: skip
    if kind is Kind.TARGET_TOKEN:
        same = [one.controller_id for one in facts.others
                if secret and one.token == secret and one.controller_id != facts.controller_id]  # fmt: skip
        if same and facts.target is not None and facts.target.token == secret:
            yield Diagnosis(
                "token-shared", Weight.NOTE,
                f"The same token is held by target {quoted(same[0])}"
                + (f" and {len(same) - 1} more" if len(same) > 1 else "") + f": {SHARED}.",
                "Give every unit a token of its own.",
            )  # fmt: skip


def mode_off(facts: Facts) -> Iterator[Diagnosis]:
    """The tenant does not take this kind of credential."""
    kind = facts.presented.kind
    if facts.mode_is_on(kind) is not False:
        return
    yield Diagnosis(
        "mode-off", Weight.CAUSE,
        f"Tenant {facts.tenant} does not take a {kind}: {MODES[kind]} is off. {switched_on(facts)}",
        f"Turn it on, for all devices of tenant {facts.tenant}"
        + (", or let the device use what is on." if any(map(facts.mode_is_on, MODES)) else "."),
        facts.shell.curl("PUT", CONFIGS + MODES[kind], {"value": True}),
    )  # fmt: skip


def switched_on(facts: Facts) -> str:
    """The ways in that are open, in a sentence."""
    if facts.config is None:
        return ""
    on = [str(kind) for kind in MODES if facts.config.is_on(kind)]
    return f"On {'is' if len(on) == 1 else 'are'}: {', '.join(on)}." if on else "No way in is on, as on a new server."


def _nothing(facts: Facts) -> Diagnosis:
    return Diagnosis(
        "no-credential", Weight.CAUSE,
        f"The device presents nothing, and nobody is let in without a credential. {switched_on(facts)}".rstrip(),
        "Give the device a token or a certificate, and this command what the device has: --target-token env:NAME, "
        "--gateway-token env:NAME or --cert FILE.",
    )  # fmt: skip


def _unsendable(facts: Facts) -> Iterator[Diagnosis]:
    """Slips in the token itself, which show whatever the server has."""
    secret, kind = facts.presented.secret, facts.presented.kind
    scheme = SCHEMES[kind]
    slip = ""
    if why := why_no_header_text(secret.rstrip(" ")):  # blanks at the end do no harm (§3.1)
        slip = f"{why}, so no header can carry it"
    elif secret.partition(" ")[0].lower() in {"targettoken", "gatewaytoken", "basic", "bearer"}:
        slip = f"begins with the word {secret.partition(' ')[0]}: the device writes {scheme} before it by itself"
    elif len(secret) > 1 and secret[0] in QUOTES and secret[0] == secret[-1]:
        slip = "stands in quotes, which count as part of it"
    if slip:
        weight = Weight.LIKELY if "quotes" in slip else Weight.CAUSE
        yield Diagnosis(
            "token-malformed", weight, f"The {kind} as given {slip}.",
            f"The header is `Authorization: {scheme} <token>`: the word in exactly this case, one blank, the bare "
            "token. Correct what the device has.",
        )  # fmt: skip


def _target_token(facts: Facts) -> Iterator[Diagnosis]:
    secret, own = facts.presented.secret, facts.target.token if facts.target is not None else None
    if own is not None and _equal(own, secret):
        return
    owner = next((one.controller_id for one in facts.others if secret and one.token == secret), facts.controller_id)
    if owner != facts.controller_id:
        yield _of_another(facts, owner)
    elif facts.exists is False and is_possible(facts.controller_id):
        yield _unknown_target(facts)
    elif facts.target is not None and facts.target.token is not None and not _equal(facts.target.token, secret):
        yield _differs(facts, facts.target.token)


def _of_another(facts: Facts, owner: str) -> Diagnosis:
    own = "which has another one" if facts.exists else "which there is none of"
    return Diagnosis(
        "token-of-another", Weight.CAUSE,
        f"This token is that of target {quoted(owner)}, not of {quoted(facts.controller_id)}, {own}.",
        f"Let the device call itself {quoted(owner)}, or give it the token of a target of its own.",
    )  # fmt: skip


def _unknown_target(facts: Facts) -> Diagnosis:
    body = [{"controllerId": facts.controller_id, "securityToken": SECRET}]
    return Diagnosis(
        "unknown-target", Weight.CAUSE,
        f"Tenant {facts.tenant} has no target {quoted(facts.controller_id)}, and a target token never creates one "
        f"(only gateway tokens and certificates do).{hint(facts)}",
        "Correct the id, or create the target with the device's token.",
        facts.shell.curl("POST", "/rest/v1/targets", body),
    )  # fmt: skip


def _differs(facts: Facts, stored: str) -> Diagnosis:
    secret, path = facts.presented.secret, f"/rest/v1/targets/{quote(facts.controller_id, safe='')}"
    return Diagnosis(
        "token-differs", Weight.CAUSE,
        f"The target exists, but its token is another one{_but_for(stored, secret)}: the device has "
        f"{masked(Kind.TARGET_TOKEN, secret)}, the server {masked(Kind.TARGET_TOKEN, stored)}.",
        "Put the server's token on the device, or give the server the device's; the old one ends at once.",
        facts.shell.curl("PUT", path, {"securityToken": SECRET}),
    )  # fmt: skip


def _gateway_token(facts: Facts) -> Iterator[Diagnosis]:
    secret, key = facts.presented.secret, facts.config.gateway_key if facts.config is not None else None
    if key == "":
        yield Diagnosis(
            "gateway-key-empty", Weight.CAUSE,
            f"Tenant {facts.tenant} has no gateway key. The server never makes one, and lets nobody in without it.",
            "Set it to the token that the device has.",
            facts.shell.curl("PUT", CONFIGS + GATEWAY_KEY, {"value": SECRET}),
        )  # fmt: skip
    elif key is not None and not _equal(key, secret):
        yield Diagnosis(
            "gateway-key-differs", Weight.CAUSE,
            f"The gateway key of tenant {facts.tenant} is another one{_but_for(key, secret)}: the device has "
            f"{masked(Kind.GATEWAY_TOKEN, secret)}, the server {masked(Kind.GATEWAY_TOKEN, key)}.",
            "Give the device the server's key. Changing the server's instead locks out all other devices that use it.",
            facts.shell.curl("GET", CONFIGS + GATEWAY_KEY),
        )  # fmt: skip


def _wrong_kind(facts: Facts) -> Iterator[Diagnosis]:
    """The right secret under the wrong word."""
    kind, secret = facts.presented.kind, facts.presented.secret
    key = facts.config.gateway_key if facts.config is not None else None
    token = facts.target.token if facts.target is not None else None
    if not secret or key == token or secret not in {key, token}:
        return
    really = Kind.GATEWAY_TOKEN if secret == key else Kind.TARGET_TOKEN
    if really is kind:
        return
    whose = "the gateway key of the tenant" if really is Kind.GATEWAY_TOKEN else "the token of this very target"
    state = "is on" if facts.mode_is_on(really) else "is off and has to be turned on"
    yield Diagnosis(
        "wrong-kind", Weight.CAUSE,
        f"What the device sends as {kind} is {whose} ({masked(really, secret)}).",
        f"Let the device send `Authorization: {SCHEMES[really]} …`; that way in {state}.",
    )  # fmt: skip


def _equal(stored: str, presented: str) -> bool:
    """Exactly, but for blanks at the end, which no header keeps (§3.1)."""
    return stored == presented.rstrip(" ")


def _but_for(stored: str, presented: str) -> str:
    if stored.strip() == presented.strip(f"{QUOTES} \r\n\t"):
        return " but for blanks or quotes"
    return " in case only" if stored.casefold() == presented.casefold() else ""
