"""Facts as a test needs them: a healthy server, a known target, and what the test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.diagnosis import Judgement, Shell, Weight
from fleetrig.harness.platforms.hawkbit.doctor.facts import Account, Config, Facts, Kind, Presented, TargetRecord
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TOKEN, KEY = "token-of-gw-17-0123456789abcdef01", "key-of-the-tenant-0123456789abcdef"
ON = {Kind.TARGET_TOKEN: True, Kind.GATEWAY_TOKEN: True, Kind.CERTIFICATE: True}
USERINFO = b'{"tenant":"DEFAULT","username":"admin","permissions":[]}'
POLL = b'{"config":{"polling":{"sleep":"00:05:00"}},"_links":{"configData":{"href":"http://hawkbit.test:8080/DEFAULT/controller/v1/gw-17/configData"}}}'


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(status, named, body, "GET /")


LET_IN = answer(200, POLL, Content_Type="application/hal+json")
REFUSED = answer(401)
HEALTHY = Facts(
    Shell("http://hawkbit.test:8080", "admin", "${TOKEN}"),
    "DEFAULT",
    "gw-17",
    Presented(Kind.NOTHING),
    NOW,
    skew_s=0.0,
    userinfo=answer(200, USERINFO, Content_Type="application/json"),
    account=Account("admin", "DEFAULT"),
    config=Config(ON, KEY, "Acme CA"),
    exists=True,
    target=TargetRecord("gw-17", TOKEN, "registered", "admin"),
)
CERTIFICATE = CertificateFacts(
    "CN=gw-17", "gw-17", "CN=Acme CA", "Acme CA", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
)


def target_token(token: str = TOKEN) -> Presented:
    return Presented(Kind.TARGET_TOKEN, token)


def gateway_token(key: str = KEY) -> Presented:
    return Presented(Kind.GATEWAY_TOKEN, key)


def certificate(**changes: Any) -> Presented:
    """`authority` and `has_key` are of what is presented, the rest of the certificate."""
    about = {name: changes.pop(name) for name in ("authority", "has_key") if name in changes}
    return Presented(Kind.CERTIFICATE, certificate=replace(CERTIFICATE, **changes), **about)


def given(presented: Presented, asked: Answer | None = None, **otherwise: Any) -> Facts:
    """`modes` and `key` and `authority` are short for a config; without a target there is no record of it."""
    config = Config(
        otherwise.pop("modes", ON), otherwise.pop("key", KEY), otherwise.pop("authority", "Acme CA"),
        otherwise.pop("changed_at_ms", 0),
    )  # fmt: skip
    facts = replace(HEALTHY, presented=presented, answer=asked, config=config)
    if otherwise.get("exists", True) is not True:
        facts = replace(facts, target=None)
    return replace(facts, **otherwise)


def off(*kinds: Kind) -> dict[Kind, bool | None]:
    return {kind: kind not in kinds for kind in ON}


def names(judgement: Judgement, *, notes: bool = False) -> list[str]:
    """The diagnoses in their order on the page."""
    return [one.name for one in judgement.diagnoses if notes or one.weight is not Weight.NOTE]


def judged(presented: Presented, asked: Answer | None = None, **otherwise: Any) -> Judgement:
    return judge(given(presented, asked, **otherwise))
