"""Giving a board its identity over its console: files on Linux, variables in U-Boot's environment, or a certificate
for a key that the board makes itself and never shows. All of it is read back and compared.

Secrets are taught to the console first, also in the form in which they are typed; what is told are fingerprints.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.consoles.command_reading import CommandResult
from fleetrig.hil.consoles.console import Console
from fleetrig.simulator.contract.errors import UsageError

FINGERPRINT_CHARS: Final = 16
BASE64_LINE_BYTES: Final = 57
"""76 characters, as in MIME: a terminal that reads lines takes at most 4,095."""
WRITE_WITHIN_S: Final = 30.0
KEY_WITHIN_S: Final = 60.0
UBOOT_VALUE: Final = re.compile(r"[A-Za-z0-9._~:/@+=,-]+")
"""What U-Boot's shell takes as it is between single quotes, whatever its version."""
UBOOT_NAME: Final = re.compile(r"[A-Za-z0-9_.#-]+")
REQUEST: Final = re.compile(r"-----BEGIN CERTIFICATE REQUEST-----\n.*?\n-----END CERTIFICATE REQUEST-----", re.DOTALL)

Sign = Callable[[bytes], bytes]
"""A certificate signing request (PEM) -> the certificate with its chain (PEM), of our authority."""


class IdentityFailed(BoardFailed):
    """The board did not take its identity, or gives back another. Says no secret."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the board has now, by path or variable. Fit for a unit record."""

    fingerprints: Mapping[str, str]


def fingerprint(data: bytes) -> str:
    """The beginning of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:FINGERPRINT_CHARS]


async def write_files(console: Console, files: Mapping[str, bytes], mode: str = "600") -> Written:
    """Writes each file whole or not at all (a new one, then moved), and compares its SHA-256 on the board.

    Needs `head`, `base64` and `sha256sum` there (busybox has them). Raises IdentityFailed, ConsoleFailed, PortLost.
    """
    for path, content in files.items():
        lines = _typed_lines(content)
        for line in lines:
            console.secrets.learn("typed", line)
        new, old = shlex.quote(f"{path}.new"), shlex.quote(path)
        put = f"umask 077; head -n {len(lines)} | base64 -d > {new}"
        _must(await console.run(put, WRITE_WITHIN_S, feed=lines), f"write {path}")
        _must(await console.run(f"chmod {mode} {new} && mv {new} {old} && sync", WRITE_WITHIN_S), f"keep {path}")
        read_back = _must(await console.run(f"sha256sum {old}", WRITE_WITHIN_S), f"read {path} back")
        if hashlib.sha256(content).hexdigest() not in read_back.output.split():
            raise IdentityFailed(
                f"{path} differs on the board: expected SHA-256 {fingerprint(content)}…, got "
                f"{read_back.output[:FINGERPRINT_CHARS]}…; is its storage full, or is it mounted read-only?"
            )
    return Written({path: fingerprint(content) for path, content in files.items()})


def _typed_lines(content: bytes) -> list[str]:
    """At least one: an empty file is an empty line."""
    pieces = [content[at : at + BASE64_LINE_BYTES] for at in range(0, len(content), BASE64_LINE_BYTES)]
    return [base64.b64encode(piece).decode() for piece in pieces] or [""]


async def write_variables(console: Console, variables: Mapping[str, str], secret: frozenset[str]) -> Written:
    """Sets them in U-Boot's environment, compares each, and saves it. `secret`: names whose values are never shown.

    Raises UsageError (a value that its shell would change), IdentityFailed, ConsoleFailed, PortLost.
    """
    for name, value in variables.items():
        if not UBOOT_NAME.fullmatch(name) or not UBOOT_VALUE.fullmatch(value):
            shown = "its value" if name in secret else repr(value)
            raise UsageError(f"U-Boot's variable {name!r}: {shown} has characters other than {UBOOT_VALUE.pattern}")
        if name in secret:
            console.secrets.learn(name, value)
    for name, value in variables.items():
        _must(await console.run(f"setenv {name} '{value}'"), f"set {name}")
        got = _must(await console.run(f"printenv {name}"), f"read {name} back").output
        if got != f"{name}={value}":
            raise IdentityFailed(
                f"{name} differs on the board: expected fingerprint {fingerprint(value.encode())}, got "
                f"{fingerprint(got.partition('=')[2].encode())}; does this U-Boot let {name} be written once only?"
            )
    _must(await console.run("saveenv", WRITE_WITHIN_S), "save the environment: it is lost with the power")
    return Written({name: fingerprint(value.encode()) for name, value in variables.items()})


@dataclass(frozen=True, slots=True)
class KeyPlaces:
    """Where key and certificate lie on the board."""

    key: str = "/etc/fleetrig/device.key"
    certificate: str = "/etc/fleetrig/device.pem"


async def certify(console: Console, serial: str, sign: Sign, places: KeyPlaces = KeyPlaces()) -> Written:
    """The board makes a P-256 key, `sign` signs its request, and the certificate is written back and fits the key.

    Needs `openssl` there. Raises IdentityFailed, ConsoleFailed, PortLost, and what `sign` raises.
    """
    if "/" in serial or not serial.isprintable():
        raise UsageError(f"a serial number in a subject has no slash and no control characters, got {serial!r}")
    key, certificate = shlex.quote(places.key), shlex.quote(places.certificate)
    await _make_key(console, key)
    ask = f"openssl req -new -key {key} -subj {shlex.quote(f'/CN={serial}')}"
    said = _must(await console.run(ask, KEY_WITHIN_S), "make a signing request").output
    request = REQUEST.search(said)
    if request is None:
        raise IdentityFailed(f"expected a certificate signing request of `openssl req`, got {said[:200]!r}")
    chain = sign(request.group().encode() + b"\n")
    written = await write_files(console, {places.certificate: chain}, mode="644")
    ours = await console.run(f"openssl pkey -in {key} -pubout", KEY_WITHIN_S)
    theirs = await console.run(f"openssl x509 -in {certificate} -noout -pubkey", KEY_WITHIN_S)
    if _must(ours, "show its public key").output != _must(theirs, "read its certificate").output:
        raise IdentityFailed(
            f"the certificate in {places.certificate} is for another key than {places.key}: the request was mixed up"
        )
    return written


async def _make_key(console: Console, key: str) -> None:
    make = f"umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {key} 2>/dev/null"
    _must(await console.run(make, KEY_WITHIN_S), f"make a key in {key}")


def _must(result: CommandResult, what: str) -> CommandResult:
    """Raises IdentityFailed, without the command, which may hold a secret."""
    if result.status == 0:
        return result
    missing = ": a program that it needs is not there" if result.status == 127 else ""
    raise IdentityFailed(f"the board could not {what}: exit status {result.status}{missing}")
