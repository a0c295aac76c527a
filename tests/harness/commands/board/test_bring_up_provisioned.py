"""`board bring-up --to provisioned`: units that their servers have seen, or have not."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fleetrig.hil.consoles.identity_over_console import fingerprint
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.fakes.fake_brains import PANIC
from fleetrig.hil.units.unit_record import UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.reference_server.name_hash import name_hash
from tests.harness.bench.board_openssl import openssl
from tests.harness.bench.factory import IDENTITY, CallingLinux, Factory, asks_thingsboard, polls_hawkbit, status_of
from tests.harness.command import Done, fleetrig
from tests.peers.mgmt import Mgmt

pytestmark = pytest.mark.slow

PHASES = [(rung, UnitVerdict.PASSED) for rung in ("off", "booted", "provisioned")]


@pytest.fixture
def hawkbit(tmp_path: Path) -> Iterator[Factory]:
    with Factory(tmp_path, "hawkbit") as factory:
        yield factory


@pytest.fixture
def thingsboard(tmp_path: Path) -> Iterator[Factory]:
    with Factory(tmp_path, "thingsboard") as factory:
        yield factory


def bring_up(factory: Factory, *words: str, against: str = "") -> Done:
    bench = factory.write_bench()
    server = ("--against", against or factory.url, "--platform", factory.platform, "--seen-within", "30")
    return fleetrig("board", "bring-up", *server, *words, "--bench", str(bench), "--desk", "desk", cwd=factory.folder)


def records(factory: Factory) -> list[UnitRecord]:
    return UnitRecords(factory.folder / "units").all()


def all_that_was_kept(factory: Factory, state: Path) -> str:
    """Records, evidence of ports, and what reservations noted."""
    files = [*factory.folder.glob("units/**/*"), *factory.folder.glob("desk/**/*"), *state.glob("**/serial-*.jsonl")]
    return "\n".join(path.read_text() for path in files if path.is_file())


def test_a_unit_polls_hawkbit_with_the_token_that_it_was_given(hawkbit: Factory, state: Path) -> None:
    board = hawkbit.add("left")
    done = bring_up(hawkbit, "left=GW-1,02:00:00:00:00:01")
    assert done.stdout == "left  GW-1  attempt 1  passed\n"
    (record,) = records(hawkbit)
    assert [(phase.name, phase.verdict) for phase in record.phases] == PHASES
    token = board.identity["TOKEN"]
    assert (record.credential_kind, record.credential_fingerprint) == ("target_token", fingerprint(token.encode()))
    assert record.written == {IDENTITY: fingerprint(board.stored[IDENTITY])}
    assert record.server == hawkbit.url
    assert {measure.name for measure in record.measures} == {"off", "booted", "provisioned", "seen"}
    assert board.statuses == [200]
    kept = all_that_was_kept(hawkbit, state)
    assert "GW-1" in kept
    assert "target-token:" not in done.stderr
    assert token not in kept + done.stderr + done.stdout


def test_a_unit_is_provisioned_by_thingsboard_with_the_key_of_its_profile(thingsboard: Factory, state: Path) -> None:
    board = thingsboard.add("left")
    done = bring_up(thingsboard, "left=GW-1")
    assert done.returncode == 0, done.stderr
    again = bring_up(thingsboard, "left=GW-1", "--again")
    assert again.stdout == "left  GW-1  attempt 2  passed\n"
    first, second = records(thingsboard)
    assert (first.credential_kind, second.credential_kind) == ("access_token", "access_token")
    assert first.credential_fingerprint
    assert first.configuration_sha256 == second.configuration_sha256
    assert board.statuses == [200, 200, 200]
    assert board.identity["SECRET"] not in all_that_was_kept(thingsboard, state) + done.stderr + again.stderr


def test_several_at_once_and_none_is_given_twice(hawkbit: Factory) -> None:
    """Three boards, of which two are to be one unit, and one has a MAC that is another's."""
    for name in ("one", "two", "three", "four"):
        hawkbit.add(name)
    twice = bring_up(hawkbit, "one=GW-1,02:00:00:00:00:01", "two=GW-1,02:00:00:00:00:01", "three=GW-3")
    assert twice.returncode == 4
    assert (
        "two: the serial number GW-1 is being given to a unit right now: two boards show the same one" in twice.stderr
    )
    lines = twice.stdout.splitlines()
    assert sorted(lines[:2]) == ["one  GW-1  attempt 1  passed", "three  GW-3  attempt 1  passed"]
    assert lines[2] == "2 of 3 units were brought up; not these:"
    refused = bring_up(hawkbit, "two=GW-1,02:00:00:00:00:01", "four=GW-4,02:00:00:00:00:01")
    assert "two: GW-1 has passed already, as attempt 1 on one" in refused.stderr
    assert "four: the MAC 02:00:00:00:00:01 belongs to serial number GW-1, this unit has GW-4" in refused.stderr
    assert {board: linux.stored for board, linux in hawkbit.boards.items() if board in ("two", "four")} == {
        "two": {},
        "four": {},
    }
    assert [(record.board, record.verdict) for record in records(hawkbit)] == [
        ("one", UnitVerdict.PASSED),
        ("three", UnitVerdict.PASSED),
    ]


