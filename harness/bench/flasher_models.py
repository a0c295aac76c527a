"""How an image gets onto a board, as the bench file writes it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from fleetrig.harness.bench.one_of import OneOf, word_alone
from fleetrig.harness.scenario_file.values import Count, Duration, LooseText, Model, Size, Text
from fleetrig.hil.flashers.command_line import ENDS_WITHIN_S
from fleetrig.hil.flashers.tool_command import ToolCommand, check_places
from fleetrig.hil.flashers.uboot_flashing import USUAL_RAM
from fleetrig.hil.flashers.uboot_storage import SECTOR_BYTES
from fleetrig.hil.flashers.uboot_tftp import BY_DHCP
from fleetrig.hil.flashers.uboot_tftp import PIECE_BYTES as TFTP_PIECE_BYTES
from fleetrig.hil.flashers.uboot_xmodem import PIECE_BYTES as XMODEM_PIECE_BYTES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.unreadable import why_no_words

HexNumber = Annotated[int, Strict(), Field(ge=0, lt=1 << 64)]
"""Of memory: `0x41000000` in the file."""
OF_FLASH: Final = frozenset({"address", "room_bytes", "sector_bytes"})
"""What says where an image lies in flash; block storage has `first_block`."""


def split_words(text: str) -> tuple[str, ...]:
    """A command line as one types it. Raises ValueError."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as wrong:
        raise ValueError(f"expected a command line ({why_no_words(wrong)})") from None
    if not words:
        raise ValueError("expected a program and its arguments")
    return words


def write_command(text: str) -> str:
    return _checked(text, ToolCommand)


def ask_command(text: str) -> str:
    return _checked(text, check_places)


def _checked(text: str, check: Callable[[tuple[str, ...]], object]) -> str:
    try:
        check(split_words(text))
    except UsageError as wrong:
        raise ValueError(str(wrong)) from None
    return text


ToolCommandLine = Annotated[Text, AfterValidator(write_command)]
AskCommandLine = Annotated[Text, AfterValidator(ask_command)]


class UbootPart(Model):
    """What all ways of U-Boot share: where an image goes, and the RAM that it passes through."""

    PIECE_BYTES: ClassVar[int]

    storage: Literal["virtio", "mmc", "nor", "spi_nor"] = "mmc"
    """U-Boot's command for it: block storage, parallel NOR flash (`cp.b`), or NOR flash at SPI (`sf`)."""
    prepare: tuple[Text, ...] = ()
    """Commands to be typed before, such as `mmc dev 1` or `protect off 4000000 +100000`; for `spi_nor` by default
    `sf probe`."""
    first_block: HexNumber = 0x800
    """Where the image begins in block storage, in blocks of 512 bytes."""
    address: HexNumber | None = None
    """Where it begins in flash: for `nor` the address in memory, for `spi_nor` the offset."""
    room_bytes: Size | None = Field(default=None, alias="room")
    """How much of the flash may be erased from there on."""
    sector_bytes: Annotated[Size, Field(ge=1)] = Field(default=SECTOR_BYTES, alias="sector")
    """The least of the flash that can be erased."""
    received: HexNumber = USUAL_RAM.received
    """RAM for what is sent."""
    read_back: HexNumber = USUAL_RAM.read_back
    """RAM for what is read back."""

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.storage in ("virtio", "mmc"):
            if OF_FLASH & self.model_fields_set:
                raise ValueError(f"address, room and sector are for flash: {self.storage} has first_block")
        elif self.address is None or self.room_bytes is None:
            raise ValueError(
                f"{self.storage} needs address and room: where the image lies, and what may be erased there"
            )
        elif self.PIECE_BYTES % self.sector_bytes or self.address % self.sector_bytes:
            raise ValueError("address is expected to begin a sector, and a sector to be a power of two")
        return self

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
    """Another than 0 on boards with several images."""


class ToolPart(Model):
    """A program that flashes, such as esptool, avrdude, dfu-util or fastboot; called without a shell.

    In its arguments stand `{port}` or `{serial}`, by which it knows the board, `{baud}`, and `{image}`.
    """

    write: ToolCommandLine
    """What writes `{image}`."""
    ask: AskCommandLine
    """What prints who the board is, right before it is written to; `identity` of the board is looked for in it."""
    verify: ToolCommandLine | None = None
    """What ends with 0 if `{image}` is on the board; without it, `write` is trusted to have looked."""
    within_s: Duration = Field(default=ENDS_WITHIN_S, alias="within")
    """How long one of them may take."""

    @model_validator(mode="after")
    def _names_the_board(self) -> Self:
        for key in ("write", "ask"):
            if not any(place in getattr(self, key) for place in ("{port}", "{serial}")):
                raise ValueError(
                    f"{key}: expected {{port}} or {{serial}}: without, it takes any board that is plugged in"
                )
        return self


class FlasherPart(OneOf):
    """How an image gets onto the board."""

    uboot_xmodem: UbootXmodemPart | None = None
    uboot_ymodem: UbootXmodemPart | None = None
    uboot_tftp: UbootTftpPart | None = None
    smp: SmpPart | None = None
    command_line: ToolPart | None = None


FlasherEntry = Annotated[FlasherPart, BeforeValidator(word_alone, json_schema_input_type=FlasherPart | str)]
