"""KEYS-V1 and KEYS-V2: keystores read and changed over the air (spec 3.4). Bodies are JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fleetrig.simulator.certificates.names import distinguished_name
from fleetrig.simulator.effects import draw_token
from fleetrig.simulator.flows.kura.keystore import (
    CERTIFICATE,
    PRIVATE_KEY,
    SEED_BYTES,
    Entry,
    GatewayKey,
    Stores,
    UnknownAlgorithm,
    certificate_pem,
    keep_stores,
    key_pem,
    make_key,
    read_certificate,
    read_key,
    self_signed,
    signing_request,
    stores_of,
    trusted,
)
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.requests import (
    Answer,
    Handling,
    Request,
    bad_argument,
    bad_request,
    failed,
    not_offered,
)

STORE, ALIAS = "keystoreServicePid", "alias"
KEYSTORES, ENTRIES, ENTRY = "keystores", "entries", "entry"
STORE_FORMAT: Final = "pkcs12"
SIZE: Final = re.compile(r"-?[0-9]{1,6}")
SAN_KINDS: Final[dict[type[x509.GeneralName], int]] = {
    x509.RFC822Name: 1,
    x509.DNSName: 2,
    x509.UniformResourceIdentifier: 6,
    x509.IPAddress: 7,
}


def handle_keys(life: GatewayLife, request: Request) -> Handling:
    match request.method:
        case "GET":
            return _get(life, request)
        case "POST":
            return _post(life, request)
        case "DEL":
            return _delete(life, request)
        case _:
            raise not_offered(request.method)


def handle_keys_v2(life: GatewayLife, request: Request) -> Handling:
    """It also knows `privatekey`."""
    if request.method == "POST" and request.resources == (KEYSTORES, ENTRIES, "privatekey") and request.body:
        return _store_private_key(life, request)
    return handle_keys(life, request)


def _get(life: GatewayLife, request: Request) -> Handling:
    yield from ()
    stores = stores_of(life)
    match request.resources:
        case ("keystores",):
            return _json([{STORE: name, "type": STORE_FORMAT, "size": len(of)} for name, of in stores.items()])
        case ("keystores", "entries"):
            return _json(list(_entries(stores, request)))
        case ("keystores", "entries", "entry"):
            name, alias = _both(_document(request))
            return _json(_described(name, alias, _found(stores, name, alias), whole=True))
        case _:
            raise bad_request()


def _entries(stores: Stores, request: Request) -> Iterator[dict[str, Any]]:
    """Without a body all of them, and then without the certificates themselves."""
    if not request.body:
        for name, entries in stores.items():
            for alias, entry in entries.items():
                yield _described(name, alias, entry, whole=False)
        return
    wanted = _document(request)
    if wanted.get(STORE) is None and wanted.get(ALIAS) is not None:
        for name, entries in stores.items():
            if isinstance(wanted[ALIAS], str) and wanted[ALIAS].lower() in entries:
                yield _described(name, wanted[ALIAS], entries[wanted[ALIAS].lower()], whole=True)
        return
    store = wanted.get(STORE)
    if not isinstance(store, str) or store not in stores:
        raise failed()
    for alias, entry in stores[store].items():
        yield _described(store, alias, entry, whole=True)


def _post(life: GatewayLife, request: Request) -> Handling:
    if len(request.resources) != 3 or not request.body or request.resources[:2] != (KEYSTORES, ENTRIES):
        raise bad_request()
    match request.resources[2]:
        case "csr":
            return _make_request(life, request)
        case "certificate":
            return _store_certificate(life, request)
        case "keypair":
            return _make_key_pair(life, request)
        case _:
            raise bad_request()


def _store_certificate(life: GatewayLife, request: Request) -> Handling:
    document = _document(request)
    name, alias, pem = _all_of(document, STORE, ALIAS, "certificate")
    stores = stores_of(life)
    try:
        entry = trusted(certificate_pem(read_certificate(pem)))
        stores[name][_alias(alias)] = entry
    except (ValueError, KeyError):
        raise failed() from None
    yield from keep_stores(life, stores)
    return Answer()


def _make_key_pair(life: GatewayLife, request: Request) -> Handling:
    document = _document(request)
    name, alias, algorithm, signature, attributes = _all_of(
        document, STORE, ALIAS, "algorithm", "signatureAlgorithm", "attributes"
    )
    size = _size(document)
    if not attributes:
        raise bad_argument()
    subject = _subject(attributes)
    drawn = yield from draw_token("key", SEED_BYTES)
    at_us = yield from life.clock_us()
    stores = stores_of(life)
    if name not in stores:
        raise failed()
    try:
        key = make_key(algorithm, size, drawn)
        certificate = certificate_pem(self_signed(key, subject, signature, at_us))
    except UnknownAlgorithm:
        raise bad_argument() from None
    except (ValueError, OverflowError):
        raise failed() from None
    stores[name][_alias(alias)] = {"type": PRIVATE_KEY, "key": key_pem(key), "chain": [certificate]}
    yield from keep_stores(life, stores)
    return Answer()


def _size(document: dict[str, Any]) -> int:
    """Of a key, as a number or as a text that is one; without it, and with 0, the request is no good."""
    size = document.get("size", 0)
    if isinstance(size, str) and SIZE.fullmatch(size):
        size = int(size)
    if not isinstance(size, int) or isinstance(size, bool):
        raise failed()
    if size == 0:
        raise bad_request()
    if size < 0:
        raise bad_argument()
    return size


def _make_request(life: GatewayLife, request: Request) -> Handling:
    """The answer is a bare JSON string (KURA-#3387). Nothing looks at its members before they are needed."""
    yield from ()
    document = _document(request)
    name, alias, algorithm, attributes = (
        document.get(word) for word in (STORE, ALIAS, "signatureAlgorithm", "attributes")
    )
    stores = stores_of(life)
    if not isinstance(name, str) or name not in stores or not isinstance(attributes, str):
        raise failed()
    if not isinstance(alias, str) or not isinstance(algorithm, str):
        raise bad_argument()
    subject = _subject(attributes) if attributes else x509.Name([])
    key = _key_of(_found(stores, name, alias))
    try:
        return _json(signing_request(key, subject, algorithm))
    except UnknownAlgorithm:
        raise bad_argument() from None
    except ValueError:
        raise failed() from None


def _store_private_key(life: GatewayLife, request: Request) -> Handling:
    """Without a key it is the chain of one that is there which is replaced."""
    document = _document(request)
    name, alias = _all_of(document, STORE, ALIAS)
    chain, given = document.get("certificateChain"), document.get("privateKey")
    if not chain:
        raise bad_request()
    if not isinstance(chain, list) or not all(isinstance(one, str) for one in chain):
        raise failed()
    stores = stores_of(life)
    try:
        key = read_key(given) if isinstance(given, str) else _key_of(_found(stores, name, alias))
        certificates = [read_certificate(one) for one in chain]
        if not _fits(certificates[0], key, is_new=given is not None):
            raise ValueError("the chain does not fit the key")
        stores[name][_alias(alias)] = {
            "type": PRIVATE_KEY, "key": key_pem(key), "chain": [certificate_pem(one) for one in certificates],
        }  # fmt: skip
    except (ValueError, KeyError):
        raise failed() from None
    yield from keep_stores(life, stores)
    return Answer()


def _fits(certificate: x509.Certificate, key: GatewayKey, *, is_new: bool) -> bool:
    """Of a key that is there already, a gateway looks only whether it is of the same kind."""
    if is_new:
        return certificate.public_key() == key.public_key()
    return isinstance(certificate.public_key(), rsa.RSAPublicKey) is isinstance(key, rsa.RSAPrivateKey)


def _delete(life: GatewayLife, request: Request) -> Handling:
    """What is not there is deleted as well."""
    if request.resources != (KEYSTORES, ENTRIES) or not request.body:
        raise bad_request()
    name, alias = _both(_document(request, otherwise_bad=True))
    stores = stores_of(life)
    if name not in stores:
        raise failed()
    if stores[name].pop(alias.lower(), None) is not None:
        yield from keep_stores(life, stores)
    return Answer()


def _document(request: Request, *, otherwise_bad: bool = False) -> dict[str, Any]:
    """What cannot be read ends as an exception of the handler's own: 500, except where it is looked at first."""
    try:
        read = json.loads(request.body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise bad_request() if otherwise_bad else failed()
    return read


def _all_of(document: dict[str, Any], *names: str) -> tuple[str, ...]:
    """They must be there; whether they may be empty is found out later."""
    values = tuple(document.get(name) for name in names)
    if any(value is None for value in values):
        raise bad_request()
    if not all(isinstance(value, str) for value in values):
        raise failed()
    return tuple(map(str, values))


def _alias(alias: str) -> str:
    """As keystores keep it: in small letters, and there must be one."""
    if not alias:
        raise bad_argument()
    return alias.lower()


def _both(document: dict[str, Any]) -> tuple[str, str]:
    name, alias = _all_of(document, STORE, ALIAS)
    return name, alias


def _subject(attributes: str) -> x509.Name:
    """Its parts in the order in which they are written."""
    try:
        name = distinguished_name(",".join(part.strip() for part in attributes.split(",")))
    except ValueError:
        raise bad_argument() from None
    return x509.Name(reversed(list(name.rdns)))


def _found(stores: Stores, name: str, alias: str) -> Entry:
    """A store or an entry that is not there is a 500 here (spec 6, 7)."""
    if alias.lower() not in stores.get(name, {}):
        raise failed()
    return stores[name][alias.lower()]


def _key_of(entry: Entry) -> GatewayKey:
    if entry["type"] != PRIVATE_KEY:
        raise failed()
    return read_key(str(entry["key"]))


def _described(name: str, alias: str, entry: Entry, *, whole: bool) -> dict[str, Any]:
    """`whole`: with the certificates themselves."""
    where = {"type": entry["type"], STORE: name, ALIAS: alias}
    if entry["type"] == CERTIFICATE:
        shown = {"certificate": entry["certificate"]} if whole else {}
        return {**_of_certificate(read_certificate(str(entry["certificate"]))), **shown, **where}
    key = read_key(str(entry["key"]))
    kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC"
    shown = {"certificateChain": entry["chain"]} if whole else {}
    return {"algorithm": kind, "size": key.key_size, **shown, **where}


def _of_certificate(certificate: x509.Certificate) -> dict[str, Any]:
    names = [part.rfc4514_string() for part in reversed(certificate.subject.rdns)]
    found: dict[str, Any] = {"subjectDN": ", ".join(names)}
    if other := list(_alternative_names(certificate)):
        found["subjectAN"] = other
    key = certificate.public_key()
    sized = key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0
    return {
        **found,
        "issuer": certificate.issuer.rfc4514_string(),
        "startDate": int(certificate.not_valid_before_utc.timestamp() * 1_000),
        "expirationDate": int(certificate.not_valid_after_utc.timestamp() * 1_000),
        "algorithm": _signature_name(certificate),
        "size": sized,
    }


def _signature_name(certificate: x509.Certificate) -> str:
    digest = certificate.signature_hash_algorithm
    if digest is None:
        return "Ed25519"
    kind = "ECDSA" if "ecdsa" in certificate.signature_algorithm_oid._name else "RSA"  # noqa: SLF001
    return f"{digest.name.upper()}with{kind}"


def _alternative_names(certificate: x509.Certificate) -> Iterator[list[Any]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names:
        if type(name) in SAN_KINDS:
            yield [SAN_KINDS[type(name)], str(name.value)]


def _json(document: object) -> Answer:
    return Answer(body=json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))
