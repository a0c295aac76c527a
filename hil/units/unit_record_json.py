"""A unit record as JSON, with its schema version; what was written by a newer fleetrig is refused, not guessed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fleetrig.hil.units.unit_record import (
    SCHEMA_VERSION,
    UnitIdentity,
    UnitMeasure,
    UnitPhase,
    UnitRecord,
    UnitVerdict,
)


def record_to_json(record: UnitRecord) -> str:
    """One document, indented for people, ending in a line feed."""
    return json.dumps({"schema": SCHEMA_VERSION, **asdict(record)}, indent=2, ensure_ascii=False) + "\n"


def record_from_json(text: str) -> UnitRecord:
    """Raises ValueError with a sentence for what is no record of a version that we know."""
    try:
        document: dict[str, Any] = json.loads(text)
        version = document.pop("schema")
        if version != SCHEMA_VERSION:
            raise ValueError(f"expected a unit record of schema {SCHEMA_VERSION}, it is of {version}")
        return UnitRecord(
            **document
            | {
                "identity": UnitIdentity(**document["identity"]),
                "phases": tuple(
                    UnitPhase(**phase | {"verdict": UnitVerdict(phase["verdict"])}) for phase in document["phases"]
                ),
                "measures": tuple(UnitMeasure(**measure) for measure in document["measures"]),
                "verdict": UnitVerdict(document["verdict"]),
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"expected a unit record, a member is missing or has another form: {error}") from None
