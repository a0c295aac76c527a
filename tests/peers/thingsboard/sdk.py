"""The environment of ThingsBoard's own SDK: `build/tb-sdk`, made from `sdk.lock` when it is not there.

The lock names mmh3 too, which the SDK would install by itself when it is imported (`test_sdk_deviations.py`).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("sdk.lock")
ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "build" / "tb-sdk"
PYTHON = HOME / "bin" / "python"
STAMP = HOME / ".installed"


def sdk_python() -> str:
    """Its interpreter. It is apart from ours because the SDK brings a fork of paho-mqtt under paho-mqtt's name."""
    HOME.parent.mkdir(exist_ok=True)
    with HOME.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_fresh():
            _install()
    return os.fspath(PYTHON)


def _is_fresh() -> bool:
    return STAMP.exists() and STAMP.stat().st_mtime >= LOCK.stat().st_mtime


def _install() -> None:
    quiet = ("--disable-pip-version-check", "-q")
    pip = [os.fspath(PYTHON), "-m", "pip", *quiet, "install", "--require-hashes", "-r", os.fspath(LOCK)]
    subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
    subprocess.run(pip, check=True)
    STAMP.touch()