def test_a_unit_of_another_is_not_taken_over(hawkbit: Factory) -> None:
    board = hawkbit.add("left")
    Mgmt(hawkbit.url.removeprefix("http://")).create_target("GW-1")
    done = bring_up(hawkbit, "left=GW-1")
    assert done.returncode == 4
    assert f"{hawkbit.url} knows GW-1 already, and no record here says that it was tried before" in done.stderr
    assert (records(hawkbit), board.stored) == ([], {})
    assert not [*hawkbit.folder.glob("units/claims/*/*")]
    assert bring_up(hawkbit, "left=GW-1", "--again").returncode == 0
    assert board.statuses == [200]


def test_a_unit_that_its_server_does_not_see_is_failed_with_what_that_knows(hawkbit: Factory) -> None:
    board = hawkbit.add("left", calls=lambda identity: polls_hawkbit({**identity, "TOKEN": "another"}))
    done = bring_up(hawkbit, "left=GW-1", "--seen-within", "1")
    assert done.returncode == 1
    assert f"{hawkbit.url} has not seen GW-1 within 1 s of its restart: its target GW-1 is unknown and has never " in (
        done.stdout
    )
    (record,) = records(hawkbit)
    assert record.phases[-1].verdict is UnitVerdict.FAILED
    assert record.written == {IDENTITY: fingerprint(board.stored[IDENTITY])}
    assert board.statuses == [401]
    board.calls = polls_hawkbit
    assert bring_up(hawkbit, "left=GW-1").stdout == "left  GW-1  attempt 2  passed\n"


def test_a_reference_server_says_why_it_let_a_unit_not_in(hawkbit: Factory) -> None:
    hawkbit.add("left", calls=lambda identity: polls_hawkbit({**identity, "TOKEN": "another-token-altogether"}))
    server = hawkbit.folder / "server.yaml"
    server.write_text(f"platform: hawkbit\nhttp: {hawkbit.url}\ncontrol: {hawkbit.control}\n")
    done = bring_up(hawkbit, "left=GW-1", "--seen-within", "3", against="server.yaml")
    assert "has never polled, it refused it with 401: target GW-1 exists, token differs" in done.stdout
    assert "another-token-altogether" not in done.stdout


def test_an_old_poll_is_no_sign_of_a_new_token(hawkbit: Factory) -> None:
    board = hawkbit.add("left")
    assert bring_up(hawkbit, "left=GW-1").returncode == 0
    old = dict(board.identity)
    board.calls = lambda identity: polls_hawkbit(old)
    done = bring_up(hawkbit, "left=GW-1", "--again", "--seen-within", "1")
    assert "its target GW-1 is registered and has polled, but not with its new token" in done.stdout
    assert board.statuses[-1] == 401


def test_a_board_that_panics_is_not_waited_for(hawkbit: Factory) -> None:
    board = hawkbit.add("left", calls=lambda identity: 0)
    board.says_with_identity = PANIC
    done = bring_up(hawkbit, "left=GW-1", "--seen-within", "600")
    assert done.returncode == 1
    assert (
        "has not seen GW-1 and the board panicked after its restart ([    1.204123] Kernel panic - not" in done.stdout
    )


