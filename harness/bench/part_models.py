"""The parts of a board as the bench file writes them: its console, its power, what is emulated."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from fleetrig.harness.bench.one_of import OneOf, word_alone
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.values import Duration, LooseText, Model, PositiveCount, Size, Text
from fleetrig.hil.board import ConsoleKind
from fleetrig.hil.fakes.fake_gateway import FakeFault
from fleetrig.simulator.contract.unreadable import why_no_pattern

KEYS: Final = {"enter": b"\r", "escape": b"\x1b", "space": b" ", "ctrl-c": b"\x03"}
RELAY: Final = r"env:[A-Za-z_][A-Za-z0-9_]*|https?://[^/]+.*"
REFERENCE: Final = r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)"


def secret_reference(text: str) -> str:
    """Secrets stand in no bench file, since such files are shared."""
    if not re.fullmatch(REFERENCE, text):
        raise ValueError("expected env:NAME or file:PATH, since bench files are shared")
    return text


def relay_url(text: str) -> str:
    if not re.fullmatch(RELAY, text):
        raise ValueError("expected http://HOST/…, https://HOST/… or env:NAME")
    return text


def regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"expected a regular expression ({why_no_pattern(wrong)})") from None
    return text


SecretReference = Annotated[
    LooseText, AfterValidator(secret_reference), Field(json_schema_extra={"pattern": REFERENCE})
]
PromptPattern = Annotated[LooseText, AfterValidator(regular_expression)]
RelayUrl = Annotated[Text, AfterValidator(relay_url), Field(json_schema_extra={"pattern": RELAY})]


class ConsolePart(Model):
    """How one talks to the board."""

    kind: ConsoleKind = "linux"
    """What runs there when the board is up; `none` for one that has no console."""
    prompt: PromptPattern = ""
    """A regular expression that the last line fits when the board waits for input; by default that of the kind."""
    login: LooseText = ""
    """Whom to log in as; nobody by default."""
    password: SecretReference | None = None
    """`env:NAME` or `file:PATH`."""
    stop_autoboot: Text = "enter"
    """What to type so that U-Boot does not boot: a text, or `enter`, `escape`, `space`, `ctrl-c`."""
    stop_every_s: Duration = Field(default=0.0, alias="stop_every")
    """For boards that show no countdown: how often to type it while they are silent, such as `100ms`; not with `enter`,
    which repeats U-Boot's last command."""
    chunk_bytes: Annotated[Size, Field(ge=1)] = Field(default=64, alias="chunk")
    """Slow boards lose what comes faster: so much at once, then `pause`."""
    pause_s: Duration = Field(default=0.0, alias="pause")
    """How long after each `chunk`."""

    @model_validator(mode="after")
    def _repeats_no_command(self) -> Self:
        if self.stop_every_s and self.stop_keys == b"\r":
            raise ValueError("stop_every with enter would repeat U-Boot's last command: say stop_autoboot: space")
        return self

    @property
    def stop_keys(self) -> bytes:
        return KEYS.get(self.stop_autoboot, self.stop_autoboot.encode())


class CommandLinePart(Model):
    """Command lines as one types them; they are called without a shell."""

    on: Text
    """What switches it on."""
    off: Text
    """What switches it off."""
    reset: LooseText = ""
    """Off and on again when it is not given."""
    off_s: Duration = Field(default=2.0, alias="off_for")
    """How long the board stays off in a reset."""


class RelayUrlPart(Model):
    """URLs that switch a relay: GET, or POST where a body is given. One with a secret is better `env:NAME`."""

    on: RelayUrl
    """What switches the board on."""
    off: RelayUrl
    """What switches it off."""
    reset: RelayUrl | None = None
    """A relay on the board's reset line; off and on again when it is not given."""
    on_body: LooseText | None = None
    """Sent by POST."""
    off_body: LooseText | None = None
    """Sent by POST."""
    reset_body: LooseText | None = None
    """Sent by POST."""
    off_s: Duration = Field(default=2.0, alias="off_for")
    """How long the board stays off in a reset."""


class UsbHubPart(Model):
    """A hub that can switch its ports, by the program uhubctl."""

    location: Text
    """As uhubctl lists it, such as 1-1.4."""
    port: PositiveCount
    """Of that hub, counted from 1."""
    off_s: Duration = Field(default=2.0, alias="off_for")
    """How long the board stays off in a reset."""


class RtsDtrPart(Model):
    """A line of the board's own serial adapter that is wired to its reset. It cannot cut power."""

    line: Literal["rts", "dtr"] = "rts"
    """Which of them: RTS at most ESP boards, DTR at Arduinos."""
    hold_s: Duration = Field(default=0.1, alias="hold")
    """How long it is held in a reset."""


class ByHandPart(Model):
    """A person is asked."""


class PowerPart(OneOf):
    """Who switches the board."""

    command_line: CommandLinePart | None = None
    relay_url: RelayUrlPart | None = None
    usb_hub: UsbHubPart | None = None
    rts_dtr: RtsDtrPart | None = None
    by_hand: ByHandPart | None = None


class EmulatedUboot(Model):
    """Debian's U-Boot for arm64 under QEMU."""

    serial: LooseText = ""
    """The unit's serial number, which its environment has; that of the board by default."""


class EmulatedGateway(Model):
    """An arm64 Linux gateway under QEMU, with Debian's kernel, busybox and swupdate."""

    serial: LooseText = ""
    """The unit's serial number; that of the board by default."""


class FakePart(Model):
    """A gateway that is no more than a program: for trying scenarios, and for what a board can do wrong."""

    serial: LooseText = ""
    """The unit's serial number; that of the board by default."""
    fault: FakeFault = "none"
    """What is wrong with it."""
    agent: Literal["", *PLATFORMS] = ""  # type: ignore[valid-type]
    """Whose device it is once it has been given an identity: a platform; by default it has no network."""


class EmulatedPart(OneOf):
    """A board that is not there: started when it is used."""

    uboot: EmulatedUboot | None = None
    gateway: EmulatedGateway | None = None
    fake: FakePart | None = None


PowerEntry = Annotated[PowerPart, BeforeValidator(word_alone, json_schema_input_type=PowerPart | str)]
EmulatedEntry = Annotated[EmulatedPart, BeforeValidator(word_alone, json_schema_input_type=EmulatedPart | str)]
