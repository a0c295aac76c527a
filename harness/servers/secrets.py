"""Secrets come by reference: `env:NAME`, or a file that only its owner can read. Never as a word of a command line."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import why_no_basic_account, why_no_header_text
from fleetrig.simulator.contract.identity import UserPassword

MAX_BYTES: Final = 4096


def from_environment(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """What `env:NAME` names. Raises UsageError when there is no such variable, or it is empty."""
    name = text.removeprefix("env:")
    if not environ.get(name):
        raise UsageError(f"the environment has no variable {name}, which {text} names")
    return environ[name]


def secret_from(text: str, what: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret that an option refers to; `what` names the option. Raises UsageError, without the text it got."""
    if text.startswith("env:"):
        return from_environment(text, environ)
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"{what} takes no secret itself, since others can see command lines: give env:NAME or a file")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"{path} can be read by others: chmod 600 {path}")
    try:
        with path.open("rb") as file:
            secret = file.read(MAX_BYTES).decode().strip()
    except UnicodeDecodeError:
        raise UsageError(f"{path}, which {what} names, is not UTF-8 text") from None
    except OSError as wrong:
        raise UsageError(f"cannot read {path}, which {what} names: {why_unread(path, wrong)}") from None
    if not secret:
        raise UsageError(f"{path}, which {what} names, is empty")
    return secret


def checked_token(token: str, what: str) -> str:
    """The same token. Raises UsageError for one that no header can carry; `what` names where it came from."""
    if why := why_no_header_text(token):
        raise UsageError(f"{what}: the token {why}, so no device can send it")
    return token


def checked_account(user: str, password: str, what: str) -> UserPassword:
    """The account. Raises UsageError for one that HTTP Basic cannot carry; `what` names where it came from."""
    if why := why_no_basic_account(user, password):
        raise UsageError(f"{what}: {why}")
    return UserPassword(user, password)
