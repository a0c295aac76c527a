"""`board prepare`, `board firmware`, and the emulated bench as a person meets it: fakes, flashed and talked to."""

from __future__ import annotations

import pytest

from fleetrig.hil.emulated import gateway_image
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.fakes.fake_gateway import FIRMWARE_BLOCK, firmware_on
from tests.harness.command import fleetrig

pytestmark = pytest.mark.slow

AT = FIRMWARE_BLOCK * 512


def test_a_fake_boots_the_firmware_that_it_was_flashed_with(tmp_path):
    desk = ("--desk", str(tmp_path / "desk"))
    made = fleetrig("board", "firmware", "gw.img", "--build", "7.1", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "gw.img: the gateway's firmware, build 7.1\n")
    assert (tmp_path / "gw.img").read_bytes() == gateway_firmware("7.1")
    flashed = fleetrig("board", "flash", "fake-1", "gw.img", *desk, cwd=tmp_path)
    assert flashed.returncode == 0, flashed.stderr
    booted = fleetrig("board", "console", "fake-1", "--run", "cat /etc/build", *desk, cwd=tmp_path)
    assert (booted.returncode, booted.stdout) == (0, "7.1\n")
    bad = fleetrig("board", "flash", "fake-bad", "gw.img", *desk, cwd=tmp_path)
    assert bad.returncode == 1
    assert "`virtio write " in bad.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("gw.img", "--build", "no good"), "a build ID is up to 24 letters"),
        (("no/such/folder", "--build", "1"), "no/such/folder: No such file or directory"),
        (("gw.img", "--build", "1", "--vendor", "nobody.pem"), "nobody.pem: No such file or directory"),
    ],
)
def test_firmware_that_cannot_be_made_is_told(options, said, tmp_path):
    done = fleetrig("board", "firmware", *options, cwd=tmp_path)
    assert done.returncode == 4
    assert said in done.stderr
    assert not (tmp_path / "gw.img").exists()


def test_prepare_builds_the_image_once_and_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    gateway_image._kept(None).mkdir(parents=True)  # what was built before
    done = fleetrig("board", "prepare", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"the emulated gateway is ready: {tmp_path}/fleetrig/gateway-arm64-")


@pytest.mark.parametrize("damage", [0, 8, 12, 32, 80, -1])
def test_damaged_firmware_does_not_boot(damage):
    whole = gateway_firmware("7.1")
    assert firmware_on(bytes(AT) + whole + bytes(100)) is not None
    spoilt = bytearray(whole)
    spoilt[damage] ^= 1
    assert firmware_on(bytes(AT) + bytes(spoilt) + bytes(100)) is None
