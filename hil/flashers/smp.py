"""MCUboot and Zephyr by SMP over a serial line: smpclient speaks it, over the board's own port, so that all is kept.

The board's offset is the truth: after a lost chunk the upload is begun anew with the same hash, and the board says
where it goes on. What is read back is the hash that the board gives for the slot, compared with the image's own.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from smp import packet
from smp.exceptions import SMPException
from smp.header import Header
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException
from smpclient.generics import success
from smpclient.mcuboot import IMAGE_TLV, ImageInfo, MCUBootImageError
from smpclient.requests.image_management import ImageStatesRead
from smpclient.requests.os_management import OSApplicationInfoRead
from smpclient.transport import SMPTransport

from fleetrig.hil.flasher import BoardState, Flashed, FlashFailed, FlashProgress, Image, OnProgress, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.port import BoardPort
from fleetrig.simulator.contract.errors import UsageError

LINE_BYTES: Final = 127
"""As MCUboot's default buffer takes them."""
USUAL_BUFFER_BYTES: Final = 256
"""Of a board that does not say how large its own is."""
LINE_LIMIT_BYTES: Final = 4_096
READ_WITHIN_S: Final = 1.0
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class SmpPatience:
    """The first chunk may have a whole slot erased first."""

    first_s: float = 40.0
    other_s: float = 5.0


class PortTransport(SMPTransport):
    """smpclient's transport over an open port; console text between the frames is passed over."""

    def __init__(self, port: BoardPort) -> None:
        self._port = port
        self._held = b""
        self._sequence = -1

    async def connect(self, address: str, timeout_s: float) -> None:
        del address, timeout_s  # the port is open
        await self._port.drop_input()

    async def disconnect(self) -> None:
        """The port stays open: it is not ours."""

    async def send(self, data: bytes) -> None:
        self._sequence = Header.loads(data[: Header.SIZE]).sequence
        for line in packet.encode(data, LINE_BYTES):
            await self._port.write(line)

    async def receive(self) -> bytes:
        """The answer to what was sent last; late answers to what was given up are passed over."""
        while True:
            frame = await self._frame()
            if Header.loads(frame[: Header.SIZE]).sequence == self._sequence:
                return frame

    async def send_and_receive(self, data: bytes) -> bytes:
        await self.send(data)
        return await self.receive()

    async def _frame(self) -> bytes:
        decoder = packet.decode()
        next(decoder)
        while True:
            line = await self._line()
            if line.startswith(packet.START_DELIMITER):
                decoder = packet.decode()
                next(decoder)
            elif not line.startswith(packet.CONTINUE_DELIMITER):
                continue
            try:
                decoder.send(line)
            except StopIteration as whole:
                return bytes(whole.value)
            except (SMPException, ValueError):  # damaged: as if it had never come
                decoder = packet.decode()
                next(decoder)

    async def _line(self) -> bytes:
        while b"\n" not in self._held:
            self._held = (self._held + await self._port.read(READ_WITHIN_S))[-LINE_LIMIT_BYTES:]
        line, _, self._held = self._held.partition(b"\n")
        starts = [at for at in (line.rfind(packet.START_DELIMITER), line.rfind(packet.CONTINUE_DELIMITER)) if at >= 0]
        return line[max(starts, default=0) :] + b"\n"

    @property
    def mtu(self) -> int:
        return USUAL_BUFFER_BYTES

    @property
    def max_unencoded_size(self) -> int:
        """Length and CRC share the board's buffer with the frame."""
        size_bytes = self._smp_server_transport_buffer_size or self.mtu
        return size_bytes - packet.FRAME_LENGTH_STRUCT.size - packet.CRC16_STRUCT.size


