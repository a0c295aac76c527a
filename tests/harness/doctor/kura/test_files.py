"""Files alone: what is wrong with a configuration, a chain or a message, and that the advice cures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetrig.reference_server.platforms.kura.payload.payload import int32, octets, string
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.harness.doctor.kura.conftest import Doctor
from tests.harness.doctor.kura.material import (
    ASKING,
    DOUBLE,
    IDS,
    authority,
    configurations,
    connected,
    days,
    entries,
    hexed,
    provisioning,
    signed_hex,
)

ROOT, OTHER_ROOT = authority(), authority("Other root")
BELOW = ROOT.authority_below("Intermediate")
LEAF = BELOW.authority_below("Signer")
EXPIRED = authority("Expired", validity=days(-20, -10))
SHORT = ROOT.authority_below("Gone", validity=days(-20, -10))
FORGED = authority("Root")
"""Another key under the root's name."""
OF_FORGED = FORGED.authority_below("Intermediate")
Options = tuple[str, ...]
Make = Callable[[Path], Options]


@dataclass(frozen=True)
class SickFile:
    """`sick` is named `name`; `cured` is what the advice makes of it."""

    id: str
    name: str
    sick: Make
    cause: str
    change: str
    cured: Make


def config(components: object, *more: str, prefix: str = "esf") -> Make:
    def make(folder: Path) -> Options:
        return "--configuration", written(folder, configurations(components, prefix)), *more  # type: ignore[arg-type]

    return make


def written(folder: Path, content: str | bytes) -> str:
    path = folder / f"{len(list(folder.iterdir()))}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def message(topic: str, payload: str | Callable[[], str] | None = None, *more: str) -> Make:
    def make(_: Path) -> Options:
        text = payload() if callable(payload) else payload
        return "--topic", topic, *(("--payload", text) if text is not None else ()), *more

    return make


def fresh(
    authority: CertificateAuthority, alias: str, request: str, client_id: str, after_s: float = 0.0
) -> Callable[[], str]:
    """Signed when the test runs, which may be long after it was collected."""
    return lambda: signed_hex(authority, alias, request, client_id, after_s)


def chain(*listed: object, trusted: object = None, more: Options = ()) -> Make:
    def make(folder: Path) -> Options:
        pem = b"".join(one if isinstance(one, bytes) else one.certificate_pem for one in listed)  # type: ignore[attr-defined]
        trust = () if trusted is None else ("--trust", written(folder, trusted.certificate_pem))  # type: ignore[attr-defined]
        return "--chain", written(folder, pem), *trust, *more

    return make


def keystore(make: Make, content: str, *more: str) -> Make:
    return lambda folder: (*make(folder), "--keystore", written(folder, content), *more)


def moving(make: Make, *known: tuple[str, object]) -> Make:
    """To the instance that signs with `LEAF`."""

    def made(folder: Path) -> Options:
        signer = ("--signer", written(folder, LEAF.certificate_pem))
        return *make(folder), *signer, "--keystore", written(folder, entries(*known))  # type: ignore[arg-type]

    return made


def put(body: str, *more: str) -> Make:
    return message("$EDC/acct/gw-1/CONF-V1/PUT/configurations", hexed(IDS, body.encode()), "--client-id", "gw-1", *more)


GET = "$EDC/acct/gw-1/CONF-V1/GET/configurations"
ASK = "$EDC/ec-provisioning/gw-1/PROV-SIM1/POST/request"
REPLY = "$EDC/acct/SRV-1/CONF-V1/REPLY/42"
GOOD = hexed(IDS)
TWO = {**provisioning(), "ProvisioningService-second": provisioning()["ProvisioningService"]}
ELSEWHERE = {**provisioning(),
    "ProvisioningService-second": provisioning(broker_url="mqtts://127.0.0.2:8883")["ProvisioningService"]}  # fmt: skip
FLAGS = {"ProvisioningService": {"enabled": "true", "provisioned": "false"}}
HALF = {"ProvisioningService": {"enabled": "true"}}
MOVED = {"MqttDataTransport": {"broker-url": "mqtts://127.0.0.9:8883", "topic.context.account-name": "other"}}

