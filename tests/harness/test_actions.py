"""Each action word, performed against a real reference server in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.run.actions import image_bytes
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import GatewayToken, TargetToken
from fleetrig.simulator.stages import Stage
from tests.harness.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def online(desk: Desk) -> Desk:
    desk.do("preregister")
    desk.do("power_on")
    desk.wait(3)
    assert {device.agent.stage for device in desk.rig.devices.values()} == {Stage.ONLINE}
    return desk


def test_configure_changes_the_tenant(desk: Desk) -> None:
    desk.do("configure", pollingTime="00:00:07", **{"user.confirmation.flow.enabled": True})

    config = desk.run(desk.admin.read_config())
    assert config["pollingTime"]["value"] == "00:00:07"
    assert config["user.confirmation.flow.enabled"]["value"] is True


def test_configure_with_an_unknown_key_breaks_the_bench(desk: Desk) -> None:
    with pytest.raises(BrokenBench, match=r"400.*configKeyInvalid"):
        desk.do("configure", pollngTime="00:00:07")


def test_preregister_makes_the_targets_with_their_tokens(desk: Desk) -> None:
    desk.do("preregister", name="Gateway {serial}", description="line 7", only="HB-1")

    target = desk.target("HB-1")
    assert target["name"] == "Gateway HB-1"
    assert target["description"] == "line 7"
    credential = desk.rig.devices["HB-1"].credential
    assert isinstance(credential, TargetToken)
    assert target["securityToken"] == credential.token
    assert desk.target("HB-2") is None


def test_preregister_in_batches_sends_no_more_than_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, count=7)

    desk.do("preregister", batch=3)

    posts = [event for event in desk.events if posted(event.envelope, "/targets")]
    assert len(posts) == 3
    assert desk.target("HB-7") is not None


def posted(envelope: object, ending: str) -> bool:
    return isinstance(envelope, HttpRequest) and envelope.method == "POST" and envelope.path.endswith(ending)


def test_preregister_of_a_list_takes_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("serial,token\nA-1,secret-of-a-1\nA-2,\n")
    desk = Desk(tmp_path)
    action = {"csv": str(tmp_path / "units.csv")}

    desk.do("preregister", **action)

    assert desk.target("A-1")["securityToken"] == "secret-of-a-1"
    assert len(desk.target("A-2")["securityToken"]) == 32


def test_power_on_starts_devices_evenly_over_the_spread(tmp_path: Path) -> None:
    desk = Desk(tmp_path, count=4)
    began_us = desk.bench.now_us()

    desk.do("power_on", spread="8s")
    desk.wait(10)

    starts = [to_s(event.at_us - began_us) for event in desk.events if event.kind == "power_on"]
    assert starts == [0.0, 2.0, 4.0, 6.0]


def test_power_on_of_some_leaves_the_others_off(desk: Desk) -> None:
    desk.do("power_on", only="*-2")
    desk.wait(1)

    assert [device.serial for device in desk.rig.devices.values() if device.agent.is_on] == ["HB-2"]


def test_power_on_with_a_cut_cuts_once_and_comes_back(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("power_on", only="HB-1", cut_at="poll#2:sent", off="3s")
    desk.wait(10)

    (cut,) = desk.seen("power_cut")
    first, second = desk.seen("power_on")
    assert first.at_us < cut.at_us
    assert to_s(second.at_us - cut.at_us) == 3.0
    assert desk.rig.cuts["HB-1"].fired


def test_power_cut_ends_everything(desk: Desk) -> None:
    online(desk)
    desk.do("power_cut", only="HB-1")
    seen = len(desk.seen("sent"))
    desk.wait(5)

    assert len(desk.seen("sent")) == seen
    assert not desk.rig.devices["HB-1"].agent.is_on
    assert desk.rig.devices["HB-2"].agent.is_on


def test_power_cycle_is_off_for_as_long_as_said(desk: Desk) -> None:
    online(desk)
    desk.do("power_cycle", only="HB-1", off="4s")
    desk.wait(6)

    (cut,) = desk.seen("power_cut")
    assert to_s(desk.seen("power_on")[-1].at_us - cut.at_us) == 4.0
    assert desk.rig.devices["HB-1"].agent.stage is Stage.ONLINE


def test_wait_lets_time_pass(desk: Desk) -> None:
    before_us = desk.bench.now_us()
    desk.do_plain("wait", "90s")
    assert to_s(desk.bench.now_us() - before_us) == 90.0


def test_deploy_waits_for_the_first_contact_and_assigns(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("power_on", spread="4s")
    desk.do("deploy", version="1.0", size="10KiB", type="soft")

    assert desk.target("HB-2")["updateStatus"] == "pending"
    (action,) = desk.run(desk.admin.actions("HB-2"))
    assert (action["forceType"], action["active"]) == ("soft", True)
    assert desk.seen("received", "HB-2", "poll"), "the server had heard of both"


def test_deploy_before_contact_assigns_at_once_and_devices_install(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("deploy", version="1.0", before_contact=True, to="HB-1")
    desk.do("power_on")
    desk.wait(20)

    assert desk.run(desk.admin.set_version("HB-1", "installedDS")) == "1.0"
    assert desk.run(desk.admin.set_version("HB-2", "installedDS")) is None


def test_deploy_of_a_version_that_is_there_makes_no_second_one(desk: Desk) -> None:
    online(desk)
    desk.do("deploy", version="1.0", to="HB-1")
    desk.do("deploy", version="1.0", to="HB-2")

    assert len(desk.run(desk.admin.search("/distributionsets"))) == 1


def test_deploy_to_devices_that_never_call_breaks_the_bench(desk: Desk) -> None:
    desk.do("preregister")
    with pytest.raises(BrokenBench, match=r"HB-1 did not call the server within 60 s.*before_contact"):
        desk.do("deploy", version="1.0")


def test_images_differ_by_version_and_are_the_same_in_each_run() -> None:
    assert len(image_bytes("1.0", 1000)) == 1000
    assert image_bytes("1.0", 64) != image_bytes("1.1", 64)
    assert image_bytes("1.0", 64) == image_bytes("1.0", 64)


def test_cancel_asks_softly(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("deploy", version="1.0", before_contact=True)
    desk.do("cancel", only="HB-1")

    assert [action["status"] for action in desk.run(desk.admin.actions("HB-1"))] == ["canceling"]
    assert [action["status"] for action in desk.run(desk.admin.actions("HB-2"))] == ["running"]


def test_cancel_of_a_version_finds_its_action(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("configure", **{"repository.actions.autoclose.enabled": False})
    desk.do("deploy", version="1.0", before_contact=True)
    desk.do("cancel", version="1.0")
    assert desk.run(desk.admin.actions("HB-1"))[0]["status"] == "canceling"

    desk.do("deploy", version="2.0", before_contact=True)
    with pytest.raises(BrokenBench, match=r"HB-1 has no open action of version 1\.0"):
        desk.do("cancel", version="1.0")
    desk.do("cancel", version="2.0")


def test_cancel_without_an_open_action_breaks_the_bench(desk: Desk) -> None:
    desk.do("preregister")
    with pytest.raises(BrokenBench, match="HB-1 has no open action that could be cancelled; deploy something first"):
        desk.do("cancel")


def test_delete_removes_the_records(desk: Desk) -> None:
    desk.do("preregister")
    desk.do("delete", only="HB-1")
    desk.do("delete", only="HB-1")  # gone already is as good

    assert desk.target("HB-1") is None
    assert desk.target("HB-2") is not None


def test_rotate_target_tokens_without_telling_the_devices(desk: Desk) -> None:
    online(desk)
    before = desk.target("HB-1")["securityToken"]
    desk.do("rotate", what="target_token", tell_device=False)
    desk.wait(3)

    assert desk.target("HB-1")["securityToken"] not in {before, desk.target("HB-2")["securityToken"]}
    assert desk.rig.devices["HB-1"].agent.stage is Stage.REFUSED


def test_rotate_target_tokens_and_tell_the_devices(desk: Desk) -> None:
    online(desk)
    desk.do("rotate", what="target_token", only="HB-1")
    desk.wait(3)

    assert desk.rig.devices["HB-1"].credential == TargetToken(desk.target("HB-1")["securityToken"])
    assert desk.rig.devices["HB-1"].agent.stage is Stage.ONLINE
    assert len(desk.seen("power_on", "HB-1")) == 2
    assert len(desk.seen("power_on", "HB-2")) == 1


def test_rotate_the_gateway_token(tmp_path: Path) -> None:
    desk = Desk(tmp_path, credential="gateway_token")
    desk.do("power_on")
    desk.wait(2)
    before = desk.rig.gateway_key
    desk.do("rotate", what="gateway_token", only="HB-1")
    desk.wait(4)

    config = desk.run(desk.admin.read_config())
    assert config["authentication.gatewaytoken.key"]["value"] == desk.rig.gateway_key != before
    assert desk.rig.devices["HB-1"].credential == GatewayToken(desk.rig.gateway_key)
    assert desk.rig.devices["HB-1"].agent.stage is Stage.ONLINE
    assert desk.rig.devices["HB-2"].agent.stage is Stage.REFUSED


def test_set_and_request_attributes(desk: Desk) -> None:
    online(desk)
    desk.do("set_attributes", only="HB-1", attributes={"hw": "3"}, mode="replace")
    desk.do("request_attributes", only="HB-1")
    desk.wait(4)

    assert desk.run(desk.admin.attributes("HB-1")) == {"hw": "3"}
    assert len(desk.seen("power_on", "HB-1")) == 2, "a device that is on starts anew"


@pytest.mark.parametrize(
    ("credential", "status"),
    [("target_token", 200), ("wrong_target_token", 401), ("none", 401), ("gateway_token", 200)],
)
def test_each_credential_is_what_it_says(tmp_path: Path, credential: str, status: int) -> None:
    desk = Desk(tmp_path, credential=credential)
    desk.do("preregister")
    desk.do("power_on")
    desk.wait(1)

    answer: Any = desk.seen("received", name="poll")[0].envelope
    assert isinstance(answer, HttpResponse)
    assert answer.status == status
