"""Associations from the first ClientHello to the goodbye, over a network that loses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from trustme import CA, KeyType

from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.fronts.dtls import carrier
from fleetrig.reference_server.fronts.dtls.associations import DtlsAssociations, DtlsLimits
from fleetrig.reference_server.fronts.dtls.engine import DtlsEngine
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey
from tests.certificates import P256, chain_der, of_device
from tests.coap.served import served_coap
from tests.reference_server.fronts.dtls.bench import AUTHORITY, DEVICE, KEYS, Bench, Device

BEFORE, AFTER = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2020, 2120))
KEY = PreSharedKey("dev-1", KEYS["dev-1"])
CERTIFICATE = of_device(AUTHORITY.issue_cert("dev-1", key_type=P256))


def talks(bench: Bench, device: Device, data: bytes = b"are you there?") -> bool:
    before = len(device.came)
    device.client.send(data)
    bench.run()
    return device.came[before:] == [data]


# Handshakes


@pytest.mark.parametrize("key_type", [KeyType.ECDSA, KeyType.RSA])
def test_a_certificate_of_any_authority_reaches_the_server(key_type: KeyType) -> None:
    bench = Bench()
    shown = of_device(CA(key_type=P256).create_child_ca(key_type=P256).issue_cert("dev-1", key_type=key_type))

    device = bench.shaken(shown)

    assert talks(bench, device)
    session = bench.echo.opened[0].session
    assert session.certificates == shown.chain
    assert len(session.certificates) == 2
    assert (session.server_name, session.tls, session.listener, session.id) == ("localhost", True, "coaps", 1)
    assert bench.judge.asked == [session]


def test_a_chain_in_a_wrong_order_arrives_as_it_was_shown() -> None:
    bench = Bench()
    leaf = CA(key_type=P256).create_child_ca(key_type=P256).create_child_ca(key_type=P256).issue_cert("dev-1")
    own, *others = chain_der(leaf)
    shown = ClientCertificate((own, *reversed(others)), leaf.private_key_pem.bytes())

    bench.shaken(shown)

    assert bench.echo.opened[0].session.certificates == shown.chain


def test_a_weak_key_is_for_the_platform_to_refuse() -> None:
    bench = Bench()
    key, name = generate_private_key(65_537, 1_024), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, BEFORE, AFTER)
    own = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    bench.shaken(ClientCertificate((own,), key_pem))

    assert bench.echo.opened[0].session.certificates == (own,)


def test_a_client_without_a_certificate_is_let_in_unasked() -> None:
    bench = Bench()

    device = bench.shaken()

    assert talks(bench, device)
    assert bench.echo.opened[0].session.certificates == ()
    assert bench.judge.asked == []


def test_a_pre_shared_key_names_the_session() -> None:
    bench = Bench()

    device = bench.shaken(KEY)

    assert talks(bench, device)
    assert bench.echo.opened[0].session.psk_identity == "dev-1"
    assert bench.echo.opened[0].session.server_name == "localhost"


@pytest.mark.parametrize("alert", [alert for alert in TlsAlert if alert is not TlsAlert.SILENCE])
def test_the_alert_of_the_server_is_the_one_that_the_device_gets(alert: TlsAlert) -> None:
    bench = Bench()
    bench.judge.alert = alert

    device = bench.shaken(CERTIFICATE)

    assert alert.replace("_", " ").removesuffix(" ca") in str(device.failure)
    assert bench.echo.opened == []
    assert bench.reasons() == []  # the server lane has it


@pytest.mark.parametrize(
    ("shown", "alert"),
    [
        (CERTIFICATE, TlsAlert.SILENCE),
        (PreSharedKey("nobody", b"key"), None),
        (PreSharedKey("dev-1", b"a wrong one"), None),
        (PreSharedKey("dev-1", b"\0" * 400), None),
    ],
)
def test_who_is_not_accepted_in_silence_hears_nothing(shown: PreSharedKey, alert: TlsAlert | None) -> None:
    bench = Bench()
    bench.judge.alert = alert

    device = bench.shaken(shown)

    assert device.failure is None
    assert not device.client.is_open
    assert bench.echo.opened == []


def test_a_wrong_key_is_guessed_when_time_is_up() -> None:
    bench = Bench()
    bench.shaken(PreSharedKey("dev-1", b"a wrong one"))

    bench.server.advance(59.9)
    assert bench.reasons() == []
    bench.server.advance(60.0)

    assert bench.reasons() == ["it did not end its handshake within 60 s; its pre-shared key may be a wrong one"]
    assert bench.server.due_in_s() is None


def test_a_device_that_does_not_trust_the_server_says_so() -> None:
    bench = Bench()

    device = bench.device(trusted=CA(key_type=P256))
    bench.run()

    assert "certificate verify failed: unable to get local issuer certificate" in str(device.failure)
    assert bench.reasons() == [
        "it does not trust the authority of this server's certificate: it sent the alert unknown_ca"
    ]


def test_a_huge_chain_comes_in_fragments() -> None:
    """40 KiB; more than 100 KiB is refused by OpenSSL."""
    bench = Bench()
    leaf = CA(key_type=P256).issue_cert(
        "dev-1", *(f"name-{n:04d}.{'x' * 50}.example" for n in range(600)), key_type=P256
    )
    shown = of_device(leaf)
    assert len(shown.chain[0]) > 40_000

    bench.shaken(shown)

    assert bench.echo.opened[0].session.certificates == shown.chain


def test_a_chain_that_nobody_can_hold_ends_the_handshake() -> None:
    bench = Bench()
    names = (f"name-{n:04d}.{'x' * 55}.example" for n in range(1_500))

    device = bench.shaken(of_device(CA(key_type=P256).issue_cert(*names, key_type=P256)))

    assert not device.client.is_open
    assert bench.reasons() == ["its handshake has a message of more than 100 KiB, or parts that do not fit together"]
    assert bench.server.due_in_s() is None


def test_a_bug_of_the_server_ends_the_handshake_and_is_told() -> None:
    bench = Bench()

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    bench.judge.handshake = bench.judge.psk = broken  # type: ignore[method-assign, assignment]

    assert "internal error" in str(bench.shaken(CERTIFICATE).failure)
    assert not bench.shaken(KEY).client.is_open
    assert [str(bug) for bug in bench.bugs] == ["a bug", "a bug"]


# Cookies


def test_a_client_hello_from_nowhere_leaves_nothing_behind() -> None:
    bench = Bench()
    hello = bench.device(KEY).client.outgoing()[0]

    for port in range(1_000):
        bench.server.datagram(hello, ("127.0.0.1", port), 0.0)

    assert bench.server.due_in_s() is None
    assert len(bench.to_device) == 1_000
    assert all(len(data) < len(hello) for data, _ in bench.to_device)
    del bench.devices[DEVICE]
    assert bench.shaken(KEY).client.is_open


def test_a_cookie_is_of_one_address() -> None:
    bench = Bench()
    device = bench.verified(KEY)
    [with_cookie] = device.client.outgoing()

    bench.server.datagram(with_cookie, ("127.0.0.1", 2), 0.0)

    assert bench.server.due_in_s() is None  # nobody is there
    bench.server.datagram(with_cookie, DEVICE, 0.0)
    assert bench.server.due_in_s() is not None


@pytest.mark.parametrize("tail", [b"\x16", b"x" * 5_000, b"\x16\xfe\xfd" + bytes(8) + b"\1\0", None])
def test_what_a_stranger_leaves_behind_its_hello_is_nobody_elses(tail: bytes | None) -> None:
    bench = Bench()
    [hello] = bench.device(KEY).client.outgoing()

    bench.server.datagram(hello + tail if tail else hello[:60], ("127.0.0.1", 9), 0.0)
    bench.take_sent()

    assert bench.shaken(KEY).client.is_open


def test_a_hello_that_was_said_again_gets_later_sequence_numbers() -> None:
    """Else the client takes the server's flight for records that it has seen (RFC 6347 §4.2.1).

    The client goes on with its own numbers from 2: far below, so that none of them is one that the server has seen.
    """
    bench = Bench()
    device = bench.device(CERTIFICATE)
    [hello] = device.client.outgoing()
    bench.server.datagram(numbered(hello, 40), DEVICE, 0.0)
    bench.carry_to_devices()
    [with_cookie] = device.client.outgoing()

    bench.server.datagram(numbered(with_cookie, 41), DEVICE, 0.0)
    assert {number for data, _ in bench.to_device for number in numbers_of(data)} == set(range(41, 46))
    bench.run()

    assert talks(bench, device)


def test_the_last_of_all_sequence_numbers_is_no_end_of_the_server() -> None:
    bench = Bench()
    device = bench.verified(CERTIFICATE)
    [with_cookie] = device.client.outgoing()

    bench.server.datagram(numbered(with_cookie, (1 << 48) - 1), DEVICE, 0.0)

    assert len(bench.to_device) == 1
    assert bench.bugs == []


def numbered(record: bytes, number: int) -> bytes:
    return record[:5] + number.to_bytes(6, "big") + record[11:]


def numbers_of(datagram: bytes) -> Iterator[int]:
    while datagram:
        yield int.from_bytes(datagram[5:11], "big")
        datagram = datagram[13 + int.from_bytes(datagram[11:13], "big") :]


# The life of an association


def test_the_goodbye_of_a_device_is_answered_and_told() -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)

    device.client.say_goodbye()
    bench.run()

    assert bench.echo.closed == bench.echo.opened
    assert isinstance(device.failure, EOFError)
    assert bench.server.due_in_s() is None


@pytest.mark.parametrize(("ending", "is_told"), [(Ending.CLOSED, True), (Ending.RESET, False), (Ending.SILENCE, False)])
def test_the_server_ends_an_association(ending: Ending, is_told: bool) -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)

    bench.echo.opened[0].close(ending)
    bench.run()

    assert isinstance(device.failure, EOFError) is is_told
    device.client.send(b"still there?")
    bench.run()
    assert (bench.echo.heard, bench.echo.closed, device.came) == ([], [], [])


def test_a_device_that_lost_its_power_comes_back_from_the_same_port() -> None:
    bench = Bench()
    bench.shaken(CERTIFICATE)

    again = bench.shaken(KEY)

    first, second = bench.echo.opened
    assert bench.echo.closed == [first]
    assert talks(bench, again)
    assert second.session.psk_identity == "dev-1"


def test_an_association_lives_on_until_a_new_handshake_is_done() -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)
    bench.device(KEY)  # whoever claims to be at that address
    intruder = bench.devices.pop(DEVICE)
    bench.carry_to_server(intruder)
    bench.take_sent()
    bench.devices[DEVICE] = device

    assert talks(bench, device)
    assert bench.echo.closed == []


def test_old_datagrams_are_heard_once() -> None:
    bench = Bench()
    device = bench.device(CERTIFICATE)
    bench.run()
    assert talks(bench, device)

    for data in [*bench.carried, *reversed(bench.carried)]:
        bench.server.datagram(data, DEVICE, 1.0)
    bench.run()

    assert bench.echo.heard == [b"are you there?"]
    assert talks(bench, device, b"and now?")
    assert len(bench.echo.opened) == 1


def test_what_is_larger_than_a_record_is_lost() -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)

    bench.echo.opened[0].send(b"x" * 20_000)
    bench.run()

    assert device.came == []
    assert talks(bench, device, b"x" * 16_000)


# Time


def test_a_flight_is_sent_again_when_the_platform_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """And when OpenSSL, which counts on the machine's clock, is ready to: the first time it is not."""
    bench = Bench(limits=DtlsLimits(flight_s=9.0))
    asked: list[float] = []

    def send_again(_: DtlsEngine) -> bool:
        asked.append(bench.now_s)
        return len(asked) > 1

    monkeypatch.setattr(DtlsEngine, "send_again", send_again)
    bench.half_open(KEY)
    for bench.now_s in range(59):
        bench.server.advance(bench.now_s)

    assert asked == [9, 10, 29]


