"""Devices as somebody writes them in an hour: the standard library and the variables that `register` wrote."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

EVERY_S = 0.05
JSON = "application/json"


def updater(given: Mapping[str, str], over: threading.Event) -> None:
    """It polls a hawkBit, downloads what it is told to, and says that it has installed it."""
    _update(given, over, {"finished": "success"}, "written to slot B")


def broken_updater(given: Mapping[str, str], over: threading.Event) -> None:
    _update(given, over, {"finished": "failure"}, "no space left")


def _update(given: Mapping[str, str], over: threading.Event, result: Mapping[str, str], said: str) -> None:
    own = f"{given['url']}/{given['tenant']}/controller/v1/{given['id']}"
    headers = {"Authorization": f"TargetToken {given['token']}"}
    while not over.wait(EVERY_S):
        links = call(own, headers)["_links"]
        if "deploymentBase" not in links:
            continue
        job = call(links["deploymentBase"]["href"], headers)
        for chunk in job["deployment"]["chunks"]:
            for artifact in chunk["artifacts"]:
                with urlopen(Request(artifact["_links"]["download-http"]["href"], headers=headers)) as download:
                    assert len(download.read()) == artifact["size"]
        status = {"execution": "closed", "result": result, "details": [said]}
        call(f"{own}/deploymentBase/{job['id']}/feedback", headers, {"status": status})


def thing(given: Mapping[str, str], over: threading.Event) -> None:
    """It asks a ThingsBoard for its firmware over HTTP, and says in its telemetry how far it is."""
    own = f"{given['url']}/api/v1/{given['access_token']}"
    done = ""
    while not over.wait(EVERY_S):
        shared = call(f"{own}/attributes?sharedKeys=fw_title,fw_version").get("shared", {})
        version = shared.get("fw_version", "")
        if version in ("", done):
            continue
        call(f"{own}/telemetry", {}, {"fw_state": "DOWNLOADING"})
        with urlopen(f"{own}/firmware?title={shared['fw_title']}&version={version}") as download:
            is_good = download.read().startswith(b"an image")
        said = {"fw_state": "UPDATED"} if is_good else {"fw_error": "no image of ours", "fw_state": "FAILED"}
        call(f"{own}/telemetry", {}, said)
        done = version


def call(url: str, headers: Mapping[str, str] | None = None, body: object = None) -> Any:
    """The document of the answer; empty when it has none."""
    sent = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, sent, {**(headers or {}), "Content-Type": JSON, "Accept": JSON})) as answer:
        text = answer.read()
    return json.loads(text) if text else {}
