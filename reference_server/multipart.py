"""Reads one uploaded file out of a `multipart/form-data` body (RFC 7578), block by block.

Text fields may come before and after the file, and anything before the first boundary. What is limited is limited as in
Tomcat 11, with its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.http import Body, BodyPart, Repeated, parts_of

MOST_PARTS: Final = 50
PART_HEAD_BYTES: Final = 512
"""Of the headers of a part, with the empty line."""
ALL_FIELDS_BYTES: Final = 2 * 1024 * 1024
"""Of the fields of a form together: each with its name, `=` and `&`."""
TOO_MANY_PARTS: Final = "attachment"
LONG_PART_HEAD: Final = f"Header section has more than {PART_HEAD_BYTES} bytes (maybe it is not properly terminated)"
LONG_FIELDS: Final = (
    "The multi-part request contained parameter data (excluding uploaded files) that exceeded the limit for "
    "maxPostSize set on the associated connector"
)
PARAMETER: Final = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
ESCAPED: Final = re.compile(r'\\(["\\])')
NO_BOUNDARY: Final = "the request was rejected because no multipart boundary was found"
CUT: Final = "Stream ended unexpectedly"


class BadMultipart(ValueError):
    """The body does not fit its Content-Type, or is over a limit; the text says what is wrong, in Tomcat's words."""


def has_boundary(content_type: str) -> bool:
    """True for a Content-Type that says what stands between the parts."""
    return bool(parse_options_header(content_type)[1].get(b"boundary"))


class Upload:
    """A form with one file. First exhaust `file_blocks()`, then read `fields`, `filename` and `has_file`.

    `file_field` names the part that holds the file: one with a file name, which may be empty. A body without a
    boundary has no parts. Raises BadMultipart when the Content-Type names no boundary.
    """

    def __init__(self, body: Body, content_type: str, file_field: str) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.file_type = ""
        """What the part of the file says it is."""
        self.has_file = False
        self._body = body
        self._file_field = file_field
        self._file: list[bytes] = []
        self._field: bytearray | None = None
        self._name = ""
        self._parts = 0
        self._fields_bytes = 0
        self._head_bytes = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = ""
        self._type = ""
        self._finished = False
        self._is_in_file = False
        self._boundary = b""
        self._before: bytes | None = b""
        """What came before the first boundary was seen; None once it was."""
        self._parser = self._make_parser(content_type)

    def file_blocks(self) -> Iterator[BodyPart]:
        """The bytes of the file, once. Raises BadMultipart for a malformed or cut body.

        A part of the body that is made as it is read, and is the content of the file, comes as it is."""
        before: BodyPart = b""
        for part in parts_of(self._body):
            if isinstance(part, Repeated) and self._is_content(part, before):
                yield part
            else:
                yield from self._parsed(part)
            before = part
        if not self._finished and self._before is None:
            raise BadMultipart(CUT)

    def _parsed(self, part: BodyPart) -> Iterator[bytes]:
        for block in body_blocks(part):
            try:
                self._parser.write(self._from_first_boundary(block))
            except FormParserError:
                raise BadMultipart(CUT) from None
            yield from self._file
            self._file.clear()

    def _is_content(self, part: Repeated, before: BodyPart) -> bool:
        """Just behind the head of the file, and no boundary within."""
        is_behind_head = isinstance(before, bytes) and before.endswith(b"\r\n\r\n")
        turns = part.block * (2 + len(self._boundary) // len(part.block))
        return is_behind_head and self._is_in_file and b"--" + self._boundary not in turns

    def _from_first_boundary(self, block: bytes) -> bytes:
        """The part of a block from the first boundary on."""
        if self._before is None:
            return block
        waiting = self._before + block
        at = waiting.find(b"--" + self._boundary)
        if at >= 0 and (at == 0 or waiting[at - 2 : at] == b"\r\n"):
            self._before = None
            return waiting[at:]
        self._before = waiting[-len(self._boundary) - 4 :]
        return b""

    def _make_parser(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadMultipart(NO_BOUNDARY)
        self._boundary = boundary
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._take_head(self._header_name, data[start:end]),
                    "on_header_value": lambda data, start, end: self._take_head(self._header_value, data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise BadMultipart(str(error)) from None

    def _begin_part(self) -> None:
        self._disposition = self._type = ""
        self._field = None
        self._head_bytes = len("\r\n")
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadMultipart(TOO_MANY_PARTS)

    def _take_head(self, piece: bytearray, data: bytes) -> None:
        self._head_bytes += len(data)
        if self._head_bytes > PART_HEAD_BYTES:
            raise BadMultipart(LONG_PART_HEAD)
        piece.extend(data)

    def _end_header(self) -> None:
        self._head_bytes += len(": \r\n")
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value.decode("utf-8", "replace")
        elif self._header_name.lower() == b"content-type":
            self._type = self._header_value.decode("utf-8", "replace")
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        name, filename = _disposition(self._disposition)
        if name == self._file_field and filename is not None and not self.has_file:
            self.has_file = self._is_in_file = True
            self.filename, self.file_type = filename, self._type
            return
        if self._head_bytes > PART_HEAD_BYTES:
            raise BadMultipart(LONG_PART_HEAD)
        self._name = name
        self._fields_bytes += len(name.encode("utf-8", "replace")) + len("=&")
        self._field = bytearray()

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._file.append(data[start:end])
            return
        self._field.extend(data[start:end])
        self._fields_bytes += end - start
        if self._fields_bytes > ALL_FIELDS_BYTES:
            raise BadMultipart(LONG_FIELDS)

    def _end_part(self) -> None:
        self._is_in_file = False
        if self._field is not None:
            self.fields.setdefault(self._name, self._field.decode("utf-8", "replace"))

    def _end(self) -> None:
        self._finished = True


def _disposition(header: str) -> tuple[str, str | None]:
    """(name, filename) of a `Content-Disposition: form-data` header; paths in names stay, `filename*` wins."""
    if header.partition(";")[0].strip().lower() != "form-data":
        return "", None
    found = {name.lower(): _unquoted(value) for name, value in PARAMETER.findall(header)}
    charset, mark, encoded = found.get("filename*", "").partition("''")
    if mark:
        return found.get("name", ""), unquote(encoded, charset or "utf-8", "replace")
    return found.get("name", ""), found.get("filename")


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return ESCAPED.sub(r"\1", value[1:-1]) if quoted else value.strip()
