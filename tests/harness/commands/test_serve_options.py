"""The options of `serve` for one platform and for several, and what the banner and the ready file make of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetrig.harness.commands.ready_file import ready_document
from fleetrig.harness.commands.serve_banner import banner
from fleetrig.harness.commands.serve_options import ServeArgs, ServeConfig, parse
from fleetrig.harness.commands.serve_platform import servable
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.description import LISTENERS, description_of
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.stores.leftovers import Leftovers
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Ask, Reply
from tests.harness.commands.toy_platform import TOY

HAWKBIT = servable("hawkbit")
BOTH = {"hawkbit": HAWKBIT, "toy": TOY}
ANY = "127.0.0.1:0"


def listening(config: ServeConfig) -> dict[str, dict[str, str]]:
    return {
        one.name: {listener: str(address) for listener, address in one.listeners.items()}
        for one in config.options.platforms
    }


def test_one_platform_needs_no_name() -> None:
    config = parse(ServeArgs(listeners={"http": [ANY], "https": ["[::1]:0"]}, profiles=["0.9"]), {"hawkbit": HAWKBIT})
    assert listening(config) == {"hawkbit": {"http": ANY, "https": "[::1]:0"}}
    assert config.platforms["hawkbit"].title == "hawkBit 0.9"
    named = parse(ServeArgs(listeners={"http": [f"hawkbit={ANY}"]}, profiles=["hawkbit=0.9"]), {"hawkbit": HAWKBIT})
    assert listening(named) == {"hawkbit": {"http": ANY}}
    assert named.platforms["hawkbit"].profile == "0.9"


def test_without_options_all_platforms_listen_at_their_defaults() -> None:
    config = parse(ServeArgs(), BOTH)
    assert listening(config) == {"hawkbit": {"http": "127.0.0.1:8080"}, "toy": {"http": "127.0.0.1:8090"}}
    assert config.options.about["profiles"] == {"hawkbit": "1.1", "toy": "3"}


def test_platforms_can_be_chosen() -> None:
    config = parse(ServeArgs(["toy"], {"http": [ANY], "mqtt": ["127.0.0.1:1883"]}), BOTH)
    assert listening(config) == {"toy": {"http": ANY, "mqtt": "127.0.0.1:1883"}}


def test_with_several_platforms_each_value_names_its_own() -> None:
    args = ServeArgs(
        ["hawkbit", "toy"],
        {"http": [f"hawkbit={ANY}", f"toy={ANY}"], "https": [f"hawkbit={ANY}"], "mqtt": [f"toy={ANY}"]},
        profiles=["toy=2"],
        properties=["toy=a=b", "hawkbit=hawkbit.controller.pollingTime=00:00:42", "toy=c=d"],
    )
    config = parse(args, BOTH)
    assert listening(config) == {"hawkbit": {"http": ANY, "https": ANY}, "toy": {"http": ANY, "mqtt": ANY}}
    assert [one.title for one in config.platforms.values()] == ["hawkBit 1.1", "Toy 2"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            ServeArgs(listeners={"http": [ANY]}),
            f"--http {ANY}: 2 platforms are served; say which is meant: hawkbit={ANY} or toy={ANY}",
        ),
        (ServeArgs(profiles=["3"]), "say which is meant: hawkbit=3 or toy=3"),
        (
            ServeArgs(properties=["a=b"]),
            "--set a=b: 2 platforms are served; say which is meant: hawkbit=a=b",
        ),
        (ServeArgs(["toy"], {"http": [f"hawkbit={ANY}"]}), "hawkbit is not served here; add --platform hawkbit"),
        (ServeArgs(["toy"], {"http": [f"hawkbt={ANY}"]}), "there is no platform 'hawkbt'"),
        (ServeArgs(["hawkbit"], {"mqtt": [ANY]}), "--mqtt: hawkBit has no such listener; it has --http and --https"),
        (
            ServeArgs(listeners={"https": [f"toy={ANY}"]}),
            "Toy has no such listener; it has --http and --mqtt",
        ),
        (ServeArgs(["toy"], {"http": [ANY, "h:1"]}), f"--http is given 2 times for toy: {ANY}, h:1; give it once"),
        (ServeArgs(["tony"]), "--platform: there is no platform 'tony'; expected hawkbit or toy; did you mean toy?"),
        (ServeArgs(profiles=["toy=1"]), "Toy has no such generation; expected 3 or 2"),
        (ServeArgs(["toy"], {"mqtt": ["1883"]}), "--mqtt: '1883' is no address: expected HOST:PORT"),
        (
            ServeArgs(["toy"], certificate=Path("c.pem")),
            "--cert and --key are for --mqtts HOST:PORT, which is missing",
        ),
    ],
)
def test_what_cannot_be_served(args: ServeArgs, sentence: str) -> None:
    with pytest.raises(UsageError) as wrong:
        parse(args, BOTH)
    assert sentence in str(wrong.value)


def test_the_ready_file_of_one_platform_is_flat() -> None:
    addresses = {"toy": {"http": Address("127.0.0.1", 1), "mqtt": Address("::1", 2)}}
    assert ready_document(addresses, Address("127.0.0.1", 3), Path("/x/ca.pem")) == {
        "pid": os.getpid(),
        "http": "127.0.0.1:1",
        "mqtt": "[::1]:2",
        "control": "127.0.0.1:3",
        "ca": "/x/ca.pem",
    }
    assert ready_document(addresses, None, None) == {"pid": os.getpid(), "http": "127.0.0.1:1", "mqtt": "[::1]:2"}


def test_the_ready_file_of_several_platforms_nests() -> None:
    addresses = {"hawkbit": {"http": Address("127.0.0.1", 1)}, "toy": {"mqtt": Address("127.0.0.1", 2)}}
    assert ready_document(addresses, Address("127.0.0.1", 3), Path("/x/ca.pem")) == {
        "pid": os.getpid(),
        "control": "127.0.0.1:3",
        "ca": "/x/ca.pem",
        "hawkbit": {"http": "127.0.0.1:1"},
        "toy": {"mqtt": "127.0.0.1:2"},
    }


def test_the_banner_shows_no_password_but_the_well_known_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PW", "not-well-known")
    addresses = {"hawkbit": {"http": Address("127.0.0.1", 8080), "https": Address("::1", 8443)}}

    def shown(args: ServeArgs, ca: Path | None) -> str:
        return "\n".join(banner(parse(args, {"hawkbit": HAWKBIT}), addresses, Address("0.0.0.0", 9), ca))

    plain = shown(ServeArgs(), tmp_path / "ca.pem")
    assert "reference server, hawkBit 1.1\n  http     http://127.0.0.1:8080\n" in plain
    assert f"https://[::1]:8443   (clients must trust {tmp_path}/ca.pem)\n" in plain
    assert "control  http://0.0.0.0:9   (no password: everybody who can reach it" in plain
    assert "admin / admin" in plain
    changed = shown(ServeArgs(admin_passwords=["env:PW"], store="sqlite:///x"), None)
    assert "not-well-known" not in changed
    assert "admin   (password as given)" in changed
    assert "sqlite:///x\n" in changed


def test_the_banner_counts_leftovers_and_says_what_became_of_them() -> None:
    folder = Path("/srv/fleet.db.artifacts")

    def shown(found: Leftovers, *, is_removed: bool) -> str:
        args = ServeArgs(store="sqlite:////srv/fleet.db", remove_leftovers=is_removed)
        return "\n".join(banner(parse(args, {"hawkbit": HAWKBIT}), {"hawkbit": {}}, None, None, found))

    two = Leftovers(folder, ("a" * 32, "b" * 32), 1_234_567)
    assert f"  leftover 2 artifact files (1,234,567 bytes) in {folder} that this store" in shown(two, is_removed=False)
    assert "--remove-leftovers deletes them" in shown(two, is_removed=False)
    assert f"  removed  2 artifact files (1,234,567 bytes) in {folder}" in shown(two, is_removed=True)
    one = Leftovers(folder, ("a" * 32,), 1)
    assert "1 artifact file (1 byte)" in shown(one, is_removed=False)
    for is_removed in (True, False):
        assert "artifact" not in shown(Leftovers(folder, (), 0), is_removed=is_removed)


def test_leftovers_of_a_store_in_memory_cannot_be_removed() -> None:
    with pytest.raises(UsageError, match="--remove-leftovers needs --store"):
        parse(ServeArgs(remove_leftovers=True), {"hawkbit": HAWKBIT})


def test_the_banner_of_several_platforms_says_whose_listener_is_whose(tmp_path: Path) -> None:
    addresses = {
        "hawkbit": {"http": Address("127.0.0.1", 1)},
        "toy": {"http": Address("127.0.0.1", 2), "mqtts": Address("127.0.0.1", 3)},
    }
    lines = banner(parse(ServeArgs(), BOTH), addresses, Address("127.0.0.1", 4), tmp_path / "ca.pem")
    assert lines[0].endswith(": reference server")
    assert lines[1:] == [
        "hawkBit 1.1",
        "  http     http://127.0.0.1:1",
        "  account  admin / admin   tenant DEFAULT, " + lines[3].partition("DEFAULT, ")[2],
        "Toy 3",
        "  http     http://127.0.0.1:2",
        f"  mqtts    mqtts://127.0.0.1:3   (clients must trust {tmp_path}/ca.pem)",
        "  account  toy   (no rights)",
        "all platforms",
        "  control  http://127.0.0.1:4",
        "  run      fleetrig run hawkbit toy --against http://127.0.0.1:4",
        "  state    memory:   (lost when the server stops)",
        "  watch    fleetrig trace http://127.0.0.1:4 --follow",
        "  stop     Ctrl-C",
        "Refused requests and why:",
    ]


def test_two_platforms_run_side_by_side() -> None:
    args = ServeArgs(listeners={"http": [f"hawkbit={ANY}", f"toy={ANY}"]}, properties=["toy=a=b"], profiles=["toy=2"])
    config = parse(args, BOTH)

    async def answers() -> Mapping[str, tuple[int, bytes]]:
        trace = Trace()
        async with ReferenceServer(config.options, trace) as server, RealBench(trace) as bench:
            ready = ready_document(server.addresses, server.control_address, server.ca)
            found = {}
            for name in BOTH:
                of_platform = ready[name]
                assert isinstance(of_platform, dict)
                request = HttpRequest("GET", f"http://{of_platform['http']}", "/rest/v1/targets")
                found[name] = await bench.run(asked(request))
            return found

    assert asyncio.run(answers()) == {"hawkbit": (401, b""), "toy": (200, b"toy 2 ['a=b']")}


def asked(request: HttpRequest) -> AdminCall[tuple[int, bytes]]:
    match (yield Ask("probe", request, 10.0)):
        case Reply(HttpResponse(status=status, body=body)):
            return status, body_bytes(body) if status == 200 else b""
        case other:
            raise AssertionError(other)


def test_the_platforms_of_the_table_describe_themselves_well() -> None:
    described = {name: description_of(name) for name in PLATFORMS}
    for about in described.values():
        assert len(set(about.defaults.values())) == len(about.defaults), "defaults collide"
        assert set(about.listeners) <= set(LISTENERS)
        assert about.defaults.keys() <= set(about.listeners)
        assert about.admin in about.listeners
        assert about.profiles
