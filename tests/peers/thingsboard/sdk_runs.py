"""Runs of `sdk_device.py`, and what they say."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.thingsboard.serving import KEY, SECRET

DEVICE = Path(__file__).with_name("sdk_device.py")
WITHIN_S = 120.0


@dataclass(frozen=True)
class SdkRun:
    """What the SDK gave back (None: nothing), and what it logged."""

    returncode: int
    reply: Any
    stderr: str


def ran(python: str, *words: str, **environment: str) -> SdkRun:
    command, around = [python, str(DEVICE), *words], {**os.environ, **environment}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False, env=around)
    return SdkRun(ended.returncode, json.loads(ended.stdout or "null"), ended.stderr)


def asked(name: str, secret: str = SECRET, **more: object) -> str:
    """Arguments of the SDK's `provision`."""
    known = {"provision_device_key": KEY, "provision_device_secret": secret, "device_name": name}
    return json.dumps({**known, **more})