SETTINGS = [
    SickFile("not enabled", "not-enabled", config(provisioning(enabled="false")), "is not enabled",
             "Set enabled to true",
             config(provisioning())),
    SickFile("provisioned already", "already-provisioned",
             config(provisioning(enabled="false", provisioned="true"), "--for", "provisioning"), "is provisioned",
             "set enabled true and provisioned false", config(provisioning())),
    SickFile("half of the flags", "flags-half-set", config(provisioning(provisioned="true")),
             "and provisioned still is",
             "provisioned to false", config(provisioning())),
    SickFile("no attempts", "retry-max-attempts-invalid", config(provisioning(retry_max_attempts="0")), "no attempt",
             "-1 (for ever)", config(provisioning())),
    SickFile("attempts below -1", "retry-max-attempts-invalid", config(provisioning(retry_max_attempts="-2")), '-2',
             "-1 (for ever)", config(provisioning())),
    SickFile("no interval", "retry-interval-invalid", config(provisioning(retry_interval="0")), "at least 1", "to 60",
             config(provisioning())),
    SickFile("no timeout", "timeout-invalid", config(provisioning(timeout="soon")), "whole number of seconds", "to 60",
             config(provisioning(timeout="60"))),
    SickFile("the library's scheme", "broker-url-scheme", config(provisioning(broker_url="ssl://127.0.0.1:8883")),
             "ssl is none", "mqtts://127.0.0.1:8883", config(provisioning(broker_url="mqtts://127.0.0.1:8883"))),
    SickFile("no scheme", "broker-url-scheme", config(connected({"broker-url": "127.0.0.1:1883"})), "there is none",
             "mqtt or mqtts://127.0.0.1:1883", config(connected({"broker-url": "mqtt://127.0.0.1:1883"}))),
    SickFile("TLS at the plain port", "broker-url-port", config(provisioning(broker_url="mqtts://127.0.0.1:1883")),
             "usually that of mqtt", "mqtt://127.0.0.1:1883", config(provisioning(broker_url="mqtt://127.0.0.1:1883"))),
    SickFile("no host", "broker-url-host", config(provisioning(broker_url="mqtts://:8883")), "has no host",
             "mqtts://HOST:8883", config(provisioning())),
    SickFile("own account for the provisioning one", "account-not-provisioning",
             config(provisioning(account_name="acct")), "which all share", "to ec-provisioning",
             config(provisioning())),
    SickFile("the provisioning account for its own", "account-is-provisioning",
             config(connected({"topic.context.account-name": "ec-provisioning"})), "for being provisioned alone",
             "to which the gateway belongs", config(connected())),
    SickFile("as it was delivered", "transport-not-configured",
             config(connected({"broker-url": "mqtt://broker-url:1883/", "topic.context.account-name": "account-name"})),
             "broker-url, topic.context.account-name", "Configure", config(connected())),
    SickFile("does not connect by itself", "no-auto-connect", config(connected(connect_auto__on__startup="false")),
             "connect by itself", "connect.auto-on-startup to true", config(connected())),
    SickFile("two connections", "two-connections-one-instance", config(TWO), "the connection second",
             "another instance",
             config(ELSEWHERE)),
    SickFile("no ProvisioningService", "provisioning-not-configured", config(connected(), "--for", "provisioning"),
             "no ProvisioningService", "Configure it", config({**connected(), **provisioning()}, "--for",
             "provisioning")),
    SickFile("another prefix", "configuration-prefix", config(provisioning(), prefix="cfg"), "prefix esf:",
             "esf:configurations", config(provisioning())),
    SickFile("no MAC", "mac-malformed", lambda _: ("--mac", "00:60:0c", "--serial", "SN1"), "no MAC address",
             "six bytes in hex", lambda _: ("--mac", "00:60:0c:aa:bb:cc", "--serial", "SN1")),
    SickFile("a client id that no registry takes", "client-id-forbidden", lambda _: ("--client-id", "gw,1"), "holds ,",
             "to gw-1", lambda _: ("--client-id", "gw-1")),
]  # fmt: skip

