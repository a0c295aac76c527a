"""What a request is called, told from the wire alone."""

from __future__ import annotations

import pytest

from fleetrig.harness.platforms.hawkbit.device_call import device_call
from fleetrig.simulator.contract.http import FileSlice, HttpRequest

DEVICE = "/DEFAULT/controller/v1/dev-1"


def named(method: str, path: str, body: bytes | FileSlice = b"") -> str:
    call = device_call(HttpRequest(method, "http://h", path, (), body))
    return "" if call is None else call.name


@pytest.mark.parametrize(
    ("method", "inside", "name"),
    [
        ("GET", "", "poll"),
        ("GET", "?x=1", "poll"),
        ("HEAD", "", "poll-head"),
        ("PUT", "/configData", "configData"),
        ("GET", "/deploymentBase/12?c=-5&actionHistory=2", "deploymentBase"),
        ("GET", "/cancelAction/12", "cancelAction"),
        ("POST", "/deploymentBase/12/feedback", "feedback"),
        ("GET", "/installedBase/9", "installedBase"),
        ("PUT", "/installedBase", "installedBase"),
        ("GET", "/confirmationBase", "confirmationBase"),
        ("GET", "/confirmationBase/3?c=1", "confirmationBase"),
        ("POST", "/confirmationBase/activateAutoConfirm", "activateAutoConfirm"),
        ("POST", "/confirmationBase/deactivateAutoConfirm", "deactivateAutoConfirm"),
        ("GET", "/softwaremodules/1/artifacts", "artifacts"),
        ("GET", "/softwaremodules/1/artifacts/fw.bin", "download"),
        ("HEAD", "/softwaremodules/1/artifacts/fw.bin", "download-head"),
        ("GET", "/softwaremodules/1/artifacts/fw.bin.MD5SUM", "download-md5"),
        ("GET", "/configData/more", "unknown"),
        ("GET", "/somethingElse", "unknown"),
    ],
)
def test_names(method: str, inside: str, name: str) -> None:
    assert named(method, DEVICE + inside) == name


@pytest.mark.parametrize("where", ["deploymentBase", "cancelAction"])
@pytest.mark.parametrize("execution", ["closed", "proceeding", "canceled", "rejected", "downloaded", "anything"])
def test_reports_are_called_by_what_they_say(where: str, execution: str) -> None:
    body = b'{"id": 1, "status": {"execution": "%s", "result": {"finished": "none"}}}' % execution.encode()
    assert named("POST", f"{DEVICE}/{where}/12/feedback", body) == f"feedback-{execution}"


def test_confirmations_too() -> None:
    assert named("POST", f"{DEVICE}/confirmationBase/1/feedback", b'{"confirmation": "denied"}') == "feedback-denied"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"status": 1}', b"\xff\xfe", FileSlice("/no/such/file", 0, 9)])
def test_a_report_that_cannot_be_read_is_a_report(body: bytes | FileSlice) -> None:
    assert named("POST", f"{DEVICE}/deploymentBase/12/feedback", body) == "feedback"


@pytest.mark.parametrize(
    ("path", "device"),
    [
        (DEVICE, "dev-1"),
        ("/default/controller/v1/00%3A1A%2D2", "00:1A-2"),
        ("/elsewhere/DEFAULT/controller/v1/dev-1/configData", "dev-1"),
        ("/behind/a/proxy/DEFAULT/controller/v1/d%20x", "d x"),
    ],
)
def test_whose_it_is(path: str, device: str) -> None:
    call = device_call(HttpRequest("GET", "http://h", path))
    assert call is not None
    assert call.device == device


@pytest.mark.parametrize("path", ["/rest/v1/targets/dev-1", "/", "/DEFAULT/controller/v1/", "/DEFAULT/controller/v2/x"])
def test_what_no_device_asks_for(path: str) -> None:
    assert device_call(HttpRequest("GET", "http://h", path)) is None
