"""Each action word, performed against a real reference server in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms import PLATFORMS, load
from fleetrig.harness.platforms.hawkbit.updates import made_image
from fleetrig.harness.run.actions import PERFORM
from fleetrig.harness.scenario_file.action_words import BENCH_WORDS
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import GatewayToken, TargetToken
from fleetrig.simulator.stages import Stage
from tests.harness.bench_fixture import BenchFixture


@pytest.fixture
def bench(tmp_path: Path) -> BenchFixture:
    return BenchFixture(tmp_path)


def online(bench: BenchFixture) -> BenchFixture:
    bench.do("preregister")
    bench.do("power_on")
    bench.wait(3)
    assert {device.agent.stage for device in bench.context.devices.values()} == {Stage.ONLINE}
    return bench


def test_configure_changes_the_tenant(bench: BenchFixture) -> None:
    bench.do("configure", pollingTime="00:00:07", **{"user.confirmation.flow.enabled": True})

    config = bench.run(bench.admin.read_config())
    assert config["pollingTime"]["value"] == "00:00:07"
    assert config["user.confirmation.flow.enabled"]["value"] is True


def test_configure_with_a_key_of_another_generation_breaks_the_bench(bench: BenchFixture) -> None:
    with pytest.raises(BrokenBench, match=r"400.*configKeyInvalid"):
        bench.do("configure", minPollingTime="00:00:07")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_word_of_a_platform_is_performed(platform: str) -> None:
    """By the bench or by the platform, never by both."""
    words = vocabulary_of(platform).words
    assert not words.keys() & BENCH_WORDS.keys()
    assert set(PERFORM) == set(BENCH_WORDS.values())
    assert set(load(platform, "actions:PERFORM")) == set(words.values())


def test_preregister_makes_the_targets_with_their_tokens(bench: BenchFixture) -> None:
    bench.do("preregister", name="Gateway {serial}", description="line 7", only="HB-1")

    target = bench.target("HB-1")
    assert target["name"] == "Gateway HB-1"
    assert target["description"] == "line 7"
    credential = bench.context.devices["HB-1"].credential
    assert isinstance(credential, TargetToken)
    assert target["securityToken"] == credential.token
    assert bench.target("HB-2") is None


def test_preregister_in_batches_sends_no_more_than_said(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, count=7)

    bench.do("preregister", batch=3)

    posts = [event for event in bench.events if posted(event.envelope, "/targets")]
    assert len(posts) == 3
    assert bench.target("HB-7") is not None


def posted(envelope: object, ending: str) -> bool:
    return isinstance(envelope, HttpRequest) and envelope.method == "POST" and envelope.path.endswith(ending)


def test_preregister_of_a_list_takes_its_tokens(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text("serial,token\nA-1,secret-of-a-1\nA-2,\n")
    bench = BenchFixture(tmp_path)
    action = {"csv": str(tmp_path / "units.csv")}

    bench.do("preregister", **action)

    assert bench.target("A-1")["securityToken"] == "secret-of-a-1"
    assert len(bench.target("A-2")["securityToken"]) == 32


def test_power_on_starts_devices_evenly_over_the_spread(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, count=4)
    began_us = bench.driver.now_us()

    bench.do("power_on", spread="8s")
    bench.wait(10)

    starts = [to_s(event.at_us - began_us) for event in bench.events if event.kind == "power_on"]
    assert starts == [0.0, 2.0, 4.0, 6.0]


def test_power_on_of_some_leaves_the_others_off(bench: BenchFixture) -> None:
    bench.do("power_on", only="*-2")
    bench.wait(1)

    assert [device.serial for device in bench.context.devices.values() if device.agent.is_on] == ["HB-2"]


def test_power_on_with_a_cut_cuts_once_and_comes_back(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("power_on", only="HB-1", cut_at="poll#2:sent", off="3s")
    bench.wait(10)

    (cut,) = bench.seen("power_cut")
    first, second = bench.seen("power_on")
    assert first.at_us < cut.at_us
    assert to_s(second.at_us - cut.at_us) == 3.0
    assert bench.context.cuts["HB-1"].fired


def test_power_cut_ends_everything(bench: BenchFixture) -> None:
    online(bench)
    bench.do("power_cut", only="HB-1")
    seen = len(bench.seen("sent"))
    bench.wait(5)

    assert len(bench.seen("sent")) == seen
    assert not bench.context.devices["HB-1"].agent.is_on
    assert bench.context.devices["HB-2"].agent.is_on


def test_power_cycle_is_off_for_as_long_as_said(bench: BenchFixture) -> None:
    online(bench)
    bench.do("power_cycle", only="HB-1", off="4s")
    bench.wait(6)

    (cut,) = bench.seen("power_cut")
    assert to_s(bench.seen("power_on")[-1].at_us - cut.at_us) == 4.0
    assert bench.context.devices["HB-1"].agent.stage is Stage.ONLINE


def test_wait_lets_time_pass(bench: BenchFixture) -> None:
    before_us = bench.driver.now_us()
    bench.do_plain("wait", "90s")
    assert to_s(bench.driver.now_us() - before_us) == 90.0


def test_deploy_waits_for_the_first_contact_and_assigns(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("power_on", spread="4s")
    bench.do("deploy", version="1.0", size="10KiB", type="soft")

    assert bench.target("HB-2")["updateStatus"] == "pending"
    (action,) = bench.run(bench.admin.actions("HB-2"))
    assert (action["forceType"], action["active"]) == ("soft", True)
    assert bench.seen("received", "HB-2", "poll"), "the server had heard of both"


def test_deploy_before_contact_assigns_at_once_and_devices_install(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("deploy", version="1.0", before_contact=True, to="HB-1")
    bench.do("power_on")
    bench.wait(20)

    assert bench.run(bench.admin.set_version("HB-1", "installedDS")) == "1.0"
    assert bench.run(bench.admin.set_version("HB-2", "installedDS")) is None


def test_deploy_of_a_version_that_is_there_makes_no_second_one(bench: BenchFixture) -> None:
    online(bench)
    bench.do("deploy", version="1.0", to="HB-1")
    bench.do("deploy", version="1.0", to="HB-2")

    assert len(bench.run(bench.admin.search("/distributionsets"))) == 1


def test_deploy_to_devices_that_never_call_breaks_the_bench(bench: BenchFixture) -> None:
    bench.do("preregister")
    with pytest.raises(BrokenBench, match=r"HB-1 did not call the server within 60 s.*before_contact"):
        bench.do("deploy", version="1.0")


def test_images_differ_by_version_and_are_the_same_in_each_run() -> None:
    assert len(body_bytes(made_image("1.0", 1000))) == 1000
    assert body_bytes(made_image("1.0", 64)) != body_bytes(made_image("1.1", 64))
    assert made_image("1.0", 64) == made_image("1.0", 64)


def test_cancel_asks_softly(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("deploy", version="1.0", before_contact=True)
    bench.do("cancel", only="HB-1")

    assert [action["status"] for action in bench.run(bench.admin.actions("HB-1"))] == ["canceling"]
    assert [action["status"] for action in bench.run(bench.admin.actions("HB-2"))] == ["running"]


def test_cancel_of_a_version_finds_its_action(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("configure", **{"repository.actions.autoclose.enabled": False})
    bench.do("deploy", version="1.0", before_contact=True)
    bench.do("cancel", version="1.0")
    assert bench.run(bench.admin.actions("HB-1"))[0]["status"] == "canceling"

    bench.do("deploy", version="2.0", before_contact=True)
    with pytest.raises(BrokenBench, match=r"HB-1 has no open action of version 1\.0"):
        bench.do("cancel", version="1.0")
    bench.do("cancel", version="2.0")


def test_cancel_without_an_open_action_breaks_the_bench(bench: BenchFixture) -> None:
    bench.do("preregister")
    with pytest.raises(BrokenBench, match="HB-1 has no open action that could be cancelled; deploy something first"):
        bench.do("cancel")


def test_delete_removes_the_records(bench: BenchFixture) -> None:
    bench.do("preregister")
    bench.do("delete", only="HB-1")
    bench.do("delete", only="HB-1")  # gone already is as good

    assert bench.target("HB-1") is None
    assert bench.target("HB-2") is not None


def test_rotate_target_tokens_without_telling_the_devices(bench: BenchFixture) -> None:
    online(bench)
    before = bench.target("HB-1")["securityToken"]
    bench.do("rotate", what="target_token", tell_device=False)
    bench.wait(3)

    assert bench.target("HB-1")["securityToken"] not in {before, bench.target("HB-2")["securityToken"]}
    assert bench.context.devices["HB-1"].agent.stage is Stage.REFUSED


def test_rotate_target_tokens_and_tell_the_devices(bench: BenchFixture) -> None:
    online(bench)
    bench.do("rotate", what="target_token", only="HB-1")
    bench.wait(3)

    assert bench.context.devices["HB-1"].credential == TargetToken(bench.target("HB-1")["securityToken"])
    assert bench.context.devices["HB-1"].agent.stage is Stage.ONLINE
    assert len(bench.seen("power_on", "HB-1")) == 2
    assert len(bench.seen("power_on", "HB-2")) == 1


def test_rotate_the_gateway_token(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path, credential="gateway_token")
    bench.do("power_on")
    bench.wait(2)
    before = bench.hawkbit.gateway_key
    bench.do("rotate", what="gateway_token", only="HB-1")
    bench.wait(4)

    config = bench.run(bench.admin.read_config())
    assert config["authentication.gatewaytoken.key"]["value"] == bench.hawkbit.gateway_key != before
    assert bench.context.devices["HB-1"].credential == GatewayToken(bench.hawkbit.gateway_key)
    assert bench.context.devices["HB-1"].agent.stage is Stage.ONLINE
    assert bench.context.devices["HB-2"].agent.stage is Stage.REFUSED


def test_set_and_request_attributes(bench: BenchFixture) -> None:
    online(bench)
    bench.do("set_attributes", only="HB-1", attributes={"hw": "3"}, mode="replace")
    bench.do("request_attributes", only="HB-1")
    bench.wait(4)

    assert bench.run(bench.admin.attributes("HB-1")) == {"hw": "3"}
    assert len(bench.seen("power_on", "HB-1")) == 2, "a device that is on starts anew"


@pytest.mark.parametrize(
    ("credential", "status"),
    [("target_token", 200), ("wrong_target_token", 401), ("none", 401), ("gateway_token", 200)],
)
def test_each_credential_is_what_it_says(tmp_path: Path, credential: str, status: int) -> None:
    bench = BenchFixture(tmp_path, credential=credential)
    bench.do("preregister")
    bench.do("power_on")
    bench.wait(1)

    answer: Any = bench.seen("received", name="poll")[0].envelope
    assert isinstance(answer, HttpResponse)
    assert answer.status == status