CHAINS = [
    SickFile("shuffled", "chain-order", chain(LEAF, ROOT, BELOW, trusted=ROOT), "though its issuer is there",
             "leaf first", chain(LEAF, BELOW, ROOT, trusted=ROOT)),
    SickFile("root first", "chain-order", chain(ROOT, BELOW, LEAF, trusted=ROOT), "was not issued by the one after it",
             "root last", chain(LEAF, BELOW, ROOT, trusted=ROOT)),
    SickFile("one is missing", "chain-gap", chain(LEAF, ROOT, trusted=ROOT), "is not there", "Add it",
             chain(LEAF, BELOW, ROOT, trusted=ROOT)),
    SickFile("expired", "chain-expired", chain(SHORT, ROOT, trusted=ROOT), "expired on", "Renew it",
             chain(BELOW, ROOT, trusted=ROOT)),
    SickFile("without root", "chain-without-root", chain(LEAF, BELOW, trusted=OTHER_ROOT), "neither in the chain",
             "Load that issuer", chain(LEAF, BELOW, trusted=ROOT)),
    SickFile("untrusted root", "root-untrusted", chain(LEAF, BELOW, ROOT, trusted=OTHER_ROOT),
             "not in the gateway's trust",
             "SSLKeystore", chain(LEAF, BELOW, ROOT, trusted=ROOT)),
    SickFile("self-signed", "chain-self-signed", chain(OTHER_ROOT, trusted=ROOT), "issued by itself",
             "into its trust store", chain(OTHER_ROOT, trusted=OTHER_ROOT)),
    SickFile("forged", "chain-signature", chain(BELOW, FORGED, trusted=FORGED), "was not signed with that one's key",
             "issuer's present certificate", chain(OF_FORGED, FORGED, trusted=FORGED)),
    SickFile("nothing", "chain-empty", chain(b""), "no certificate", "leaf first",
             chain(LEAF, BELOW, ROOT, trusted=ROOT)),
    SickFile("no certificates", "chain-empty", chain(b"garbage", more=("--no-ca-authentication",)),
             "whatever ca-authentication says", "leaf first", chain(LEAF, BELOW, ROOT)),
]  # fmt: skip

