"""What is there from the start, in a new store and in one that an earlier server has left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.kura.state.credentials import credentials_of
from fleetrig.reference_server.platforms.kura.state.errors import LoginRefused
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in
from fleetrig.reference_server.platforms.kura.state.users import user_by_name
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, ADMIN, PASSWORD, RestRig

OWN = Settings(admin_password="of-our-own", broker_password="of-our-own", accounts=(ACCOUNT,))
PLAIN = Settings(accounts=(ACCOUNT,))


def restarted(before: Settings, after: Settings) -> RestRig:
    """Over the store of an earlier start."""
    rig, entropy = RestRig(before), SeededEntropy(2)
    rig.settings = after
    rig.use(rig.store, entropy)
    return rig


def lets_in(rig: RestRig, name: str, password: str) -> bool:
    with rig.store.transaction():
        try:
            sign_in(rig.registry, name, password, rig.now_us)
        except LoginRefused:
            return False
    return True


@pytest.mark.parametrize("name", [ADMIN, "kapua-broker"])
def test_a_password_that_is_given_counts_in_an_old_store_too(name: str) -> None:
    rig = restarted(PLAIN, OWN)
    assert lets_in(rig, name, "of-our-own")
    assert not lets_in(rig, name, PASSWORD), "nobody gets in by the one that everybody knows"


def test_without_one_an_old_store_keeps_its_own() -> None:
    rig = restarted(OWN, PLAIN)
    assert lets_in(rig, ADMIN, "of-our-own")
    assert not lets_in(rig, ADMIN, PASSWORD)


def test_the_password_of_an_account_in_the_file_counts() -> None:
    rig = restarted(PLAIN, replace(PLAIN, accounts=(replace(ACCOUNT, password="Another-1-word"),)))
    assert lets_in(rig, ACCOUNT.user, "Another-1-word")
    assert not lets_in(rig, ACCOUNT.user, ACCOUNT.password)


def test_the_same_password_again_changes_nothing() -> None:
    rig = RestRig(OWN)
    user = user_by_name(rig.registry, ADMIN)
    assert user is not None
    assert not lets_in(rig, ADMIN, "wrong")
    before = credentials_of(rig.registry, user.id)
    rig.use(rig.store, SeededEntropy(2))
    assert credentials_of(rig.registry, user.id) == before
    assert [one.login_failures for one in before] == [1]