class SmpFlasher:
    """The flasher `smp`. `identity`: a letter of SMP's application info (`n` node name, `i` hardware) -> its answer.

    `slot` is where the image is afterwards: 0 in MCUboot's serial recovery, 1 if a running application takes it.
    `image_number` is another than 0 on boards with several images.
    """

    def __init__(
        self,
        port: BoardPort,
        identity: Mapping[str, str],
        slot: int = 0,
        image_number: int = 0,
        patience: SmpPatience | None = None,
    ) -> None:
        if not identity:
            raise UsageError(
                "no board is written to without being asked who it is: give it an `identity` in the bench file, "
                "as `n: gw-7` (SMP's application info: n node name, i hardware)"
            )
        self._identity = identity
        self._slot = slot
        self._image_number = image_number
        self._patience = patience or SmpPatience()
        self._client = SMPClient(PortTransport(port), port.url, self._patience.other_s)
        self.left_in = BoardState.UNTOUCHED

    @property
    def title(self) -> str:
        return f"SMP to slot {self._slot}"

    async def flash(self, image: Image, on_progress: OnProgress) -> Flashed:
        """See `Flasher`. Raises UsageError as well: it is no MCUboot image, or no longer what it was."""
        began_s = asyncio.get_running_loop().time()
        self.left_in = BoardState.UNTOUCHED
        await self._client.connect()
        await self._check_identity()
        await asyncio.to_thread(read_image, image.path, image.sha256)
        expected = await asyncio.to_thread(mcuboot_hash, image)
        written_bytes = repeated = 0
        if await self._slot_hash() != expected:
            repeated = await self._write(image, on_progress)
            written_bytes = image.size_bytes
            self.left_in = BoardState.WRITTEN_UNVERIFIED
            if (got := await self._slot_hash()) != expected:
                said = got.hex() if got else "nothing"
                self._fail(
                    f"expected slot {self._slot} to have the hash {expected.hex()}, it has {said}", "flash again"
                )
        self.left_in = BoardState.VERIFIED
        took_s = asyncio.get_running_loop().time() - began_s
        return Flashed(written_bytes, repeated, took_s, "the hash that the board gives for its slot")

    async def _write(self, image: Image, on_progress: OnProgress) -> int:
        """Returns how often it had to be taken up again."""
        data = await asyncio.to_thread(image.path.read_bytes)
        await self._check_identity()  # again, right before it is written to
        self.left_in = BoardState.PARTLY_WRITTEN
        for repeated in range(TRIES):
            try:
                async for offset in self._client.upload(
                    data,
                    self._slot,
                    first_timeout_s=self._patience.first_s,
                    subsequent_timeout_s=self._patience.other_s,
                ):
                    on_progress(FlashProgress("written", offset, len(data), repeated))
                return repeated
            except TimeoutError:
                continue
            except SMPClientException as error:
                self._fail(f"the board refuses the upload: {error}", "see what it says")
        return self._fail(
            f"the board fell silent {TRIES} times in the upload", "switch it off and on, then flash again"
        )

    async def _check_identity(self) -> None:
        for letter, expected in self._identity.items():
            try:
                answer = await self._client.request(OSApplicationInfoRead(format=letter))
            except TimeoutError:
                self._fail("the board does not answer by SMP", "is it in its boot loader, or its SMP shell enabled?")
            got = answer.output.strip() if success(answer) else str(answer)
            if got != expected:
                raise WrongBoard(f"{letter}={expected}", f"{letter}={got}", self.left_in)

    async def _slot_hash(self) -> bytes | None:
        try:
            answer = await self._client.request(ImageStatesRead(), timeout_s=self._patience.first_s)
        except TimeoutError:
            self._fail("the board does not say what is in its slots", "switch it off and on, then flash again")
        if not success(answer):
            self._fail(f"the board does not say what is in its slots: {answer}", "see what it says")
        ours = [state for state in answer.images if (state.slot, state.image or 0) == (self._slot, self._image_number)]
        return bytes(ours[0].hash) if ours and ours[0].hash is not None else None

    def _fail(self, reason: str, advice: str) -> NoReturn:
        raise FlashFailed(reason, self.left_in, advice) from None


def mcuboot_hash(image: Image) -> bytes:
    """The SHA-256 of header and body that a signed image carries. Raises UsageError: it is none."""
    try:
        return bytes(ImageInfo.load_file(str(image.path)).get_tlv(IMAGE_TLV.SHA256).value)
    except (MCUBootImageError, struct.error, ValueError, OSError) as error:
        raise UsageError(f"{image.path} is no signed MCUboot image ({error}): sign it with imgtool") from None
