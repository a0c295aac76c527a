"""What older generations answer otherwise than the recordings of 4.3 have it: these rows, and no others (spec 1.7)."""

from __future__ import annotations

from functools import cache

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from tests.golden.test_thingsboard_recordings import FILES, STEPS
from tests.golden.thingsboard_player.player import Player
from tests.golden.thingsboard_player.recording import Step
from tests.golden.thingsboard_player.served import served

pytestmark = pytest.mark.slow

ANSWERS_AGAIN = {"S39/http", "S39/mqtt", "S41/http", "S41/mqtt"}
"""A device that is provisioned already gets its credentials once more (4.2.1.1)."""
NO_CHAIN = {"S75/mqtts", "S75/again", "S75/leafonly", "S75/v5", "S76/mqtts", "S76/back", "S110/mqtts"}
"""No device is known or made by a chain of certificates (3.5)."""
NO_CHAIN_PROFILE = {"setup of 6-x509-chain", "X06/mqtts", "S77/mqtts", "S81/http"}
"""Nor can a profile be backed by a certificate, and rows that need one cannot be played to the end."""
NO_END = {"S64/mqtt", "S88/mqtt"}
"""60 s after its first answer a session goes on (3.3)."""
MALFORMED = {f"{check}/{how}" for check in ("S34a", "S34c", "S32", "S33a", "S28a") for how in ("v5q1", "v5q0")}
NO_CODES = {"S20/mqtt", "S54/v5", "S66/v5", "S78/mqtts", "L01/v5", "L03/v5", "T01/v5", "T02/v5"} | MALFORMED
"""Version 5 hears no reasons (3.7)."""
NO_PUBACK = {"S61/mqtt", "S62/mqtt", "S32/mqtt", "S33a/mqtt", "S28a/mqtt", "B23/object", "S81/mqtt"}
"""A session that ends because of a message does not acknowledge it (3.7)."""
NO_SUBACK = {"S59/mqtt", "M02/mqtt", "M02/v5"}
"""What is about subscriptions is not answered in a session that provisions (3.9)."""
NO_GATEWAY = {"S29/mqtt"}
"""A request cannot ask for a gateway (3.8)."""


@cache
def differing(profile: Profile) -> set[str]:
    rows = set()
    for name in FILES:
        with served(profile=profile) as bench:
            player = Player(bench)
            player.play([step for step in STEPS[name] if profile is not Profile.OLD or not waits_for_suback(step)])
        different = [row for row, difference in player.verdicts.items() if difference]
        rows |= {f"setup of {name}" if row == "setup" else row for row in different}
    return rows


def waits_for_suback(step: Step) -> bool:
    """A device of that time does not: rows go on as if it had not subscribed."""
    filters = (step.arguments or {}).get("filters", [])
    return step.do == "subscribe" and [topic_filter for topic_filter, _ in filters] == ["/provision/response"]


def test_4_2_answers_again() -> None:
    assert differing(Profile.PREVIOUS) == ANSWERS_AGAIN


def test_3_2_knows_less() -> None:
    """Each line of the table of versions shows."""
    expected = ANSWERS_AGAIN | NO_CHAIN | NO_CHAIN_PROFILE | NO_END | NO_CODES | NO_PUBACK | NO_SUBACK | NO_GATEWAY
    assert differing(Profile.OLD) ^ expected == set()


@pytest.mark.parametrize("row", ["S01/http", "S01/mqtt", "S01/coap", "S01/text", "S04/http", "S10/coap", "S16/http"])
def test_no_release_answers_as_documented(row: str) -> None:
    assert row in differing(Profile.AS_DOCUMENTED)
