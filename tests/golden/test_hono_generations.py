"""What generation 1 answers otherwise than the recordings of 2.7 have it: these rows, and no others (spec 6)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from tests.golden.hono_player.judging import Answers
from tests.golden.hono_player.player import Player
from tests.golden.hono_player.recording import Step
from tests.golden.hono_player.served import served
from tests.golden.hono_player.wire import HonoWire
from tests.golden.test_hono_player import STEPS
from tests.golden.test_hono_recordings import OF_DEFAULT

pytestmark = pytest.mark.slow


NO_SEARCH = {
    "A01", "A11", "A16", "A17", "A23", "A25", "A28m", "A32", "A35", "A37", "A43", "A47", "A50", "A53", "C05",
    "R35", "R37", "R38", "R64",
}  # fmt: skip
"""Nothing can be searched for (1.4 devices, 1.6 tenants): GET of all is 405, and rows that count devices end there."""
TEXT = {"H01", "H08", "G04", "A08", "A10", "A14", "A26", "A38"}
"""Adapters say errors as plain text (1.9.1)."""
SHOWS_SECRETS = {"H11", "R40", "R41", "R44", "R47", "R52"}
"""GET credentials shows hashes, salts and keys (1.2, 1.5)."""
NO_STATUS = {"R28", "R29", "R31", "R53", "R67"}
"""Devices do not say when they were made (1.6)."""
ANY_ID = {"R04", "R26"}
"""What an id may hold is not checked (1.3)."""
NO_TEMPLATES = {"A20", "A22", "A47b"}
"""Device-ids are left to chance (1.8)."""
TENANT_NOT_NEEDED = {"R22", "R25"}
"""Devices of a tenant that there is not (1.4)."""
LENIENT = {"R05"}
"""Members that nobody knows are ignored (1.3)."""
LATER_MEMBERS = {"R10", "R14", "R16", "R34", "R50", "R62", "R65"}
"""Members of authorities, limits and `cert` of credentials that came later (1.6 to 2.6) are among those."""
NO_EDGE_DEVICES = {"G01", "G11"}
"""Gateways bring nobody (1.6)."""
NO_MQTT_5 = {"M01"}
EXPIRED = {"A13"}
"""An authority whose time is over goes on to be trusted."""
ONE_TRANSACTION = {"A28", "A28b"}
"""Whoever loses a race is let in: as in the default profile."""
HAS_LIMITS = {"A52", "M04"}
"""As in the default profile."""
NO_IDS_BOUND = {"A49"}
"""It needs the id that a search gave."""
OTHERWISE = (
    NO_SEARCH | TEXT | SHOWS_SECRETS | NO_STATUS | ANY_ID | NO_TEMPLATES | TENANT_NOT_NEEDED | LENIENT | LATER_MEMBERS
    | NO_EDGE_DEVICES | NO_MQTT_5 | EXPIRED | ONE_TRANSACTION | HAS_LIMITS | NO_IDS_BOUND
)  # fmt: skip


def as_clients_of_then(step: Step) -> Step:
    """What is created always has a body (1.2): rows would end at their first step otherwise."""
    creates = step.kind == "management" and step.request["method"] == "POST" and step.request["body"] is None
    if not creates:
        return step
    headers = {"Content-Type": "application/json"}
    return replace(step, request={**step.request, "body": {}, "headers": {**step.request["headers"], **headers}})


@cache
def differing() -> dict[str, str]:
    """Row -> where it differs."""
    found: dict[str, str] = {}
    for name in OF_DEFAULT:
        with served(Profile.OLD) as bench:
            player = Player(lambda bench=bench: HonoWire(bench), Answers.GOOD)  # type: ignore[misc]
            player.play([as_clients_of_then(step) for step in STEPS[name]])
        found |= {row: said for row, said in player.verdicts.items() if said}
    return found


def test_generation_1_answers_otherwise_in_these_rows_and_in_no_others() -> None:
    assert differing().keys() ^ OTHERWISE == set(), differing()
