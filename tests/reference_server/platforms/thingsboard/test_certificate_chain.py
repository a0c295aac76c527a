"""X509_CERTIFICATE_CHAIN (fact sheet 2.4): what a handshake comes to, and whom the CONNECT after it lets in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.thingsboard.mqtt.peer_certificates import chain_flaw, text_of
from fleetrig.reference_server.platforms.thingsboard.state.attributes import PROVISION_STATE, attribute
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials, sha3
from fleetrig.reference_server.platforms.thingsboard.state.devices import save_credentials
from fleetrig.reference_server.platforms.thingsboard.state.events import EventType, events_of
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CredentialsType,
    ProvisionType,
    Scope,
)
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.certificates.profile import DAY_US, Validity
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.mqtt import MqttPingreq
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, V5, MqttRig, of_generation

MONTH = Validity.days(VIRTUAL_EPOCH_US, 30)
LAST_WEEK = Validity.from_us(VIRTUAL_EPOCH_US - 9 * DAY_US, VIRTUAL_EPOCH_US - 2 * DAY_US)
NEXT_WEEK = Validity.from_us(VIRTUAL_EPOCH_US + 2 * DAY_US, VIRTUAL_EPOCH_US + 9 * DAY_US)


@dataclass
class Made:
    """A certificate and its key."""

    der: bytes
    key: CertificateIssuerPrivateKeyTypes
    name: x509.Name


def made(
    name: str,
    signer: Made | None = None,
    validity: Validity = MONTH,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    **signing: Any,
) -> Made:
    own = key or ec.generate_private_key(ec.SECP256R1())
    issuer_key = own if signer is None else signer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(name) if signer is None else signer.name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.begin)
        .not_valid_after(validity.end)
    )
    digest = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(issuer_key, digest, **signing)
    return Made(certificate.public_bytes(Encoding.DER), own, certificate.subject)


@dataclass
class ChainRig(MqttRig):
    """With an authority that backs the profile X, and one whose profile XO creates no devices."""

    pattern: str = "(.*)"
    ca: Made = field(default_factory=lambda: made("ca"))
    ca_off: Made = field(default_factory=lambda: made("ca off"))

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, authority, creates in (("X", self.ca, True), ("XO", self.ca_off, False)):
            more = {"certificateRegExPattern": self.pattern, "allowCreateNewDevicesByX509Certificate": creates}
            self.profile(name, ProvisionType.CERTIFICATE_CHAIN, sha3(text_of(authority.der)), "PEM", **more)

    def shake(self, *chain: Made, session: int = 1) -> TlsAlert | None:
        shown = tuple(one.der for one in chain)
        return self.server.handshake(Session(id=session, listener="mqtts", certificates=shown), self.now_us)

    def comes(self, *chain: Made, session: int = 1, **fields: Any) -> list[str]:
        """Shakes hands, which must go well, and says CONNECT."""
        assert self.shake(*chain, session=session) is None
        return self.join(session, certificates=tuple(one.der for one in chain), **fields)

    def holds(self, name: str, leaf: Made) -> bool:
        device = self.named(name)
        return device is not None and self.credentials(device).value == text_of(leaf.der)


@pytest.fixture
def rig() -> ChainRig:
    return ChainRig()


def test_a_device_is_created_by_its_chain(rig: ChainRig) -> None:
    leaf = made("dev1", rig.ca)
    assert rig.comes(leaf, rig.ca) == ["1 CONNACK 0"]
    assert rig.publish(TELEMETRY, {"a": 1}) == ["1 PUBACK"]
    device = rig.named("dev1")
    assert device is not None
    assert device.type == "X"
    assert rig.credentials(device).credentials_id == sha3(text_of(leaf.der))
    state = attribute(rig.registry, device.id, Scope.SERVER, PROVISION_STATE)
    assert state is not None
    assert state.value == "provisioned"
    created, provisioned = events_of(rig.registry, device.id)
    assert (created.type, provisioned.type) == (EventType.ENTITY_CREATED, EventType.PROVISION_SUCCESS)
    assert provisioned.body["credentialsData"]["x509CertHash"] == text_of(leaf.der)
    assert "device created by a certificate chain" in [event.name for event in rig.events]


def test_a_known_leaf_needs_no_chain(rig: ChainRig) -> None:
    leaf = made("dev1", rig.ca)
    rig.comes(leaf, rig.ca)
    assert rig.comes(leaf, session=2) == ["2 CONNACK 0"]


def test_user_name_password_and_client_id_are_looked_over(rig: ChainRig) -> None:
    fields: dict[str, Any] = {"user_name": "some", "password": "thing", "client_id": "any"}
    assert rig.comes(made("d", rig.ca), rig.ca, **fields) == ["1 CONNACK 0"]


def test_a_new_leaf_takes_the_place_of_the_old_one_and_back(rig: ChainRig) -> None:
    old, new = made("dev1", rig.ca), made("dev1", rig.ca)
    rig.comes(old, rig.ca, session=1)
    assert rig.comes(new, rig.ca, session=2) == ["1 closed", "2 CONNACK 0"]
    assert rig.after(1) == []
    assert rig.say(2, MqttPingreq()) == ["2 PINGRESP"]
    assert rig.comes(old, session=3) == ["3 CONNACK 5", "3 closed"]
    assert rig.comes(old, rig.ca, session=4) == ["2 closed", "4 CONNACK 0"]
    assert rig.holds("dev1", old)


def test_a_device_of_another_kind_of_credentials_stays_as_it_is(rig: ChainRig) -> None:
    rig.comes(made("dev1", rig.ca), rig.ca)
    device = rig.named("dev1")
    assert device is not None
    save_credentials(rig.registry, rig.credentials(device), FormedCredentials(CredentialsType.ACCESS_TOKEN, "T"))
    assert rig.comes(made("dev1", rig.ca), rig.ca, session=2)[-2:] == ["2 CONNACK 5", "2 closed"]
    assert rig.credentials(device).credentials_id == "T"


def test_who_finds_no_device_is_refused_at_the_connect(rig: ChainRig) -> None:
    rig.token("taken")
    chains = [
        (made("dev8", rig.ca),),  # a leaf alone
        (made("devo", rig.ca_off), rig.ca_off),  # its profile creates none
        (made("stranger"), made("stranger's ca")),
    ]
    assert rig.shake(*chains[2]) is TlsAlert.CERTIFICATE_UNKNOWN
    root = made("root")
    chains[2] = (made("stranger", root), root)
    chains.append((made("taken", rig.ca), rig.ca))  # a device of another profile has its name
    for number, chain in enumerate(chains, 1):
        assert rig.comes(*chain, session=number) == [f"{number} CONNACK 5", f"{number} closed"]
    assert rig.comes(*chains[0], session=9, version=V5) == ["9 CONNACK 135", "9 DISCONNECT 135", "9 closed"]
    assert [rig.named(name) for name in ("dev8", "devo", "stranger")] == [None] * 3
    assert all(rig.reasons())


def test_a_device_of_another_chain_profile_is_no_device_of_this_one(rig: ChainRig) -> None:
    first, other_ca = made("dev1", rig.ca), made("other ca")
    rig.comes(first, rig.ca)
    more = {"certificateRegExPattern": "(.*)", "allowCreateNewDevicesByX509Certificate": True}
    rig.profile("Y", ProvisionType.CERTIFICATE_CHAIN, sha3(text_of(other_ca.der)), "PEM", **more)
    assert rig.comes(made("dev1", other_ca), other_ca, session=2) == ["2 CONNACK 5", "2 closed"]
    assert rig.holds("dev1", first)


def test_an_authority_above_the_one_of_the_profile_need_not_be_shown(rig: ChainRig) -> None:
    between = made("between", rig.ca)
    assert rig.comes(made("dev1", between), between, rig.ca) == ["1 CONNACK 0"]


@pytest.mark.parametrize(
    ("pattern", "common_name", "name"),
    [
        (r"(.*)@acme", "dev1@acme", "dev1"),
        (r"(.*)@acme", "dev1@other", None),
        (r"d(\d+)", "xd12d34", "12"),
        (r".*", "dev1", None),  # no group
        (r"(", "dev1", None),  # no pattern
    ],
)
def test_the_name_is_the_first_group_of_the_pattern(pattern: str, common_name: str, name: str | None) -> None:
    rig = ChainRig(pattern=pattern)
    heard = rig.comes(made(common_name, rig.ca), rig.ca)
    assert heard == (["1 CONNACK 5", "1 closed"] if name is None else ["1 CONNACK 0"])
    assert name is None or rig.named(name) is not None


@pytest.mark.parametrize("validity", [LAST_WEEK, NEXT_WEEK])
def test_dates_of_the_leaf_count_at_the_connect(rig: ChainRig, validity: Validity) -> None:
    leaf = made("dev1", rig.ca, validity)
    assert rig.comes(leaf, rig.ca) == ["1 CONNACK 5", "1 closed"]
    assert rig.named("dev1") is not None


def test_dates_and_names_of_authorities_do_not_count(rig: ChainRig) -> None:
    other_name = Made(rig.ca.der, rig.ca.key, named("another name"))
    assert rig.comes(made("dev1", other_name), rig.ca) == ["1 CONNACK 0"]


def test_what_is_no_chain_ends_the_handshake(rig: ChainRig) -> None:
    assert rig.shake(made("dev9", made("ca2")), rig.ca) is TlsAlert.CERTIFICATE_UNKNOWN
    assert rig.shake(Made(b"no certificate", rig.ca.key, rig.ca.name), rig.ca) is TlsAlert.BAD_CERTIFICATE
    assert rig.named("dev9") is None
    assert len(rig.reasons()) == 2


@pytest.mark.parametrize("listener", ["https", "coaps"])
def test_over_other_protocols_a_chain_is_not_looked_at(rig: ChainRig, listener: str) -> None:
    shown = (made("dev1", made("ca2")).der, rig.ca.der)
    session = Session(id=1, listener=listener, certificates=shown)
    assert rig.server.handshake(session, rig.now_us) is None


def test_a_session_to_provision_creates_by_its_chain_too_and_is_answered_on_its_merits(rig: ChainRig) -> None:
    assert rig.comes(made("dev1", rig.ca), rig.ca, user_name="provision") == ["1 CONNACK 0"]
    assert rig.named("dev1") is not None
    assert "NOT_FOUND" in rig.request(key="nobody", qos=0)[0]


def test_before_3_5_chains_are_nobodys_business() -> None:
    old = of_generation(Profile.OLD)
    rig = ChainRig(settings=old.settings)
    assert rig.comes(made("dev1", rig.ca), rig.ca) == ["1 CONNACK 5", "1 closed"]
    assert rig.named("dev1") is None


@pytest.mark.parametrize("kind", ["rsa", "rsa-pss", "ec", "ed25519"])
def test_signatures_of_all_kinds_are_understood(kind: str) -> None:
    signing: dict[str, Any] = {}
    key: CertificateIssuerPrivateKeyTypes
    match kind:
        case "ec":
            key = ec.generate_private_key(ec.SECP384R1())
        case "ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
        case _:
            key = rsa.generate_private_key(65537, 2048)
    if kind == "rsa-pss":
        signing["rsa_padding"] = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    authority = made("ca", key=key)
    leaf = made("leaf", authority, **signing)
    assert chain_flaw([leaf.der, authority.der]) == ""
    assert "certificate 1" in chain_flaw([leaf.der, made("other").der])
