"""`fleetrig deploy`: files given to devices that somebody else wrote, on every platform that has files."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetrig.harness.desk.deploying import DeploySite, DeviceEnd, DeviceProgress, deploying_of
from fleetrig.harness.desk.update_files import named_update, update_files
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.command import Running
from tests.harness.desk.at_the_desk import Desk
from tests.harness.desk.small_devices import broken_updater, call, thing, updater
from tests.peers.mgmt import Mgmt

pytestmark = pytest.mark.slow


def mgmt(desk: Desk) -> Mgmt:
    return Mgmt(desk.served.ready["hawkbit"]["http"])


@contextmanager
def failing(desk: Desk, hits: str, **fault_words: str) -> Iterator[None]:
    """The server answers such requests with 503 meanwhile, or as the fault is worded."""
    control = f"http://{desk.served.ready['control']}"
    fault = call(f"{control}/faults", {}, {"fault": "overload", "hits": hits, **fault_words})
    try:
        yield
    finally:
        call_delete(f"{control}/faults/{fault['id']}")


def versions(desk: Desk, kind: str, name: str) -> list[str]:
    listed = mgmt(desk).call("GET", f"/{kind}?limit=500")["content"]
    return [one["version"] for one in listed if one["name"] == name]


def test_a_device_gets_a_file_and_what_it_tells_is_shown(desk: Desk) -> None:
    desk.register("hawkbit", "gateway-7", "--again")
    desk.write("first.img")

    with desk.running(updater, "gateway-7"):
        done = desk.deploy("hawkbit", "first.img", "--to", "gateway-7", "--wait")

    assert done.returncode == 0, done.stderr
    assert re.match(r"made first [0-9a-f]{12} \(distribution set \d+\)\nassigned to gateway-7 \(forced\)", done.stdout)
    assert re.search(r"^gateway-7  \d\d:\d\d:\d\d  finished: written to slot B$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("gateway-7 installed it\n")


def test_the_same_file_is_the_same_update(desk: Desk) -> None:
    desk.register("hawkbit", "same-1", "--again")
    desk.write("same.img")

    first = desk.deploy("hawkbit", "same.img", "--to", "same-1")
    second = desk.deploy("hawkbit", "same.img", "--to", "same-1")

    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stdout.startswith("found same ")
    assert len(versions(desk, "distributionsets", "same")) == 1


def test_another_file_under_the_same_name_is_refused(desk: Desk) -> None:
    desk.register("hawkbit", "other-1", "--again")
    desk.deploy("hawkbit", desk.write("other.img"), "--version", "1", "--to", "other-1")

    done = desk.deploy("hawkbit", desk.write("other.img", b"something else"), "--version", "1", "--to", "other-1")

    assert done.returncode == 4
    assert "a distribution set other 1 already, with other files: give these another --version" in done.stderr


def test_a_device_that_fails_is_exit_code_1(desk: Desk) -> None:
    desk.register("hawkbit", "fails-1", "--again")
    desk.write("fails.img")

    with desk.running(broken_updater, "fails-1"):
        done = desk.deploy("hawkbit", "fails.img", "--to", "fails-1", "--wait")

    assert done.returncode == 1
    assert "error: no space left\nit failed on fails-1\n" in done.stdout


def test_who_has_not_done_in_time_is_named(desk: Desk) -> None:
    desk.register("hawkbit", "slow-1", "--again")
    desk.register("hawkbit", "slow-2", "--again")
    desk.write("slow.img")

    with desk.running(updater, "slow-1"):
        done = desk.deploy("hawkbit", "slow.img", "--to", "slow-*", "--within", "1s")

    assert done.returncode == 1
    assert done.stdout.endswith("1 of 2 devices installed it; not done in time: slow-2\n")


def test_several_files_are_one_module_of_the_wanted_kind(desk: Desk) -> None:
    desk.register("hawkbit", "files-1", "--again")
    desk.write("a.bin"), desk.write("b c.bin", b"b")

    done = desk.deploy(
        "hawkbit", "a.bin", "b c.bin", "--to", "files-1", "--type", "application", "--soft", "--name", "both"
    )

    assert done.returncode == 0, done.stderr
    [module] = [one for one in mgmt(desk).call("GET", "/softwaremodules?limit=500")["content"] if one["name"] == "both"]
    stored = mgmt(desk).call("GET", f"/softwaremodules/{module['id']}/artifacts")
    assert {one["providedFilename"] for one in stored} == {"a.bin", "b c.bin"}
    assert module["type"] == "application"
    [action] = mgmt(desk).call("GET", "/targets/files-1/actions")["content"]
    assert action["forceType"] == "soft"


def test_it_can_be_called_off_and_is_gone_then(desk: Desk) -> None:
    desk.register("hawkbit", "off-1", "--again")
    desk.write("off.img")
    desk.deploy("hawkbit", "off.img", "--to", "off-1")

    done = desk.deploy("hawkbit", "off.img", "--remove")

    assert done.returncode == 0
    assert "called off on off-1" in done.stdout
    assert versions(desk, "distributionsets", "off") == versions(desk, "softwaremodules", "off") == []
    [action] = mgmt(desk).call("GET", "/targets/off-1/actions")["content"]
    assert action["status"] == "canceling" or action["type"] == "cancel"
    again = desk.deploy("hawkbit", "off.img", "--remove")
    assert (again.returncode, "has no distribution set off" in again.stderr) == (4, True)
    once_more = desk.deploy("hawkbit", "off.img", "--to", "off-1")
    assert once_more.returncode == 4
    assert "does not give such a name and version again: give another --version" in once_more.stderr


def test_a_module_that_other_sets_may_use_is_not_removed(desk: Desk) -> None:
    module = {"name": "bootloader", "version": "3", "type": "os"}
    [made] = mgmt(desk).call("POST", "/softwaremodules", [module])
    by_hand = {"name": "by hand", "version": "1", "type": "os", "modules": [{"id": made["id"]}]}
    mgmt(desk).call("POST", "/distributionsets", [by_hand])

    done = desk.deploy("hawkbit", "--remove", "--name", "by hand", "--version", "1")

    assert done.returncode == 0, done.stderr
    assert versions(desk, "distributionsets", "by hand") == []
    assert versions(desk, "softwaremodules", "bootloader") == ["3"]


def test_nothing_is_left_of_an_upload_that_failed(desk: Desk) -> None:
    desk.register("hawkbit", "cut-1", "--again")
    desk.write("cut.img")

    with failing(desk, "POST */artifacts*"):
        done = desk.deploy("hawkbit", "cut.img", "--to", "cut-1")

    assert done.returncode == 3
    assert "answered 503" in done.stderr
    assert versions(desk, "softwaremodules", "cut") == versions(desk, "distributionsets", "cut") == []


def test_ctrl_c_ends_the_watching_alone(desk: Desk) -> None:
    desk.register("hawkbit", "left-1", "--again")
    desk.write("left.img")

    running = Running("deploy", "left.img", "--to", "left-1", "--against", "hawkbit.yaml", "--wait", cwd=desk.folder)
    running.until_said("running: ")

    assert running.interrupt() == 2
    assert "an update that was assigned stays so, and --remove takes it back" in running.said()
    [action] = mgmt(desk).call("GET", "/targets/left-1/actions")["content"]
    assert (action["type"], action["status"]) == ("update", "running")


def test_ctrl_c_in_the_middle_of_an_upload_leaves_nothing(desk: Desk) -> None:
    desk.register("hawkbit", "half-1", "--again")
    desk.write("half.img")

    with failing(desk, "POST */artifacts*", fault="latency", delay="30s"):
        running = Running("deploy", "half.img", "--to", "half-1", "--against", "hawkbit.yaml", cwd=desk.folder)
        until(lambda: bool(versions(desk, "softwaremodules", "half")))
        assert running.interrupt() == 2

    assert versions(desk, "softwaremodules", "half") == []


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1_000):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError("it never came")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "gateway-7"), "what are the devices to get? Give one FILE or more"),
        (("a.img",), "who is to get it? Name devices by --to ID"),
        (("a.im", "--to", "gateway-7"), "cannot read a.im: there is no such file; did you mean a.img?"),
        ((".", "--to", "gateway-7"), "cannot read .: it is a folder, and a file is expected"),
        (("/dev/null", "--to", "gateway-7"), "/dev/null is no file whose size is known"),
        (("empty.img", "--to", "gateway-7"), "empty.img is empty"),
        (("odd\udcff.img", "--to", "gateway-7", "--name", "odd"), "has a name that is no UTF-8"),
        (("a.img", "sub/a.img", "--to", "gateway-7"), "two files are called a.img"),
        (("a.img", "--to", "gatewy-7"), "--to gatewy-7: the server knows no such device; did you mean gateway-7?"),
        (("a.img", "--to", "none-*"), "--to none-*: the server knows no such device"),
        (("a.img", "--to", "gateway-7", "--type", "ox"), "--type 'ox': expected os or application on hawkbit"),
        (("a.img", "--to", "gateway-7", "--soft", "--download-only"), "contradict each other"),
        (("a.img", "--to", "gateway-7", "--within", "soon"), "--within: "),
        (("a.img", "--to", "gateway-7", "--version", " 1"), "--version ' 1': expected at most 64 characters"),
        (("--remove",), "which update? Give its FILEs again, or its --name and --version"),
        (("--remove", "--name", "never", "--version", "1"), "has no distribution set never 1"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(desk: Desk, words: tuple[str, ...], said: str) -> None:
    desk.register("hawkbit", "gateway-7", "--again")
    desk.write("a.img"), desk.write("empty.img", b""), desk.write("odd\udcff.img")
    (desk.folder / "sub").mkdir()
    desk.write("sub/a.img")
    before = mgmt(desk).call("GET", "/softwaremodules")["total"]

    done = desk.deploy("hawkbit", *words)

    assert done.returncode == 4
    assert said in done.stderr
    assert mgmt(desk).call("GET", "/softwaremodules")["total"] == before


def test_a_thing_gets_firmware_of_its_profile(desk: Desk) -> None:
    desk.register("thingsboard", "thing-1")
    desk.write("thing.bin")

    with desk.running(thing, "thing-1"):
        done = desk.deploy("thingsboard", "thing.bin", "--to", "thing-1", "--wait")

    assert done.returncode == 0, done.stderr
    assert re.match(r"made thing [0-9a-f]{12} \(firmware of the profile default, package ", done.stdout)
    assert re.search(r"^thing-1  \d\d:\d\d:\d\d  UPDATED$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("thing-1 installed it\n")

    again = desk.deploy("thingsboard", "thing.bin", "--to", "thing-1", "--wait")
    assert again.returncode == 0
    assert "thing-1 has been assigned it already" in again.stdout


def test_a_thing_says_why_it_failed(desk: Desk) -> None:
    desk.register("thingsboard", "thing-2")
    desk.write("bad.bin", b"of another vendor")

    with desk.running(thing, "thing-2"):
        done = desk.deploy("thingsboard", "bad.bin", "--to", "thing-2", "--wait")

    assert done.returncode == 1
    assert "FAILED: no image of ours\nit failed on thing-2\n" in done.stdout


def test_what_things_said_of_an_earlier_package_does_not_count(desk: Desk) -> None:
    desk.register("thingsboard", "thing-3")
    desk.write("one.bin"), desk.write("two.bin", b"an image, the second")
    with desk.running(thing, "thing-3"):
        desk.deploy("thingsboard", "one.bin", "--to", "thing-3", "--wait")

    done = desk.deploy("thingsboard", "two.bin", "--to", "thing-3", "--within", "1s")

    assert done.returncode == 1
    assert done.stdout.endswith("  INITIATED\nnot done in time: thing-3\n")


def test_a_package_is_taken_back_and_deleted(desk: Desk) -> None:
    desk.register("thingsboard", "thing-4")
    desk.write("back.bin")
    desk.deploy("thingsboard", "back.bin", "--to", "thing-4")

    done = desk.deploy("thingsboard", "back.bin", "--remove")

    assert done.returncode == 0
    assert "taken from thing-4: it is told that there is no firmware for it any more\nremoved back " in done.stdout
    given = desk.variables("thing-4")
    told = call(f"{given['url']}/api/v1/{given['access_token']}/attributes?sharedKeys=fw_version")
    assert "fw_version" not in told.get("shared", {})


def test_nothing_is_left_of_a_package_that_could_not_be_assigned(desk: Desk) -> None:
    desk.register("thingsboard", "thing-7")
    desk.write("lost.bin")

    with failing(desk, "POST /api/device"):
        done = desk.deploy("thingsboard", "lost.bin", "--to", "thing-7")
    removed = desk.deploy("thingsboard", "lost.bin", "--remove")

    assert done.returncode == 3
    assert "answered 503" in done.stderr
    assert (removed.returncode, "has no package lost" in removed.stderr) == (4, True)


def test_what_could_not_be_removed_again_is_told(desk: Desk) -> None:
    desk.register("thingsboard", "thing-8")
    desk.write("stays.bin")

    with failing(desk, "DELETE /api/otaPackage/*"), failing(desk, "POST /api/device"):
        done = desk.deploy("thingsboard", "stays.bin", "--to", "thing-8")
    removed = desk.deploy("thingsboard", "stays.bin", "--remove")

    assert done.returncode == 3
    assert re.search(r"^not all of stays [0-9a-f]+ could be removed again \(DELETE .* answered 503", done.stderr)
    assert removed.returncode == 0


def test_things_of_two_profiles_have_no_package_in_common(desk: Desk) -> None:
    desk.register("thingsboard", "thing-5")
    desk.register("thingsboard", "thing-6", "--credential", "provision")
    desk.write("both.bin")

    done = desk.deploy("thingsboard", "both.bin", "--to", "thing-[56]")

    assert done.returncode == 4
    assert "thing-5 is of the profile default, thing-6 of fleetrig, and a package is for one profile" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a.bin", "--soft"), "--soft: thingsboard has no such updates"),
        (("a.bin", "--type", "firmwear"), "--type 'firmwear': expected firmware or software; did you mean firmware?"),
        (("a.bin", "b.bin"), "2 files: an update on thingsboard has one file at most"),
    ],
)
def test_what_things_do_not_have_is_told(desk: Desk, words: tuple[str, ...], said: str) -> None:
    desk.write("a.bin"), desk.write("b.bin")

    done = desk.deploy("thingsboard", *words, "--to", "thing-*")

    assert done.returncode == 4
    assert said in done.stderr


def test_a_gateway_fetches_the_file_from_here_and_installs_it(desk: Desk) -> None:
    desk.register("kura", "kura-1")
    desk.write("package.dp")
    away = desk.deploy("kura", "package.dp", "--to", "kura-1")
    assert (away.returncode, "know a device only once it has called" in away.stderr) == (4, True)

    given = desk.variables("kura-1")
    simulated = Running(
        "simulate", "kura", "--against", "kura.yaml", "--credentials", "password", "--account", "fleetrig", "--user",
        "kura-1", "--secret", "env:SECRET", "--count", "1", "--serial", "kura-1", "--spread", "0s", "--retry-interval",
        "1s", cwd=desk.folder, SECRET=given["password"],
    )  # fmt: skip
    try:
        simulated.until_said("1 online   messages 1")  # which it sends once its BIRTH was taken
        done = desk.deploy("kura", "package.dp", "--to", "kura-1")
        removed = desk.deploy("kura", "package.dp", "--to", "kura-1", "--remove")
        wrong = desk.deploy("kura", "package.dp", "--remove")
        lost = looks_after_a_dead_address(desk)
    finally:
        simulated.interrupt()

    assert done.returncode == 0, done.stderr
    assert re.match(r"kura-1 fetches package [0-9a-f]{12} from http://127\.0\.0\.1:\d+/\S+/package\.dp, ", done.stdout)
    assert done.stdout.endswith("kura-1  installed\nkura-1 installed it\n")
    assert removed.stdout.startswith("kura-1 was asked to uninstall package ")
    assert wrong.returncode == 4
    assert "--remove needs --to" in wrong.stderr
    assert lost[-1].end is DeviceEnd.FAILED
    assert lost[-1].news[0].startswith("neither downloads nor installs it any more")
    gone = desk.deploy("kura", "package.dp", "--to", "kura-1")
    assert gone.returncode == 3
    assert "kura-1 is not connected, and is asked over its own connection" in gone.stderr


def looks_after_a_dead_address(desk: Desk) -> list[DeviceProgress]:
    """At a gateway that is told to fetch a file from where nobody listens, until that has come to an end."""
    server = remote_server_from("kura.yaml", "kura", may_change_settings=False)
    update = named_update(update_files([Path("package.dp")]), "never", "1", "package", "")
    deployer = deploying_of("kura").deployer(DeploySite(server, Secrets(), lambda _: "http://127.0.0.1:1/package.dp"))

    async def look() -> list[DeviceProgress]:
        async with RealBench(Trace()) as bench:
            await bench.run(deployer.deploy(update, ["kura-1"]))
            looks = [await bench.run(deployer.look("kura-1"))]
            while looks[-1].end is None:
                looks.append(await bench.run(deployer.look("kura-1")))
            return looks

    return asyncio.run(look())


def test_hono_has_no_files_and_says_what_it_has(desk: Desk) -> None:
    desk.register("hono", "hono-1")
    desk.write("a.bin")

    done = desk.deploy("hono", "a.bin", "--to", "hono-1")

    assert done.returncode == 4
    assert done.stderr.startswith("Hono keeps no files and gives none to devices: an application sends the device a")


def call_delete(url: str) -> None:
    from urllib.request import Request, urlopen

    with urlopen(Request(url, method="DELETE")) as answer:
        assert json.loads(answer.read()) is not None
