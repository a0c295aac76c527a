"""The reference server gives the answers that were recorded from a real Hono, row by row, over real sockets: word for
word where it plays that registry, and as good or better where it plays the one that it is by default."""

from __future__ import annotations

from functools import cache
from tempfile import TemporaryDirectory

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from tests.golden.hono_player.judging import Answers, Given
from tests.golden.hono_player.player import Player
from tests.golden.hono_player.recording import rows_of
from tests.golden.hono_player.served import served
from tests.golden.hono_player.wire import HonoWire
from tests.golden.test_hono_player import FILES, STEPS

pytestmark = pytest.mark.slow

RECORDED_FROM = {name: Profile.MONGODB if name == "mongodb" else Profile.JDBC for name in FILES}
OF_DEFAULT = [name for name in FILES if name != "mongodb"]
"""The same rows of the other registry show where it is not the default: the default is held to one of them."""
ROWS = [(name, row) for name in FILES for row in rows_of(STEPS[name])]
MEMORY, FILE = "memory:", "sqlite:///{folder}/fleet.db"
"""Where records are. The rows of OF_DEFAULT are played with both: word for word in memory, the default in a file."""

NOT_YET: dict[tuple[str, str], str] = {}
"""(recording, row) -> why it is not answered word for word. A row that has come to agree must be taken off."""

ONE_TRANSACTION = "device, credentials and notification are one transaction: whoever comes second finds the device"
KEEPS_FLAGS = "an operator's PUT does not touch the flags of provisioning, so that nothing is announced again"
HAS_LIMITS = "the tenant's limit of connections holds; the recorded server had no Prometheus, without which none does"
BETTER: dict[tuple[str, str], str] = {
    ("provisioning", "A28"): ONE_TRANSACTION,
    ("provisioning", "A28b"): ONE_TRANSACTION,
    ("provisioning", "A28m"): ONE_TRANSACTION,
    ("provisioning", "A37"): KEEPS_FLAGS,
    ("gateways", "G01"): KEEPS_FLAGS,
    ("provisioning", "A52"): HAS_LIMITS,
    ("adapters", "M04"): HAS_LIMITS,
}
"""(recording, row) -> why the default profile answers otherwise, though the recording accepts nothing else."""

AS_GOOD = {
    ("registry", "R38", 11): "no device of the row is a gateway, so that nothing matches in either registry",
    ("registry", "R47", 6): "no list of hash functions is configured: any name is stored",
}
"""(recording, row, step) -> why the recorded answer is as good as the one that is accepted beside it."""


def store_of(name: str) -> str:
    """Where the records are of the registry that it was recorded from."""
    return MEMORY if name in OF_DEFAULT else FILE


@cache
def played(name: str, profile: Profile, answers: Answers, store: str) -> Player:
    """A recording on a fresh server of its own."""
    with TemporaryDirectory() as folder, served(profile, store.format(folder=folder)) as bench:
        player = Player(lambda: HonoWire(bench), answers)
        player.play(STEPS[name])
        return player


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_recorded_row_is_answered_word_for_word(name: str, row: str) -> None:
    difference = played(name, RECORDED_FROM[name], Answers.RECORDED, store_of(name)).verdicts[row]
    if (name, row) in NOT_YET:
        assert difference, "it agrees: take it off NOT_YET"
    else:
        assert not difference


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, row in ROWS if name in OF_DEFAULT])
def test_the_default_profile_answers_as_well_or_better(name: str, row: str) -> None:
    difference = played(name, Profile.CURRENT, Answers.GOOD, FILE).verdicts[row]
    if (name, row) in BETTER:
        assert difference, "it agrees: take it off BETTER"
    else:
        assert not difference


def test_the_default_profile_gives_the_better_answer_wherever_there_is_one() -> None:
    as_good = [
        (name, one.step.row, one.step.number)
        for name in OF_DEFAULT
        for one in played(name, Profile.CURRENT, Answers.GOOD, FILE).played
        if one.step.accept and one.step.kind != "pki" and one.given is Given.RECORDED
    ]
    assert set(as_good) == AS_GOOD.keys()


def test_every_step_of_the_recordings_is_played() -> None:
    for name in FILES:
        player = played(name, RECORDED_FROM[name], Answers.RECORDED, store_of(name))
        given_up = sum(len(steps) for row, steps in rows_of(STEPS[name]).items() if player.verdicts[row])
        assert len(player.played) >= len(STEPS[name]) - given_up


def test_nothing_is_excused_that_was_not_recorded() -> None:
    assert NOT_YET.keys() | BETTER.keys() <= set(ROWS)
