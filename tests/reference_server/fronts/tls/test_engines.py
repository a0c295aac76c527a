"""TLS without I/O: whatever comes, an engine goes on, waits or fails in one way."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.fronts.tls.alerts import certificates_of
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.client_hello import server_name_in
from fleetrig.reference_server.fronts.tls.engine import TlsEngine
from fleetrig.reference_server.fronts.tls.failure import TlsFailure
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement
from fleetrig.reference_server.fronts.tls.judging_engine import JudgingEngine, judging_context
from fleetrig.reference_server.fronts.tls.remembered_chains import MOST_CHAINS, RememberedChains
from fleetrig.reference_server.fronts.tls.stdlib_engine import StdlibEngine, stdlib_context
from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from fleetrig.simulator.contract.handshake import ShownCertificate
from tests.reference_server.fronts.tls.tls_bench import now_us

OWN = ServerCertificates([], now_us()).of(ShownCertificate.OWN)
STDLIB, JUDGING = stdlib_context(OWN, ClientAuth.NONE, ()), judging_context(OWN, ())


def engines() -> list[TlsEngine]:
    return [StdlibEngine(STDLIB, RememberedChains()), JudgingEngine(JUDGING, CertificateJudgement(lambda _: None))]


def hello(name: str = "localhost") -> bytes:
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = bool(name)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name or None).do_handshake()
    return out.read()


HELLO = hello()


def goes_on(engine: TlsEngine, *pieces: bytes) -> None:
    with suppress(TlsFailure):
        for piece in pieces:
            engine.feed(piece)
            assert not engine.shake()
    engine.outgoing()
    engine.end()


@given(at=st.integers(0, len(HELLO) - 1), byte=st.integers(0, 255), cut=st.integers(1, len(HELLO)))
def test_a_flipped_byte_and_any_cut(at: int, byte: int, cut: int) -> None:
    odd = HELLO[:at] + bytes([byte]) + HELLO[at + 1 :]
    for engine in engines():
        goes_on(engine, odd[:cut], odd[cut:])


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_noise_after_a_hello(noise: list[bytes]) -> None:
    for engine in engines():
        goes_on(engine, HELLO, *noise)


@given(st.binary(max_size=600), st.sampled_from([0x0303, 0x0304, 0xFEFD]))
def test_noise_in_the_place_of_certificates(noise: bytes, version: int) -> None:
    assert sum(map(len, certificates_of(noise, version))) <= len(noise)


@given(st.binary(max_size=600))
def test_noise_has_no_server_name(noise: bytes) -> None:
    server_name_in(b"\x16" + noise)
    server_name_in(HELLO[:5] + noise)


@pytest.mark.parametrize("name", ["localhost", "", "my-tenant.example.org", "x." * 100 + "example"])
def test_both_engines_read_the_server_name(name: str) -> None:
    whole = hello(name)
    for engine in engines():
        for at in range(0, len(whole), 100):
            assert engine.server_name == ""
            engine.feed(whole[at : at + 100])
            assert not engine.shake()
        assert engine.server_name == name


def test_a_hello_in_several_records_has_its_name_too() -> None:
    body = HELLO[5:]
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    assert (
        server_name_in(b"".join(b"\x16\x03\x01" + len(one).to_bytes(2, "big") + one for one in pieces)) == "localhost"
    )


@pytest.mark.parametrize("name", [b"\xff" * 9, "\u00e4\u00e4\u00e4\u00e4a".encode(), b"a..b.com."])
def test_a_name_that_is_none_is_no_trouble(name: bytes) -> None:
    """Warnings are errors here: the library has raised in a callback for the first two."""
    for engine in engines():
        engine.feed(HELLO.replace(b"localhost", name))
        assert not engine.shake()
        assert engine.server_name == name.decode("ascii", "replace")


def test_chains_are_remembered_within_bounds() -> None:
    chains = RememberedChains()
    for number in range(3 * MOST_CHAINS):
        chains.remember((b"own %d" % number, b"above %d" % number))
    assert chains.of(b"own %d" % number) == (b"own %d" % number, b"above %d" % number)
    assert chains.of(b"own 0") == (b"own 0",)
    chains.remember((b"large", bytes(100_000)))
    assert chains.of(b"large") == (b"large",)


def test_nothing_is_sent_after_a_handshake_until_something_is_said() -> None:
    """Session tickets are no packet of their own."""
    for engine in engines():
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        peer = context.wrap_bio(incoming, outgoing)
        with suppress(ssl.SSLWantReadError):
            peer.do_handshake()
        engine.feed(outgoing.read())
        assert not engine.shake()
        incoming.write(engine.outgoing())
        peer.do_handshake()
        engine.feed(outgoing.read())
        assert engine.shake()
        assert engine.outgoing() == b""
        engine.write(memoryview(b"first words"))
        incoming.write(engine.outgoing())
        assert peer.read() == b"first words"
        assert engine.outgoing() == b""


USER_CANCELED = bytes([1, 90])
CLOSE_NOTIFY = bytes([1, 0])


def test_java_says_user_canceled_before_its_goodbye(tmp_path: Path) -> None:
    """Which is no more than a word to be passed over (RFC 8446 §6.1); each alert may come in a packet of its own."""
    for number, engine in enumerate(engines()):
        log = tmp_path / f"keys-{number}"
        shake_hands(engine, log)
        engine.feed(sealed(log, USER_CANCELED, 0))
        assert engine.read() is None
        engine.feed(sealed(log, CLOSE_NOTIFY, 1))
        assert engine.read() == b""


def shake_hands(engine: TlsEngine, log: Path) -> None:
    """With a client of TLS 1.3 whose secrets go to a file."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.keylog_filename = str(log)
    peer = context.wrap_bio(incoming, outgoing)
    with suppress(ssl.SSLWantReadError):
        peer.do_handshake()
    engine.feed(outgoing.read())
    assert not engine.shake()
    incoming.write(engine.outgoing())
    peer.do_handshake()
    assert peer.cipher() == ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)
    engine.feed(outgoing.read())
    assert engine.shake()


def sealed(log: Path, alert: bytes, number: int) -> bytes:
    """An alert in the record of that number that the client sends (RFC 8446 §5.2, §7.3): no library here sends such."""
    (line,) = (line for line in log.read_text().splitlines() if line.startswith("CLIENT_TRAFFIC_SECRET_0 "))
    secret = bytes.fromhex(line.split()[2])
    key, iv = (expanded(secret, label, length) for label, length in ((b"key", 32), (b"iv", 12)))
    nonce = (int.from_bytes(iv, "big") ^ number).to_bytes(12, "big")
    inner = alert + b"\x15"
    head = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    return head + AESGCM(key).encrypt(nonce, inner, head)


def expanded(secret: bytes, label: bytes, length: int) -> bytes:
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return HKDFExpand(hashes.SHA384(), length, info).derive(secret)
