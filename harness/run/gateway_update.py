"""Makes an update for the emulated gateway, signed for this run, and tells the gateway whose signature it takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.real_work import boards_of, really
from fleetrig.harness.scenario_file.board_words import MakeGatewayUpdate
from fleetrig.hil.consoles.identity_over_console import write_files
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.emulated.gateway_updates import GATEWAY_TAKES, signed_update, signer_in
from fleetrig.simulator.drivers.director import Director

UPDATE: Final = "gateway-update.swu"


def make_gateway_update(context: RunContext, words: MakeGatewayUpdate) -> Director[str]:
    boards = boards_of(context)
    board, firmware = boards.of(words), gateway_firmware(boards.filled(words.build))
    make_private_folder(boards.folder)

    def made() -> tuple[Path, bytes]:
        signer = signer_in(boards.folder)
        path = boards.folder / UPDATE
        path.write_bytes(signed_update(boards.folder, firmware, signer))
        return path, signer.certificate.read_bytes()

    async def work() -> Path:
        path, certificate = await asyncio.to_thread(made)
        await write_files(await board.console(), {GATEWAY_TAKES: certificate})
        return path

    context.image = yield from really(lambda: board.work(work))
    return f"{UPDATE}, {context.image.stat().st_size:,} bytes, signed; {board.name} knows by whom"
