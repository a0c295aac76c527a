"""The bulk import of a list of devices: a CSV text and what its columns mean (section 4, "Bulk", S84, S100).

It always answers 200, and names the lines that went wrong. Lines are done in their order here; the real server does
them side by side, so which of two lines with one token loses is chance there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.csv_lines import BadCsv, BadDelimiter, cell_value, records
from fleetrig.reference_server.platforms.thingsboard.rest.imported_device import save_line
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, maybe_flag, text, unreadable, word
from fleetrig.reference_server.platforms.thingsboard.state.attributes import put_attributes, put_telemetry
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.records import Device, Scope


class ColumnType(StrEnum):
    """What a column can mean. Those of SNMP and of edges are read and say nothing here; LwM2M has no place here."""

    NAME = "NAME"
    TYPE = "TYPE"
    LABEL = "LABEL"
    DESCRIPTION = "DESCRIPTION"
    IS_GATEWAY = "IS_GATEWAY"
    SHARED_ATTRIBUTE = "SHARED_ATTRIBUTE"
    SERVER_ATTRIBUTE = "SERVER_ATTRIBUTE"
    TIMESERIES = "TIMESERIES"
    ACCESS_TOKEN = "ACCESS_TOKEN"
    X509 = "X509"
    MQTT_CLIENT_ID = "MQTT_CLIENT_ID"
    MQTT_USER_NAME = "MQTT_USER_NAME"
    MQTT_PASSWORD = "MQTT_PASSWORD"
    SNMP_HOST = "SNMP_HOST"
    SNMP_PORT = "SNMP_PORT"
    SNMP_VERSION = "SNMP_VERSION"
    SNMP_COMMUNITY_STRING = "SNMP_COMMUNITY_STRING"
    ROUTING_KEY = "ROUTING_KEY"
    SECRET = "SECRET"


VALUES = {ColumnType.SHARED_ATTRIBUTE: Scope.SHARED, ColumnType.SERVER_ATTRIBUTE: Scope.SERVER}
"""Columns that are attributes; TIMESERIES is a measurement."""


@dataclass(frozen=True, slots=True)
class Column:
    type: ColumnType
    key: str = ""

    @property
    def is_value(self) -> bool:
        return self.type in VALUES or self.type is ColumnType.TIMESERIES


@dataclass(slots=True)
class Tally:
    created: int = 0
    updated: int = 0
    errors: list[str] = field(default_factory=list)


def import_devices(call: Call) -> Reply:
    """POST /api/device/bulk_import."""
    given = mapping(call.object, "mapping") or {}
    columns, lines = _columns(given), _lines(call, given)
    updates, first = maybe_flag(given, "update"), _lines_of_header(given, lines)
    for number, cells in enumerate(lines[first:], first + 1):
        if len(cells) > len(columns):
            raise _beyond(len(columns), f"line {number} has too many cells")
    tally = Tally()
    for number, cells in enumerate(lines[first:], first + 1):
        try:
            _import_line(call, list(zip(columns, cells, strict=False)), tally, updates=updates)
        except RuleBroken as broken:
            tally.errors.append(f"Line {number}: {broken.thrown}: {broken.message}")
    return _told(tally)


def _lines_of_header(given: Mapping[str, Any], lines: Sequence[Sequence[str]]) -> int:
    has_header = maybe_flag(given, "header")
    if has_header is None:
        raise HttpRefusal(500, "mapping.header is null", reason="mapping.header is missing: true or false")
    if has_header and not lines:
        raise _beyond(0, "the file has no header")
    return int(has_header)


def _beyond(length: int, reason: str) -> HttpRefusal:
    return HttpRefusal(500, f"Index {length} out of bounds for length {length}", reason=reason)


def _told(tally: Tally) -> Reply:
    count = len(tally.errors)
    document = {"created": tally.created, "updated": tally.updated, "errors": count, "errorsList": tally.errors}
    changed = f"{tally.created} devices imported, {tally.updated} updated" if tally.created or tally.updated else ""
    return Reply(document=document, changed=changed, reason="; ".join(tally.errors)[:1000])


def _columns(given: Mapping[str, Any]) -> list[Column]:
    columns = given.get("columns")
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise unreadable("mapping.columns: expected an array of objects")
    return [_column(column) for column in columns]


def _column(given: Mapping[str, Any]) -> Column:
    kind = word(given, "type", ColumnType)
    if kind is None:
        raise HttpRefusal(500, "the type of a column is null", reason="a column has no type")
    return Column(kind, text(given, "key") or "")


def _lines(call: Call, given: Mapping[str, Any]) -> list[list[str]]:
    try:
        return records(text(call.object, "file") or "", _delimiter(given))
    except BadDelimiter as bad:
        raise invalid(str(bad)) from None
    except BadCsv as bad:
        said = f"IOException reading next record: java.io.IOException: {bad}"
        raise HttpRefusal(500, said, reason=f"the file is no CSV: {bad}") from None


def _delimiter(given: Mapping[str, Any]) -> str:
    """One character, or its number. Raises 500."""
    match given.get("delimiter"):
        case None | "":
            raise HttpRefusal(500, "mapping.delimiter is null", reason="mapping.delimiter is missing")
        case str(char) if len(char) == 1:
            return char
        case int(number) if not isinstance(number, bool) and 0 <= number <= 0xFFFF:
            return chr(number)
        case other:
            raise unreadable(f"mapping.delimiter: expected one character, got {str(other)[:20]!r}")


def _import_line(call: Call, line: Sequence[tuple[Column, str]], tally: Tally, *, updates: bool | None) -> None:
    """Raises RuleBroken. An empty cell counts as none; `updates` None leaves the device without its values."""
    filled = [(column, cell) for column, cell in line if cell]
    fields = {str(column.type): cell for column, cell in filled if not column.is_value}
    device, is_new = save_line(call, fields)
    if updates is None:
        raise RuleBroken("mapping.update is null", thrown="NullPointerException")
    if is_new:
        tally.created += 1
    else:
        tally.updated += 1
    if updates or is_new:
        _put_values(call, device, [(column, cell) for column, cell in filled if column.is_value and column.key])


def _put_values(call: Call, device: Device, values: Sequence[tuple[Column, str]]) -> None:
    for kind, scope in VALUES.items():
        found = {column.key: cell_value(cell) for column, cell in values if column.type is kind}
        put_attributes(call.registry, device.id, scope, found, call.now_us)
    measured = {column.key: cell_value(cell) for column, cell in values if column.type is ColumnType.TIMESERIES}
    put_telemetry(call.registry, device.id, measured, call.now_ms)
