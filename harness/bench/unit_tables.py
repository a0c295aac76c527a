"""Unit records for others to read: a CSV, a JUnit file with properties, and the JSON Schema of a record."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Any, Final, TextIO
from xml.etree import ElementTree as ET

from pydantic import TypeAdapter

from fleetrig.hil.units.unit_record import SCHEMA_VERSION, UnitRecord, UnitVerdict
from fleetrig.simulator.contract.clock import to_s

PLAIN: Final = (
    "attempt", "station", "board", "board_type", "began_us", "ended_us", "image", "image_sha256",
    "server", "configuration_sha256", "credential_kind", "credential_fingerprint", "verdict", "reason",
)  # fmt: skip
"""Fields that are one value each, by their names in the record."""
IDENTITY: Final = ("serial", "mac", "part", "revision")
BAD_XML: Final = {number: "�" for number in range(32) if chr(number) not in "\t\n\r"}


def record_schema() -> dict[str, Any]:
    """Made from the record itself, so that it cannot say anything else."""
    schema = TypeAdapter(UnitRecord).json_schema()
    schema["properties"] = {"schema": {"const": SCHEMA_VERSION}, **schema["properties"]}
    schema["required"] = ["schema", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "fleetrig unit record", **schema}


def write_csv(records: Sequence[UnitRecord], file: TextIO) -> None:
    """A line for each attempt; `phases` is `flashed=passed;booted=failed`, `measures` is `rssi=-40dBm`, `written` is
    `/data/identity=FINGERPRINT`.
    """
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow((*IDENTITY, *PLAIN, "phases", "measures", "written"))
    lines.writerows(tuple(_told(record).values()) for record in records)


def write_junit(records: Sequence[UnitRecord], file: TextIO) -> None:
    """A test case for each attempt, with all that the CSV has as properties."""
    suite = ET.Element("testsuite", name="units", tests=str(len(records)))
    for record in records:
        suite.append(_case(record))
    for outcome in ("failure", "error"):
        suite.set(f"{outcome}s", str(len(suite.findall(f"testcase/{outcome}"))))
    file.write(ET.tostring(suite, encoding="unicode", xml_declaration=False) + "\n")


def _case(record: UnitRecord) -> ET.Element:
    name = f"{record.identity.serial} attempt {record.attempt}"
    took_s = max(0.0, to_s(record.ended_us - record.began_us)) if record.ended_us else 0.0
    case = ET.Element("testcase", classname=f"units.{record.board}", name=name, time=f"{took_s:.3f}")
    properties = ET.SubElement(case, "properties")
    for key, value in {**_told(record), **record.properties}.items():
        ET.SubElement(properties, "property", name=key, value=value.translate(BAD_XML))
    if record.verdict is not UnitVerdict.PASSED:
        outcome = "failure" if record.verdict is UnitVerdict.FAILED else "error"
        ET.SubElement(case, outcome, message=(record.reason or str(record.verdict)).translate(BAD_XML))
    return case


def _told(record: UnitRecord) -> dict[str, str]:
    return dict(_columns(record))


def _columns(record: UnitRecord) -> Iterator[tuple[str, str]]:
    for name in IDENTITY:
        yield name, getattr(record.identity, name)
    for name in PLAIN:
        yield name, str(getattr(record, name))
    yield "phases", ";".join(f"{phase.name}={phase.verdict}" for phase in record.phases)
    yield "measures", ";".join(f"{measure.name}={measure.value:g}{measure.unit}" for measure in record.measures)
    yield "written", ";".join(f"{place}={fingerprint}" for place, fingerprint in record.written.items())
