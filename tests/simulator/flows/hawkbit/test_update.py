"""Deployments on a device, effect by effect: rows V14 to V20 and V23 to V27."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.effects import Apply, Download, Pause
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from tests.simulator.flows.played import BASE, IMAGE, URL, Played, deployment, polled

HREF = "deploymentBase/12?c=-2122565939"
WHOLE_UPDATE = ["deploymentBase", "feedback-proceeding", "download", "feedback-downloaded", "feedback-closed"]
QUICK = HawkbitSettings(URL, install_s=2.0, backoff=Backoff(Policy.FIXED, base_s=1.0))
OFFERED = polled("00:01:00", deploymentBase=HREF)


def offered(document: object, settings: HawkbitSettings = QUICK, poll: object = OFFERED) -> Played:
    """A device that has just read this deployment."""
    device = Played(settings)
    device.poll(poll)
    assert device.name == "deploymentBase"
    device.reply(200, document)
    return device


def offer_again(device: Played, document: object, href: str = HREF) -> None:
    """The next poll offers it once more."""
    device.until("poll")
    device.poll(polled("00:01:00", deploymentBase=href))
    assert device.name == "deploymentBase"
    device.reply(200, document)


def closed_with(device: Played) -> tuple[str, list[str]]:
    """What the final report says: result and details."""
    assert device.name == "feedback-closed", device.name
    status = device.body["status"]
    assert status["execution"] == "closed"
    return status["result"]["finished"], status.get("details", [])


def test_v14_the_whole_of_it() -> None:
    device = Played(QUICK)
    device.poll(OFFERED)
    assert (device.request.method, device.request.url) == ("GET", f"{BASE}/{HREF}")
    device.reply(200, deployment())
    assert device.stage == "updating"
    assert device.request.url == f"{BASE}/deploymentBase/12/feedback"
    assert device.body == {"status": {"execution": "proceeding", "result": {"finished": "none"}}}
    device.reply()
    assert device.request.url == f"{BASE}/softwaremodules/7/artifacts/fw-1.bin"
    device.downloaded()
    assert device.body["status"] == {"execution": "downloaded", "result": {"finished": "none"}}
    device.reply()
    assert device.effect == Apply("12", 1.0)
    device.done()
    device.done()
    assert closed_with(device) == ("success", [])
    assert device.agent.remembered["progress"] == "success"  # before it is told
    device.reply()
    assert device.stage == "online"
    assert device.pause == Pause(60.0, 60.0, "poll interval")
    assert device.asked() == WHOLE_UPDATE


def test_every_file_is_fetched() -> None:
    device = offered(deployment(files=3))
    device.until("feedback-closed")
    assert device.log.count("download") == 3
    assert closed_with(device) == ("success", [])


@pytest.mark.parametrize(
    ("status", "why"), [(500, "answered 500"), (503, "answered 503"), (0, "had no answer (reset)")]
)
def test_v38_nobody_asks_for_ever(status: int, why: str) -> None:
    """Three rounds of five tries, one for each poll; then the update has failed."""
    device = offered(deployment())
    for _ in range(200):
        match device.effect:
            case Download() if status:
                device.downloaded(b"", status, received_bytes=0)
            case Download():
                device.no_reply("reset")
            case _ if device.name == "poll":
                device.poll(OFFERED)
            case _ if device.name == "deploymentBase":
                device.reply(200, deployment())
            case _ if device.name == "feedback-closed":
                break
            case Pause() | Apply():
                device.done()
            case _:
                device.reply()
    assert closed_with(device) == ("failure", [f"download of fw-1.bin {why}, again and again"])
    assert device.log.count("download") == 15


def test_v38_a_file_that_came_after_all_starts_the_count_anew() -> None:
    device = offered(deployment(files=2))
    device.until("download")
    for _ in range(5):
        device.downloaded(b"", 500, received_bytes=0)
        device.until("download" if device.name != "pause-poll-interval" else "pause-poll-interval")
    offer_again(device, deployment(files=2))
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


def test_an_installation_takes_as_long_as_it_takes() -> None:
    device = offered(deployment(), HawkbitSettings(URL, install_s=2.5, install_slice_s=1.0))
    slices = []
    device.until("apply")
    while isinstance(device.effect, Apply):
        slices.append(device.effect.slice_s)
        device.done()
    assert slices == [1.0, 1.0, 0.5]
    device = offered(deployment(), HawkbitSettings(URL, install_s=0.0))
    device.until("feedback-closed")
    assert "apply" not in device.log


def test_an_installation_that_fails_says_so() -> None:
    device = offered(deployment(), HawkbitSettings(URL, install_fails=True))
    device.until("feedback-closed")
    assert closed_with(device) == ("failure", ["installation failed"])
    device.reply(500)
    device.until("poll")
    offer_again(device, deployment())
    assert closed_with(device) == ("failure", ["installation failed"])  # it remembers why, too


@pytest.mark.parametrize("answer", [404, 401, 500, 429])
def test_a_deployment_that_cannot_be_read_is_asked_for_at_the_next_poll(answer: int) -> None:
    device = Played(QUICK)
    device.poll(OFFERED)
    device.reply(answer)
    assert device.pause == Pause(60.0, 60.0, "poll interval")
    assert device.stage == "online"


@pytest.mark.parametrize("document", [{}, [], {"id": "12"}, {"id": "12", "deployment": {"download": "forced"}}, b"<"])
def test_an_odd_deployment_is_asked_for_at_the_next_poll(document: Any) -> None:
    device = offered(document)
    assert device.name == "pause-poll-interval"


@pytest.mark.parametrize("wrong", ["sha1", "md5", "sha256"])
def test_v15_a_wrong_hash_is_not_installed(wrong: str) -> None:
    document = deployment()
    document["deployment"]["chunks"][0]["artifacts"][0]["hashes"][wrong] = "0" * 40
    device = offered(document)
    device.until("download")
    device.downloaded()
    assert closed_with(device) == ("failure", [f"{wrong} of fw-1.bin differs"])
    assert "apply" not in device.log
    assert "feedback-downloaded" not in device.log


def test_v15_upper_case_hashes_are_hashes() -> None:
    document = deployment()
    hashes = document["deployment"]["chunks"][0]["artifacts"][0]["hashes"]
    hashes["sha1"] = hashes["sha1"].upper()
    device = offered(document)
    device.until("feedback-closed")
    assert closed_with(device)[0] == "success"


@pytest.mark.parametrize("data", [IMAGE[:-1], IMAGE + b"x", b""])
def test_v15_a_wrong_size_is_not_installed(data: bytes) -> None:
    device = offered(deployment())
    device.until("download")
    assert isinstance(device.effect, Download)
    assert device.effect.at_most_bytes == len(IMAGE)
    device.downloaded(data)
    assert closed_with(device) == ("failure", [f"fw-1.bin has {len(data)} bytes, expected {len(IMAGE)}"])


def test_a_file_without_a_link_is_a_failure() -> None:
    document = deployment()
    document["deployment"]["chunks"][0]["artifacts"].append({"filename": "second.bin"})
    device = offered(document)
    device.until("feedback-closed")
    assert closed_with(device) == ("failure", ["the deployment names no usable link to second.bin"])
    assert "apply" not in device.log


def test_v16_a_cut_download_goes_on_where_it_stopped() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(IMAGE[:300], cut=True)
    assert device.pause == Pause(1.0, 1.0, "download retry")
    device.done()
    assert device.request.header("Range") == "bytes=300-"
    device.no_reply("reset")
    device.done()
    assert device.request.header("Range") == "bytes=300-"
    device.downloaded(IMAGE, 206, received_bytes=len(IMAGE) - 300)
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


def test_v16_a_file_pieced_together_wrongly_is_fetched_as_a_whole() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(IMAGE[:300], cut=True)
    device.done()
    device.downloaded(IMAGE[:300] + b"?" * 724, 206, received_bytes=724)
    device.done()
    assert device.name == "download"
    assert device.request.header("Range") is None
    device.downloaded()
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


def test_v16_a_206_from_another_byte_is_not_trusted_even_without_hashes() -> None:
    document = deployment()
    artifact = document["deployment"]["chunks"][0]["artifacts"][0]
    del artifact["hashes"], artifact["size"]
    device = offered(document)
    device.until("download")
    device.downloaded(IMAGE[:300], cut=True)
    device.done()
    device.downloaded(IMAGE[500:], 206)  # the storage began anew: 524 bytes, not 300 + 524
    device.done()
    assert device.request.header("Range") is None


def test_v17_a_200_to_a_range_is_a_new_file() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(IMAGE[:300], cut=True)
    device.done()
    device.downloaded(IMAGE)
    assert device.name == "feedback-downloaded"


def test_a_416_starts_again() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(IMAGE, cut=True)
    device.done()
    assert device.request.header("Range") == f"bytes={len(IMAGE)}-"
    device.downloaded(b"", 416)
    device.done()
    assert device.request.header("Range") is None


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403, 301])
def test_a_download_that_may_work_later_is_given_up_for_now(status: int) -> None:
    device = offered(deployment())
    device.until("download")
    for attempt in range(5):
        assert device.name == "download", attempt
        device.downloaded(b"", status)
        if attempt < 4:
            assert device.pause == Pause(1.0, 1.0, "download retry")
            device.done()
    assert device.stage == "online"
    assert device.name == "pause-poll-interval"
    offer_again(device, deployment())
    assert device.name == "download", "it has told that it is proceeding"
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


def test_a_download_waits_as_long_as_it_is_told() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(b"", 503, headers=(("Retry-After", "40"),))
    assert device.pause == Pause(40.0, 45.0, "download retry")


def test_a_file_that_is_not_there_is_a_failure_unless_the_action_was_called_off() -> None:
    device = offered(deployment())
    device.until("download")
    device.downloaded(b"", 404)
    device.poll(OFFERED)
    assert closed_with(device) == ("failure", ["download of fw-1.bin answered 404"])

    device = offered(deployment())
    device.until("download")
    device.downloaded(b"", 404)
    device.poll(polled("00:01:00"))
    assert device.name == "pause-poll-interval"
    assert "feedback-closed" not in device.log


DOWNLOAD_ONLY = deployment(update="skip")
CLOSED_WINDOW = deployment(update="skip", window="unavailable")
FORCED_BUT_CLOSED = deployment(update="forced", window="unavailable")


@pytest.mark.parametrize("document", [DOWNLOAD_ONLY, CLOSED_WINDOW, FORCED_BUT_CLOSED])
def test_v18_v20_fetches_once_reports_once_and_waits(document: dict[str, Any]) -> None:
    device = offered(document)
    device.until("pause-poll-interval")
    assert device.asked() == ["deploymentBase", "feedback-proceeding", "download", "feedback-downloaded"]
    assert device.stage == "online"
    before = len(device.log)
    for _ in range(5):
        offer_again(device, document)
        assert device.name == "pause-poll-interval"
    assert set(device.log[before:]) == {"poll", "deploymentBase", "pause-poll-interval"}
    assert "apply" not in device.log


def test_v18_v20_waits_through_power_cycles_too() -> None:
    device = offered(CLOSED_WINDOW)
    device.until("pause-poll-interval")
    device.power_cycle()
    offer_again(device, CLOSED_WINDOW)
    assert device.name == "pause-poll-interval"


def test_v20_installs_when_the_window_opens_without_fetching_again() -> None:
    device = offered(CLOSED_WINDOW)
    device.until("pause-poll-interval")
    before = len(device.log)
    offer_again(device, deployment(window="available"), "deploymentBase/12?c=7")
    assert device.stage == "updating"
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])
    assert device.log[before:].count("apply") == 2
    assert "download" not in device.log[before:]
    assert "feedback-downloaded" not in device.log[before:]


def test_v18_a_downloaded_that_nobody_heard_is_told_again() -> None:
    """A download-only action ends with that report: it must not be lost."""
    device = offered(DOWNLOAD_ONLY)
    device.until("feedback-downloaded")
    for _ in range(3):
        device.no_reply()
        if device.name == "pause-report-retry":
            device.done()
    assert device.name == "pause-poll-interval"
    offer_again(device, DOWNLOAD_ONLY)
    assert device.name == "feedback-downloaded"
    device.reply()
    offer_again(device, DOWNLOAD_ONLY)
    assert device.name == "pause-poll-interval"
    assert device.log.count("download") == 1


def test_v19_download_skip_does_nothing_yet() -> None:
    device = offered(deployment(download="skip", update="skip"))
    assert device.name == "pause-poll-interval"
    assert device.stage == "online"
    offer_again(device, deployment())
    assert device.name == "feedback-proceeding"


@pytest.mark.parametrize("at", ["feedback-proceeding", "feedback-downloaded", "feedback-closed"])
def test_v23_a_410_ends_all_talk_about_the_action(at: str) -> None:
    device = offered(deployment())
    device.until(at)
    device.reply(410)
    assert device.name == "pause-poll-interval"
    assert device.stage == "online"
    before = len(device.asked())
    for _ in range(3):
        offer_again(device, deployment())
        assert device.name == "pause-poll-interval"
    device.power_cycle()
    offer_again(device, deployment())
    assert set(device.asked()[before:]) == {"deploymentBase"}
    offer_again(device, deployment("13"), "deploymentBase/13?c=1")
    assert device.name == "feedback-proceeding"


@pytest.mark.parametrize("at", ["feedback-proceeding", "feedback-downloaded"])
def test_a_404_drops_the_action_for_now(at: str) -> None:
    device = offered(deployment())
    device.until(at)
    device.reply(404)
    assert device.name == "pause-poll-interval"
    assert "apply" not in device.log
    offer_again(device, deployment())
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


@pytest.mark.parametrize("failure", [429, 409, 408, 500, 503, "timeout", "closed", "reset"])
def test_v24_reports_are_repeated_within_bounds_and_the_last_one_is_not_lost(failure: int | str) -> None:
    device = offered(deployment())
    device.until("feedback-closed")
    for again in range(3):
        assert closed_with(device) == ("success", [])
        device.reply(failure) if isinstance(failure, int) else device.no_reply(failure)
        if again < 2:
            assert device.pause == Pause(1.0, 1.0, "report retry")
            device.done()
    assert device.name == "pause-poll-interval"
    before = len(device.log)
    offer_again(device, deployment())
    assert closed_with(device) == ("success", [])
    device.reply()
    assert device.name == "pause-poll-interval"
    assert "apply" not in device.log[before:]


def test_v24_a_busy_server_is_left_alone_between_reports() -> None:
    device = offered(deployment())
    for _ in range(2):
        device.reply(429, headers=(("Retry-After", "30"),))
        assert device.pause == Pause(30.0, 35.0, "report retry")
        device.done()
    device.reply(429, headers=(("Retry-After", "30"),))
    assert device.pause == Pause(30.0, 35.0, "asked to wait")
    device.done()
    assert device.name == "download"


@pytest.mark.parametrize("status", [401, 403, 301])
def test_a_report_that_was_refused_is_not_hammered_in(status: int) -> None:
    device = offered(deployment())
    device.until("feedback-closed")
    device.reply(status)
    assert device.name == "pause-poll-interval"
    offer_again(device, deployment())
    assert closed_with(device) == ("success", [])


def test_a_report_that_is_wrong_in_the_servers_eyes_is_not_repeated() -> None:
    device = offered(DOWNLOAD_ONLY)
    device.until("feedback-downloaded")
    device.reply(400)
    offer_again(device, DOWNLOAD_ONLY)
    assert device.name == "pause-poll-interval"


def test_v25_the_same_action_is_not_installed_twice() -> None:
    device = offered(deployment())
    device.until("pause-poll-interval")
    before = len(device.log)
    offer_again(device, deployment(), "deploymentBase/12?c=99")
    assert closed_with(device) == ("success", [])
    device.reply()
    assert device.stage == "online"
    assert not {"apply", "download", "enter-updating"} & set(device.log[before:])


def test_v26_another_action_takes_the_place_of_one_that_waits() -> None:
    device = offered(CLOSED_WINDOW)
    device.until("pause-poll-interval")
    offer_again(device, deployment("13", IMAGE * 2), "deploymentBase/13?c=1")
    assert device.request.url == f"{BASE}/deploymentBase/13/feedback"
    device.until("download")
    device.downloaded(IMAGE * 2)
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])
    assert device.agent.remembered["action"] == "13"


@pytest.mark.parametrize("at", ["download", "feedback-downloaded", "apply", "feedback-closed"])
def test_v27_a_restart_goes_on_where_it_was(at: str) -> None:
    device = offered(deployment())
    device.until(at)
    device.power_cycle()
    assert device.stage == "enrolled"
    offer_again(device, deployment())
    assert device.name == at
    device.until("feedback-closed")
    assert closed_with(device) == ("success", [])


def test_nothing_is_installed_in_the_dark() -> None:
    """An answer that is lost in mid-update does not let the device skip a step."""
    device = offered(deployment())
    device.no_reply()
    device.done()
    device.no_reply()
    device.done()
    device.no_reply()
    assert device.name == "download", "reports are for the operator; the update goes on"
    device.downloaded()
    device.until("pause-poll-interval")
    assert device.asked()[-2:] == ["feedback-downloaded", "feedback-closed"]
