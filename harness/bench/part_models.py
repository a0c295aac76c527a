"""The parts of a board as the bench file writes them: console, flasher, what is emulated.

A part is one word (`emulated: uboot`), or a word with its settings (`flasher: {uboot_xmodem: {storage: mmc}}`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.values import Count, Duration, LooseText, Model, PositiveCount, Size, Text
from fleetrig.hil.board import ConsoleKind, MadeOf
from fleetrig.hil.fakes.fake_gateway import FakeFault
from fleetrig.hil.flashers.uboot_flashing import USUAL_RAM
from fleetrig.hil.flashers.uboot_tftp import BY_DHCP
from fleetrig.hil.flashers.uboot_tftp import PIECE_BYTES as TFTP_PIECE_BYTES
from fleetrig.hil.flashers.uboot_xmodem import PIECE_BYTES as XMODEM_PIECE_BYTES

KEYS: Final = {"enter": b"\r", "escape": b"\x1b", "space": b" ", "ctrl-c": b"\x03"}
REFERENCE: Final = r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)"


def secret_reference(text: str) -> str:
    """Secrets stand in no bench file, since such files are shared."""
    if not re.fullmatch(REFERENCE, text):
        raise ValueError("expected env:NAME or file:PATH, since bench files are shared")
    return text


def relay_url(text: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|https?://[^/]+.*", text):
        raise ValueError("expected http://HOST/…, https://HOST/… or env:NAME")
    return text


def regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"expected a regular expression ({wrong})") from None
    return text


SecretReference = Annotated[LooseText, AfterValidator(secret_reference)]
PromptPattern = Annotated[LooseText, AfterValidator(regular_expression)]
RelayUrl = Annotated[Text, AfterValidator(relay_url)]
HexNumber = Annotated[int, Strict(), Field(ge=0, lt=1 << 64)]
"""Of memory: `0x41000000` in the file."""


def word_alone(value: Any) -> Any:
    """`uboot` is short for `{uboot: {}}`."""
    if isinstance(value, Mapping):
        return {key: {} if inner is None else inner for key, inner in value.items()}
    return {value: {}} if isinstance(value, str) else value


class OneOf(Model):
    """Exactly one of the fields is given: the part's kind."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"expected one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def made_of(self) -> MadeOf:
        """The kind with its settings; those that were not given have their defaults."""
        (kind,) = self.model_fields_set
        part: Model = getattr(self, kind)
        return MadeOf(kind, {name: value for name, value in part.model_dump().items() if value is not None})


class ConsolePart(Model):
    """How one talks to the board."""

    kind: ConsoleKind = "linux"
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

    @model_validator(mode="after")
    def _repeats_no_command(self) -> Self:
        if self.stop_every_s and self.stop_keys == b"\r":
            raise ValueError("stop_every with enter would repeat U-Boot's last command: say stop_autoboot: space")
        return self

    @property
    def stop_keys(self) -> bytes:
        return KEYS.get(self.stop_autoboot, self.stop_autoboot.encode())


class UbootPart(Model):
    """What all ways of U-Boot share: where an image goes, and the RAM that it passes through."""

    PIECE_BYTES: ClassVar[int]

    storage: Literal["virtio", "mmc"] = "mmc"
    prepare: tuple[Text, ...] = ()
    """Commands to be typed before, such as `mmc dev 1`."""
    first_block: HexNumber = 0x800
    """Where the image begins, in blocks of 512 bytes."""
    received: HexNumber = USUAL_RAM.received
    """RAM for what is sent."""
    read_back: HexNumber = USUAL_RAM.read_back
    """RAM for what is read back."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if abs(self.received - self.read_back) < self.PIECE_BYTES:
            raise ValueError(f"received and read_back overlap: expected them {self.PIECE_BYTES >> 20} MiB apart")
        return self


class UbootXmodemPart(UbootPart):
    """U-Boot receives over its console: by XMODEM-1K, or by YMODEM where it has no `loadx`."""

    PIECE_BYTES = XMODEM_PIECE_BYTES


class UbootTftpPart(UbootPart):
    """U-Boot fetches over the network, from a TFTP server that serves `folder`."""

    PIECE_BYTES = TFTP_PIECE_BYTES

    folder: Text
    """Relative to the bench file."""
    network: tuple[Text, ...] = BY_DHCP
    """Commands that bring the board's network up; by default DHCP."""
    server: LooseText = ""
    """The server's address; by default the one that DHCP tells."""


class SmpPart(Model):
    """MCUboot, by SMP over the board's port."""

    slot: Count = 0
    """Where the image is afterwards: 0 in serial recovery, 1 if a running application takes it."""
    image_number: Count = 0


class FlasherPart(OneOf):
    """How an image gets onto the board."""

    uboot_xmodem: UbootXmodemPart | None = None
    uboot_ymodem: UbootXmodemPart | None = None
    uboot_tftp: UbootTftpPart | None = None
    smp: SmpPart | None = None


class CommandLinePart(Model):
    """Command lines as one types them; they are called without a shell."""

    on: Text
    off: Text
    reset: LooseText = ""
    """Off and on again when it is not given."""
    off_s: Duration = Field(default=2.0, alias="off_for")
    """How long the board stays off in a reset."""


class RelayUrlPart(Model):
    """URLs that switch a relay: GET, or POST where a body is given. One with a secret is better `env:NAME`."""

    on: RelayUrl
    off: RelayUrl
    reset: RelayUrl | None = None
    on_body: LooseText | None = None
    off_body: LooseText | None = None
    reset_body: LooseText | None = None
    off_s: Duration = Field(default=2.0, alias="off_for")


class UsbHubPart(Model):
    """A hub that can switch its ports, by the program uhubctl."""

    location: Text
    """As uhubctl lists it, such as 1-1.4."""
    port: PositiveCount
    off_s: Duration = Field(default=2.0, alias="off_for")


class RtsDtrPart(Model):
    """A line of the board's own serial adapter that is wired to its reset. It cannot cut power."""

    line: Literal["rts", "dtr"] = "rts"
    hold_s: Duration = Field(default=0.1, alias="hold")


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
FlasherEntry = Annotated[FlasherPart, BeforeValidator(word_alone, json_schema_input_type=FlasherPart | str)]
EmulatedEntry = Annotated[EmulatedPart, BeforeValidator(word_alone, json_schema_input_type=EmulatedPart | str)]