NOT_SAID = {
    "--to provisioned": "--to provisioned needs --against URL|SERVER.yaml",
    "--against URL": "--platform is missing: what is the server at http://127.0.0.1:",
    "--against URL --to booted": "--against is for --to provisioned; --to booted asks no server",
    "--against URL --platform hawkbit --transport mqtt": "--transport 'mqtt': expected http",
    "--against URL --platform hawkbit --authority ca": "ca is not there: `fleetrig ca new ca`",
}


def test_what_is_not_said_of_a_board_is_missed_before_anything(hawkbit: Factory) -> None:
    hawkbit.add("left")
    for words, said in NOT_SAID.items():
        options = [word.replace("URL", hawkbit.url) for word in words.split()]
        bench = ("--bench", str(hawkbit.write_bench()))
        done = fleetrig("board", "bring-up", "left=GW-1", *options, *bench, cwd=hawkbit.folder)
        assert (done.returncode, said in done.stderr) == (4, True), done.stderr
    down = bring_up(hawkbit, "left=GW-1", against="http://127.0.0.1:1")
    assert down.returncode == 3
    assert "nobody listens at http://127.0.0.1:1" in down.stderr
    assert records(hawkbit) == []


def test_a_board_that_is_made_for_another_platform_is_told_before_it_is_touched(thingsboard: Factory) -> None:
    thingsboard.add("left")
    bench = thingsboard.write_bench("TOKEN='${token}'\n")
    words = ("left=GW-1", "--against", thingsboard.url, "--platform", "thingsboard", "--bench", str(bench))
    done = fleetrig("board", "bring-up", *words, "--desk", "desk", cwd=thingsboard.folder)
    assert done.returncode == 4
    assert "left: its provisioning has the place ${token}, and units of thingsboard are given url," in done.stderr
    assert records(thingsboard) == []


def test_a_profile_that_lets_each_in_once_is_told(thingsboard: Factory) -> None:
    thingsboard.add("left")
    done = bring_up(thingsboard, "left=GW-1", "--profile", "default")
    assert done.returncode == 4
    assert "the device profile 'default' of" in done.stderr
    assert "is DISABLED, and these boards need CHECK_PRE_PROVISIONED_DEVICES or ALLOW" in done.stderr


def test_the_wrong_key_is_not_provisioned(thingsboard: Factory) -> None:
    board = thingsboard.add("left", calls=lambda identity: asks_thingsboard({**identity, "SECRET": "another"}))
    done = bring_up(thingsboard, "left=GW-1", "--seen-within", "1")
    assert "its device GW-1 is imported, and has not asked with the right key" in done.stdout
    board.calls = asks_thingsboard
    assert bring_up(thingsboard, "left=GW-1").returncode == 0


def through_proxy(board: CallingLinux, url: str, identity: Mapping[str, str]) -> int:
    """What hawkBit hears of a device from the proxy to which it has shown its certificate."""
    certificate, issuer = x509.load_pem_x509_certificates(board.stored["/data/device.pem"])
    path = f"{url}/{identity['TENANT']}/controller/v1/{identity['ID']}"
    shown = {"X-Controller-Id": common_name(certificate), "X-Authority-1": name_hash(issuer.subject)}
    return status_of(urllib.request.Request(path, headers=shown))


def common_name(certificate: x509.Certificate) -> str:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def test_a_board_makes_its_key_and_our_authority_signs(hawkbit: Factory, state: Path) -> None:
    board = hawkbit.add("left")
    board.programs["openssl"] = openssl
    board.calls = lambda identity: through_proxy(board, hawkbit.url, identity)
    text = "URL='${url}'\nTENANT=${tenant}\nID=${serial}\n"
    bench = hawkbit.write_bench(text, csr={"key": "/data/device.key", "certificate": "/data/device.pem"})
    server = hawkbit.folder / "server.yaml"
    server.write_text(f"platform: hawkbit\nhttp: {hawkbit.url}\nhttps: https://127.0.0.1:8443\n")
    places = ("--against", "server.yaml", "--bench", str(bench), "--desk", "desk", "--seen-within", "30")
    unsigned = fleetrig("board", "bring-up", "left=GW-1", *places, cwd=hawkbit.folder)
    assert (unsigned.returncode, "left makes its own key: say who signs for it" in unsigned.stderr) == (4, True)
    assert fleetrig("ca", "new", "ca", cwd=hawkbit.folder).returncode == 0
    done = fleetrig("board", "bring-up", "left=GW-1", *places, "--authority", "ca", cwd=hawkbit.folder)
    assert done.stdout == "left  GW-1  attempt 1  passed\n", done
    (record,) = records(hawkbit)
    leaf = x509.load_pem_x509_certificates(board.stored["/data/device.pem"])[0]
    assert common_name(leaf) == "GW-1"
    assert record.credential_kind == "certificate"
    assert record.credential_fingerprint == fingerprint(leaf.public_bytes(Encoding.DER))
    assert record.written.keys() == {IDENTITY, "/data/device.pem"}
    assert board.identity["URL"] == "https://127.0.0.1:8443"
    assert "GW-1" in (hawkbit.folder / "ca/index.txt").read_text()
    assert "PRIVATE KEY" not in all_that_was_kept(hawkbit, state)


