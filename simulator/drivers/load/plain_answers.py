"""HTTP answers of the plainest form, read without the parser: a fleet that polls gets little else.

Plain is what came as a whole, with a `Content-Length` that says just that, and headers of visible ASCII. All else is
the parser's to read, or to refuse (`ArrivingAnswer`): this reads nothing otherwise than the parser does.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.simulator.contract.http import HttpResponse

END_OF_HEAD: Final = b"\r\n\r\n"
STATUS: Final = re.compile(r"HTTP/1\.1 ([2-5][0-9][0-9]) [ -~]*")
HEADER: Final = re.compile(r"([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)")
LENGTH: Final = "content-length"
LENGTH_VALUE: Final = re.compile(r"[0-9]{1,7}")
NOT_PLAIN: Final = frozenset({"transfer-encoding", "connection", "proxy-connection", "upgrade", "trailer"})
"""They change where an answer ends, or what becomes of its connection."""
NO_BODY: Final = frozenset({204, 304})
MOST_LINES: Final = 4_096
"""A `Date` is new every second, so old lines are thrown away all at once."""
LONGEST_LINE_CHARS: Final = 512


class HeaderLines(dict[str, tuple[str, str]]):
    """Lines -> name and value. A line that is not plain raises KeyError."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: dict[str, int] = {}
        """Those that say how long a body is, in bytes."""

    def __missing__(self, line: str) -> tuple[str, str]:
        found = HEADER.fullmatch(line)
        if found is None or len(line) > LONGEST_LINE_CHARS or found[1].lower() in NOT_PLAIN:
            raise KeyError(line)
        if len(self) >= MOST_LINES:
            self.clear()
            self.lengths.clear()
        if found[1].lower() == LENGTH:
            if LENGTH_VALUE.fullmatch(found[2]) is None:
                raise KeyError(line)
            self.lengths[line] = int(found[2])
        self[line] = header = (found[1], found[2])
        return header


class PlainAnswers:
    """Reads those of the connections of a process. Not for answers to HEAD, whose bodies do not come."""

    def __init__(self) -> None:
        self._lines = HeaderLines()
        self._statuses: dict[str, int] = {}

    def read(self, data: bytes) -> HttpResponse | None:
        """The answer, after which its connection stays; None for what the parser has to read."""
        head, _, body = data.partition(END_OF_HEAD)
        try:
            first, *lines = head.decode("ascii").split("\r\n")
            headers = tuple(map(self._lines.__getitem__, lines))
            status = self._statuses.get(first) or self._status_of(first)
        except (KeyError, UnicodeDecodeError):
            return None
        lengths = self._lines.lengths
        if [lengths[line] for line in lines if line in lengths] != [len(body)]:
            return None
        return HttpResponse(status, headers, body)

    def _status_of(self, line: str) -> int:
        """Raises KeyError for a line that is not plain."""
        found = STATUS.fullmatch(line)
        if found is None or (status := int(found[1])) in NO_BODY:
            raise KeyError(line)
        if len(self._statuses) >= MOST_LINES:
            self._statuses.clear()
        self._statuses[line] = status
        return status
