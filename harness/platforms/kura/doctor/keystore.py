"""What a gateway's keystore holds: PEM, or the entries as KEYS-V1 and the REST interface list them (spec 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY, certificates_in

DM_KEYSTORE: Final = "DMKeystore"
"""The store of certificates with which control messages are checked."""


class NotKeystore(ValueError):
    """`str()` says what is there instead, to be put after "holds"."""


@dataclass(frozen=True, slots=True)
class KeystoreEntry:
    """A certificate. `alias` empty: the file has none, as PEM."""

    alias: str
    certificate: x509.Certificate


def read_keystore(content: bytes) -> tuple[KeystoreEntry, ...]:
    """Of the DMKeystore, if entries say to which store they belong. Raises NotKeystore."""
    if not content.strip():
        return ()
    if b"-----BEGIN" in content and not content.lstrip().startswith((b"[", b"{")):
        try:
            return tuple(KeystoreEntry("", one) for one in certificates_in(content))
        except ValueError as wrong:
            raise NotKeystore(f"no certificates that can be read: {wrong}") from None
    try:
        document = read_json(content)
    except NotJson as wrong:
        raise NotKeystore(f"neither PEM nor a list of entries as JSON: it is {wrong}") from None
    return tuple(_entries(document))


def _entries(document: Any) -> Iterator[KeystoreEntry]:
    """REST puts the list into `keystoreItems`."""
    listed = document.get("keystoreItems") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise NotKeystore("JSON without a list of entries")
    for one in listed:
        if not isinstance(one, dict):
            raise NotKeystore("a list of something else than entries")
        store = str(one.get("keystoreServicePid") or one.get("keystoreId") or DM_KEYSTORE)
        if not store.endswith(DM_KEYSTORE):
            continue
        chain = one.get("certificateChain")
        text = one.get("certificate") or (chain[0] if isinstance(chain, list) and chain else None)
        if not isinstance(text, str):
            raise NotKeystore("entries without their certificates; list them by store (keystoreServicePid)")
        try:
            yield KeystoreEntry(str(one.get("alias") or ""), certificates_in(text.encode())[0])
        except UNREADABLE_BY_LIBRARY as wrong:
            raise NotKeystore(f"an entry whose certificate cannot be read ({wrong})") from None