def logs_in_with_its_chain(board: CallingLinux, url: str, folder: Path) -> int:
    """MQTT over TLS as a device does it that has nothing but its certificate; the CONNACK's code."""
    for name in ("device.pem", "device.key"):
        (folder / name).write_bytes(board.stored[f"/data/{name}"])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(folder / "device.pem", folder / "device.key")
    host, _, port = url.removeprefix("mqtts://").rpartition(":")
    with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain) as connection:
        connection.sendall(bytes.fromhex("100e 0004 4d515454 04 02 003c 0002 6964"))
        return connection.recv(4)[3]


def test_a_board_is_known_to_thingsboard_by_its_chain(thingsboard: Factory) -> None:
    board = thingsboard.add("left")
    board.programs["openssl"] = openssl
    board.calls = lambda _: logs_in_with_its_chain(board, thingsboard.urls["mqtts"], thingsboard.folder)
    keys = {"key": "/data/device.key", "certificate": "/data/device.pem"}
    bench = thingsboard.write_bench("URL='${provision_url}'\nID=${serial}\n", csr=keys)
    server = thingsboard.folder / "server.yaml"
    mqtts = thingsboard.urls["mqtts"].removeprefix("mqtts://")
    server.write_text(f"platform: thingsboard\nhttp: {thingsboard.url}\nmqtts: {mqtts}\n")
    assert fleetrig("ca", "new", "ca", cwd=thingsboard.folder).returncode == 0
    words = ("left=GW-1", "--against", "server.yaml", "--bench", str(bench), "--desk", "desk", "--authority", "ca")
    for more in ((), ("--again",)):
        done = fleetrig("board", "bring-up", *words, *more, "--seen-within", "30", cwd=thingsboard.folder)
        assert done.returncode == 0, (done, board.statuses)
    first, second = records(thingsboard)
    assert first.credential_kind == second.credential_kind == "x509_certificate"
    assert first.credential_fingerprint != second.credential_fingerprint
    assert board.statuses == [0, 0, 0]


@pytest.mark.slow
def test_a_fake_gateway_is_made_from_its_flash_to_its_first_poll_and_asked_who_it_is_each_time(
    hawkbit: Factory, state: Path
) -> None:
    """Its Linux cannot say who it is: without an image it is stopped in U-Boot, and asked there."""
    (hawkbit.folder / "gw.img").write_bytes(gateway_firmware("b1"))
    server = ("--against", hawkbit.url, "--platform", "hawkbit", "--seen-within", "30", "--desk", "desk")
    for more in (("--image", "gw.img"), ("--again",)):
        done = fleetrig("board", "bring-up", "fake-gateway=GW-7", *server, *more, cwd=hawkbit.folder)
        assert done.returncode == 0, done
    first, second = records(hawkbit)
    assert [phase.name for phase in first.phases] == ["off", "flashed", "booted", "provisioned"]
    assert {measure.name for measure in first.measures} >= {"flash_rate", "flashed", "booted", "seen"}
    assert first.credential_fingerprint != second.credential_fingerprint
    evidence = max(state.glob("fleetrig/boards/fake-gateway/serial-*.jsonl"), key=lambda path: path.stat().st_mtime)
    assert "printenv serial#" in evidence.read_text()
    wrong = fleetrig("board", "bring-up", "fake-other=GW-8", *server, cwd=hawkbit.folder)
    assert wrong.returncode == 1
    assert "expected the board to be serial#=FAKE-0008, it says that it is serial#=NOT-FAKE-0008" in wrong.stdout
    assert Mgmt(hawkbit.url.removeprefix("http://")).target("GW-8") is None