# Bounds


def test_the_oldest_of_too_many_half_open_handshakes_gives_way() -> None:
    bench = Bench(limits=DtlsLimits(shaking=3))
    for port in range(10):
        bench.half_open(KEY, ("127.0.0.1", port))

    assert bench.reasons() == ["3 others are in the middle of a handshake"] * 7
    bench.run()
    assert [peer.session.id for peer in bench.echo.opened] == [8, 9, 10]


def test_who_has_been_silent_for_the_longest_time_gives_way() -> None:
    bench = Bench(limits=DtlsLimits(open=2))
    devices = [bench.shaken(KEY, ("127.0.0.1", port)) for port in (1, 2)]
    assert talks(bench, devices[0])

    bench.shaken(KEY, ("127.0.0.1", 3))

    assert [peer.session.id for peer in bench.echo.closed] == [2]
    assert talks(bench, devices[0])


def test_who_says_nothing_for_long_is_forgotten() -> None:
    bench = Bench(limits=DtlsLimits(idle_s=100))
    devices = [bench.shaken(KEY, ("127.0.0.1", port)) for port in (1, 2)]
    bench.now_s = 60.0
    assert talks(bench, devices[0])

    bench.server.advance(100.0)
    assert [peer.session.id for peer in bench.echo.closed] == [2]
    bench.server.advance(160.0)
    assert [peer.session.id for peer in bench.echo.closed] == [2, 1]
    assert bench.server.due_in_s() is None


