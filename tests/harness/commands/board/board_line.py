"""A board's line for tests: a pseudo-terminal whose far end the test holds, and a bench file that names it."""

from __future__ import annotations

import os
import tty
from pathlib import Path

BENCH = """\
boards:
  left:
    type: acme-gw2
    port: {port}
    console: {{kind: linux}}
    offers: [wifi]
  gone:
    type: acme-gw2
    port: /dev/serial/by-id/usb-nobody-has-this
  far:
    type: acme-gw2
    port: rfc2217://desk:4000
  sim:
    type: qemu
    emulated: uboot
"""


class BoardLine:
    """`port` is what the bench opens; `said` what came from there."""

    def __init__(self, folder: Path) -> None:
        self.board_end, self._bench_end = os.openpty()
        tty.setraw(self._bench_end)
        self.bench = folder / "bench.yaml"
        self.bench.write_text(BENCH.format(port=os.ttyname(self._bench_end)), encoding="utf-8")
        self.said = b""

    def until_said(self, wanted: bytes) -> None:
        while wanted not in self.said:
            self.said += os.read(self.board_end, 4096)

    def say(self, data: bytes) -> None:
        os.write(self.board_end, data)

    def unplug(self) -> None:
        os.close(self.board_end)
        self.board_end = -1

    def close(self) -> None:
        for end in (self.board_end, self._bench_end):
            if end >= 0:
                os.close(end)
