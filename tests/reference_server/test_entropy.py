"""Chance: the same from the same seed, never the same from the system."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.entropy import SeededEntropy, SystemEntropy
from fleetrig.reference_server.stores.interface import Entropy


def draws(entropy: Entropy) -> list[object]:
    return [entropy.token_hex(16), entropy.uniform(0, 1), entropy.token_hex(3), entropy.uniform(-5, 5)]


def test_the_same_seed_gives_the_same_run_and_another_another():
    assert draws(SeededEntropy(7)) == draws(SeededEntropy(7))
    assert draws(SeededEntropy(7)) != draws(SeededEntropy(8))


def test_a_seed_means_the_same_everywhere():
    assert SeededEntropy(1).token_hex(8) == "2ee7b03f61ecd233"


def test_the_system_never_repeats_itself():
    assert draws(SystemEntropy()) != draws(SystemEntropy())


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeededEntropy(3)])
def test_every_draw_is_fresh_and_within_its_range(entropy: Entropy):
    numbers = [entropy.uniform(10, 20) for _ in range(2000)]
    assert len(set(numbers)) == 2000
    assert min(numbers) >= 10
    assert max(numbers) <= 20
    assert 14.5 < sum(numbers) / 2000 < 15.5
    tokens = {entropy.token_hex(16) for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {32}


@pytest.mark.parametrize("n_bytes", [0, 1, 16, 32, 33, 100])
def test_a_token_has_the_length_asked_for(n_bytes: int):
    token = SeededEntropy(1).token_hex(n_bytes)
    assert len(bytes.fromhex(token)) == n_bytes
    assert len(bytes.fromhex(SystemEntropy().token_hex(n_bytes))) == n_bytes