# Bad input


def test_nobody_ends_or_prolongs_an_association_from_outside() -> None:
    bench = Bench(limits=DtlsLimits(idle_s=100))
    device = bench.shaken(CERTIFICATE)
    fatal_alert = b"\x15\xfe\xfd" + bytes(8) + b"\0\2\2\x28"

    bench.server.datagram(fatal_alert, DEVICE, 50.0)
    bench.server.datagram(b"\x15\xfe\xfd\0\1" + bytes(6) + b"\0\x20" + bytes(32), DEVICE, 50.0)
    assert talks(bench, device)

    bench.server.datagram(fatal_alert, DEVICE, 99.0)
    bench.server.advance(100.0)
    assert bench.echo.closed == bench.echo.opened


def test_garbage_is_told_once_and_disturbs_nobody() -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)

    for data in (b"", b"\x16", b"GET / HTTP/1.1\r\n\r\n", b"\x40\x01\x00\x00", b"\x00" * 65_000):
        bench.server.datagram(data, ("127.0.0.1", 9), 0.0)
        bench.server.datagram(data, DEVICE, 0.0)

    assert bench.reasons() == [
        f"a datagram from {who} is none" for _ in range(5) for who in ("127.0.0.1:9", "127.0.0.1:40001")
    ]
    assert talks(bench, device)