MESSAGES = [
    SickFile("JSON for provisioning", "payload-is-json", message(ASK, '7b226d657472696373223a7b7d7d'), "protobuf alone",
             "kura-protobuf", message(ASK, hexed(ASKING))),
    SickFile("no payload", "payload-undecodable", message(GET, "ff00ff"), "is no KuraPayload", "kuradatatypes",
             message(GET, GOOD)),
    SickFile("no request id", "request-id-missing", message(GET, hexed({"requester.client.id": string("SRV-1")})),
             "no metric request.id", "Add request.id", message(GET, GOOD)),
    SickFile("another spelling", "request-id-missing",
             message(GET, hexed({"requestId": string("1"), "requester.client.id": string("SRV-1")})),
             "it has requestId", "Add request.id", message(GET, GOOD)),
    SickFile("a number for a request id", "request-id-type", message(GET, hexed({**IDS, "request.id": int32(42)})),
             "has the type INT32", "as STRING", message(GET, GOOD)),
    SickFile("no requester", "requester-id-missing", message(GET, hexed({"request.id": string("42")})),
             "no metric requester.client.id", "Add requester.client.id", message(GET, GOOD)),
    SickFile("a requester of another type", "requester-id-type",
             message(GET, hexed({**IDS, "requester.client.id": DOUBLE})),
             "has the type DOUBLE", "as STRING", message(GET, GOOD)),
    SickFile("a poisoned queue", "requester-id-wildcard",
             message(GET, hexed({**IDS, "requester.client.id": string("a+b")})),
             "poisoned queue", "without / + and #", message(GET, GOOD)),
    SickFile("an unknown token", "requester-id-wildcard",
             message(GET, hexed({**IDS, "requester.client.id": string("#unknown")})), "poisoned queue",
             "without / + and #", message(GET, GOOD)),
    SickFile("a token", "requester-id-token", message(GET, hexed({**IDS, "requester.client.id": string("#client-id")})),
             "the answer goes to itself", "whoever asks", message(GET, GOOD)),
    SickFile("a slash", "requester-id-slash", message(GET, hexed({**IDS, "requester.client.id": string("a/b")})),
             "another topic", "without / + and #", message(GET, GOOD)),
    SickFile("an unknown application", "application-unknown",
             message("$EDC/acct/gw-1/CONF-V2/GET/configurations", GOOD), "did you mean CONF-V1?", "Correct",
             message(GET, GOOD)),
    SickFile("a method in lower case", "method-lower-case", message("$EDC/acct/gw-1/CONF-V1/get/configurations", GOOD),
             "answers 400", "Write GET", message(GET, GOOD)),
    SickFile("no method", "method-missing", message("$EDC/acct/gw-1/CONF-V1", GOOD), "before the method", "Add one of",
             message(GET, GOOD)),
    SickFile("no such method", "method-unknown", message("$EDC/acct/gw-1/CONF-V1/READ/configurations", GOOD),
             "answers 400", "Write one of", message(GET, GOOD)),
    SickFile("no such resource", "resource-unknown", message("$EDC/acct/gw-1/CONF-V1/GET/configuration", GOOD),
             "answers 404", "GET/configurations", message(GET, GOOD)),
    SickFile("no prefix", "topic-prefix", message("acct/gw-1/CONF-V1/GET/configurations", GOOD), "taken for data",
             "$EDC/acct/gw-1/CONF-V1/GET/configurations", message(GET, GOOD)),
    SickFile("a wildcard", "topic-wildcard", message("$EDC/acct/#client-id/CONF-V1/GET/configurations", GOOD),
             "holds a wildcard", "Write the account", message(GET, GOOD)),
    SickFile("another account", "topic-account", message(GET, GOOD, "--account", "other"), "nobody hears it",
             "$EDC/other", message(GET, GOOD, "--account", "acct")),
    SickFile("colons in the topic", "topic-client-id",
             message("$EDC/acct/00:60:0C:AA:BB:CC/CONF-V1/GET/snapshots", GOOD, "--client-id", "00600CAABBCC"),
             "compared to the letter", "00600CAABBCC",
             message("$EDC/acct/00600CAABBCC/CONF-V1/GET/snapshots", GOOD, "--client-id", "00600CAABBCC")),
    SickFile("somebody else's id", "requester-id-differs",
             message(ASK, hexed({**ASKING, "requester.client.id": string("gw-2")}), "--client-id", "gw-1"),
             "CLIENT_ID_MISMATCH", "client id of the connection", message(ASK, hexed(ASKING), "--client-id", "gw-1")),
    SickFile("a short nonce", "nonce-malformed", message(ASK, hexed({**ASKING, "prov.nonce": octets(b"short")})),
             "has 5 bytes", "16 to 64", message(ASK, hexed(ASKING))),
    SickFile("a nonce as text", "nonce-malformed", message(ASK, hexed({**ASKING, "prov.nonce": string("0" * 32)})),
             "no BYTES", "16 to 64", message(ASK, hexed(ASKING))),
    SickFile("an attempt as text", "attempt-malformed", message(ASK, hexed({**ASKING, "prov.attempt": string("1")})),
             "no INT32", "from 1 on", message(ASK, hexed(ASKING))),
    SickFile("another profile", "profile-unknown", message(ASK, hexed({**ASKING, "prov.profile": string("PROV-V3")})),
             "open profile PROV-SIM1", "Send prov.profile", message(ASK, hexed(ASKING))),
    SickFile("an unknown code", "response-code-unknown", message(REPLY, hexed({"response.code": int32(202)})), "is 202",
             "Send 200", message(REPLY, hexed({"response.code": int32(200)}))),
    SickFile("a code as text", "response-code-missing", message(REPLY, hexed({"response.code": string("200")})),
             "no answer", "INT32", message(REPLY, hexed({"response.code": int32(200)}))),
    SickFile("an answer with ids", "reply-with-ids", message(REPLY, hexed({"response.code": int32(200), **IDS})),
             "takes it for a request", "Leave both out", message(REPLY, hexed({"response.code": int32(200)}))),
]  # fmt: skip