def test_a_flood_of_garbage_is_told_in_part() -> None:
    bench = Bench()

    for _ in range(5_000):
        bench.server.datagram(b"garbage", DEVICE, 0.5)
    bench.server.datagram(b"garbage", DEVICE, 1.5)

    assert len(bench.reasons()) == 101
    assert bench.reasons()[-1].endswith("is none (and 4,900 more before it, untold)")
    assert talks(bench, bench.shaken(CERTIFICATE))


def test_what_belongs_to_no_association_is_told() -> None:
    """As after a server that has forgotten the device."""
    bench = Bench()
    device = bench.shaken(CERTIFICATE)
    bench.echo.opened[0].close(Ending.SILENCE)

    device.do(lambda: device.client.send(b"hello"))
    bench.run()

    assert bench.reasons() == ["a datagram from 127.0.0.1:40001 belongs to no association"]
    assert bench.to_device == []


def test_no_truncated_or_flipped_datagram_ends_an_association_or_raises() -> None:
    """In clear a handshake can be spoiled by anybody, so only that of the device itself may suffer."""
    bench = Bench()
    device = bench.shaken(CERTIFICATE)
    kept: list[bytes] = []
    spoiled = bench.device(KEY, ("127.0.0.1", 7))
    while datagrams := spoiled.client.outgoing():
        kept += datagrams
        for data in datagrams:
            bench.server.datagram(data, spoiled.address, 0.0)
        for data, _ in bench.take_sent():
            spoiled.hear(data)
    device.client.send(b"hello")
    kept += device.client.outgoing()
    ports = count(100)

    for data in kept:
        for at in range(len(data)):
            bench.server.datagram(data[:at], ("127.0.0.1", next(ports)), 0.0)
            flipped = bytearray(data)
            flipped[at] ^= 0x55
            bench.server.datagram(bytes(flipped), ("127.0.0.1", next(ports)), 0.0)
            bench.server.datagram(bytes(flipped), DEVICE, 0.0)

    bench.take_sent()
    assert bench.bugs == []
    assert talks(bench, device)


@pytest.mark.parametrize("shown", [KEY, CERTIFICATE])
def test_a_spoiled_flight_hurts_its_own_handshake_only(shown: PreSharedKey | ClientCertificate) -> None:
    bench = Bench()
    device = bench.shaken(CERTIFICATE)
    spoiled_at = range(0, 1_200, 17)

    for port, at in enumerate(spoiled_at):
        victim = bench.half_open(shown, ("127.0.0.1", port))
        bench.carry_to_devices()
        for datagram in victim.client.outgoing():
            flight = bytearray(datagram)
            flight[at % len(flight)] ^= 0x41
            bench.server.datagram(bytes(flight[: max(at, 14)] if at % 2 else flight), victim.address, 0.0)

    bench.take_sent()
    assert bench.bugs == []
    assert talks(bench, device)
    bench.server.advance(60.0)
    assert bench.server.due_in_s() == 30.0  # who hangs is gone by now


def test_the_server_shows_what_it_is_told_to() -> None:
    bench = Bench()
    bench.judge.shown = ShownCertificate.STRANGER
    assert "unable to get local issuer" in str(bench.shaken(CERTIFICATE).failure)

    bench.judge.shown = ShownCertificate.LONG_CHAIN
    assert talks(bench, bench.shaken(CERTIFICATE))
    assert talks(bench, bench.shaken(KEY))
    bench.judge.shown = ShownCertificate.OWN
    assert talks(bench, bench.shaken(CERTIFICATE))


def test_the_rules_of_the_platform_say_when_a_flight_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[DtlsLimits] = []

    def noted(*given: Any) -> DtlsAssociations:
        limits.append(given[-1])
        return DtlsAssociations(*given)

    monkeypatch.setattr(carrier, "DtlsAssociations", noted)
    with served_coap(CoapRules(flight_timeout_us=9_000_000), listener="coaps"):
        assert {one.flight_s for one in limits} == {9.0}