SIGNED = [
    SickFile("not signed", "not-signed", message(GET, GOOD, "--provisioned"), "is not signed", "which signs it",
             message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1"), "--provisioned")),
    SickFile("signed by a stranger", "signer-unknown",
             keystore(message(GET, fresh(ROOT, "dm-2", "CONF-V1/GET/configurations", "gw-1")), entries(("dm-1",
             ROOT))),
             "has dm-1", "under the alias dm-2",
             keystore(message(GET, fresh(ROOT, "dm-2", "CONF-V1/GET/configurations", "gw-1")), entries(("dm-2",
             ROOT)))),
    SickFile("another key", "signature-wrong",
             keystore(message(GET, fresh(OTHER_ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1")),
                      entries(("dm-1", ROOT))), "does not verify", "with the key",
             keystore(message(GET, fresh(OTHER_ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1")),
                      entries(("dm-1", OTHER_ROOT)))),
    SickFile("the whole topic", "signature-of-other-form",
             keystore(message(GET, fresh(ROOT, "dm-1", GET, "gw-1")), entries(("dm-1", ROOT))),
             "right over the whole topic", "Sign what SIG-SIM1 says",
             keystore(message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1")),
                      ROOT.certificate_pem.decode())),
    SickFile("an hour ago", "signature-time",
             keystore(message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1", -3600)),
                      entries(("dm-1", ROOT))), "more than 300 s", "set the clock",
             keystore(message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1", -200)),
                      entries(("dm-1", ROOT)))),
    SickFile("a certificate that is over", "signer-out-of-date",
             keystore(message(GET, fresh(EXPIRED, "dm-1", "CONF-V1/GET/configurations", "gw-1")),
                      entries(("dm-1", EXPIRED))), "counts from", "Load a valid one",
             keystore(message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1")),
                      entries(("dm-1", ROOT)))),
    SickFile("a signature without its time", "signature-incomplete",
             message(GET, hexed({**IDS, "sig.alg": string("Ed25519"), "sig.alias": string("dm-1"),
                                 "sig.value": octets(bytes(64))})), "sig.time (INT64)", "Send all of",
             message(GET, fresh(ROOT, "dm-1", "CONF-V1/GET/configurations", "gw-1"))),
]  # fmt: skip

MOVES = [
    SickFile("before the certificates", "enabled-before-certificates",
             moving(config(provisioning()), ("dm-1", ROOT)), "asked to move already", "Set enabled to false",
             moving(config(provisioning()), ("dm-1", ROOT), ("dm-2", LEAF))),
    SickFile("without the certificates", "dm-certificate-missing",
             moving(config({**connected(), **provisioning(enabled="false", provisioned="true")}), ("dm-1", ROOT)),
             "does not have the certificate of the target", "Load the target's signing certificate",
             moving(config({**connected(), **provisioning(enabled="false", provisioned="true")}), ("dm-2", LEAF))),
    SickFile("half of the flags over the air", "flags-half-set", put(configurations(HALF)),
             "and not provisioned to false",
             "both in one request", put(configurations(FLAGS))),
    SickFile("over the air before the certificates", "enabled-before-certificates",
             moving(put(configurations(FLAGS)), ("dm-1", ROOT)), "asked to move already", "Set enabled to false",
             moving(put(configurations(FLAGS)), ("dm-1", LEAF))),
    SickFile("by its transport", "moves-by-transport", put(configurations(MOVED)), "leaves its instance",
             "Move it by its ProvisioningService", put(configurations(FLAGS))),
    SickFile("no XML", "configuration-malformed", put("enabled=true"), "answers 400", "Send esf:configurations",
             put(configurations(FLAGS))),
    SickFile("another prefix over the air", "configuration-prefix", put(configurations(FLAGS, "cfg")),
             "changes nothing",
             "esf:configurations", put(configurations(FLAGS))),
]  # fmt: skip
ALL = [*SETTINGS, *CHAINS, *MESSAGES, *SIGNED, *MOVES]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id.replace(" ", "-")) for row in ALL])
def test_it_is_named_and_the_advice_works(row: SickFile, doctor: Doctor, tmp_path: Path) -> None:
    page = doctor(*row.sick(tmp_path))
    assert (page.names, page.code != 0) == ([row.name], True)
    assert row.cause in page.one(row.name)["cause"]
    assert row.change in page.one(row.name)["change"]
    assert page.document["asked"] == "nothing as the gateway"

    page = doctor(*row.cured(tmp_path))
    assert page.names == []


def test_the_ids_differ() -> None:
    assert len({row.id for row in ALL}) == len(ALL)
