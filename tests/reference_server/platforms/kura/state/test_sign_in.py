"""Who signs in: users, the bootstrap of provision requests, and how wrong passwords lock (spec 1.2, 1.5, 5.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleetrig.reference_server.platforms.kura.state.credentials import credentials_of
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in, sign_in_to_broker, sign_in_to_provision
from fleetrig.reference_server.platforms.kura.state.users import user_by_name
from tests.reference_server.platforms.kura.rest_rig import ADMIN, PASSWORD, STRONG, RestRig

BAD, DENIED = LoginFailure.BAD_CREDENTIALS, LoginFailure.NOT_AUTHORIZED
CONNECT = {"domain": "broker", "action": "connect"}


def failure_of(rig: RestRig, *names: str) -> LoginFailure:
    """Of a sign-in with (user, password), or (client id, user, password) for provisioning; what it counts is kept."""
    way: Callable[..., object] = sign_in_to_provision if len(names) == 3 else sign_in_to_broker
    with rig.store.transaction(), pytest.raises(LoginRefused) as refused:
        way(rig.registry, *names, rig.now_us)
    return refused.value.failure


class TestUsers:
    def test_the_first_administrator_and_the_broker_user(self) -> None:
        rig = RestRig()

        for name in (ADMIN, "kapua-broker"):
            user, account = sign_in_to_broker(rig.registry, name, PASSWORD, rig.now_us)
            assert (user.name, account.name) == (name, "kapua-sys")

    def test_who_is_unknown_or_has_another_password(self) -> None:
        rig = RestRig()

        assert failure_of(rig, "nobody", PASSWORD) is BAD
        assert failure_of(rig, ADMIN, "kapua-Password") is BAD

    def test_who_may_not_connect(self) -> None:
        rig = RestRig()
        rig.user("reader", {"domain": "device", "action": "read"})

        assert failure_of(rig, "reader", STRONG) is DENIED
        assert sign_in(rig.registry, "reader", STRONG, rig.now_us)[0].name == "reader"

    def test_a_right_in_another_account_is_none_here(self) -> None:
        rig = RestRig()
        rig.user("stranger", CONNECT | {"targetScopeId": "AQ"})

        assert failure_of(rig, "stranger", STRONG) is DENIED

    @pytest.mark.parametrize("change", [{"status": "DISABLED"}, {"expirationDate": "2025-12-31T00:00:00.000Z"}])
    def test_who_is_disabled_or_has_expired(self, change: dict[str, str]) -> None:
        rig = RestRig()
        user_id = rig.user("dev", CONNECT)
        rig.done("PUT", f"/v1/{rig.scope()}/users/{user_id}", {"optlock": 1, **change})

        assert failure_of(rig, "dev", STRONG) is DENIED


class TestLockout:
    def rig(self) -> RestRig:
        rig = RestRig()
        rig.user("dev", CONNECT)
        return rig

    def test_three_wrong_ones_lock_until_time_is_over(self) -> None:
        """S-39: retries do not make it longer."""
        rig = self.rig()
        for _ in range(3):
            assert failure_of(rig, "dev", "wrong") is BAD
        for _ in range(5):
            rig.later(2_000)
            assert failure_of(rig, "dev", "wrong") is DENIED
        assert failure_of(rig, "dev", STRONG) is DENIED
        rig.later(799)
        assert failure_of(rig, "dev", STRONG) is DENIED
        rig.later(1)

        assert sign_in_to_broker(rig.registry, "dev", STRONG, rig.now_us)[0].name == "dev"

    def test_the_reason_says_how_many_are_left(self) -> None:
        rig = self.rig()
        with pytest.raises(LoginRefused, match="wrong password: 1 of the 3 that lock it"):
            sign_in_to_broker(rig.registry, "dev", "wrong", rig.now_us)

    def test_a_right_one_forgets_the_wrong_ones(self) -> None:
        rig = self.rig()
        for _ in range(3):
            assert failure_of(rig, "dev", "wrong") is BAD
            assert failure_of(rig, "dev", "wrong") is BAD
            sign_in_to_broker(rig.registry, "dev", STRONG, rig.now_us)

    def test_the_count_begins_anew_after_an_hour(self) -> None:
        rig = self.rig()
        for _ in range(4):
            assert failure_of(rig, "dev", "wrong") is BAD
            assert failure_of(rig, "dev", "wrong") is BAD
            rig.later(3_600)

        assert failure_of(rig, "dev", "wrong") is BAD
        assert sign_in_to_broker(rig.registry, "dev", STRONG, rig.now_us)

    def test_after_the_lock_the_count_begins_anew(self) -> None:
        rig = self.rig()
        for _ in range(3):
            failure_of(rig, "dev", "wrong")
        rig.later(10_800)

        assert failure_of(rig, "dev", "wrong") is BAD
        assert sign_in_to_broker(rig.registry, "dev", STRONG, rig.now_us)

    def test_an_administrator_unlocks(self) -> None:
        rig = self.rig()
        for _ in range(3):
            failure_of(rig, "dev", "wrong")
        user = user_by_name(rig.registry, "dev")
        assert user is not None
        credential = credentials_of(rig.registry, user.id)[0]
        shown = rig.done("GET", f"/v1/{rig.scope()}/credentials/{credential.id}")
        assert (shown["loginFailures"], shown["lockoutReset"]) == (3, "2026-01-01T03:00:00.000Z")
        rig.done("POST", f"/v1/{rig.scope()}/credentials/{credential.id}/_unlock", status=204)

        assert sign_in_to_broker(rig.registry, "dev", STRONG, rig.now_us)

    def test_a_policy_of_ones_own(self) -> None:
        rig = self.rig()
        pid = "org.eclipse.kapua.service.authentication.credential.CredentialService"
        properties = [{"name": "lockoutPolicy.maxFailures", "type": "Integer", "value": ["1"]}]
        document = {"id": pid, "properties": {"property": properties}}
        rig.done("PUT", f"/v1/{rig.scope()}/serviceConfigurations/{pid}", document, status=204)

        assert failure_of(rig, "dev", "wrong") is BAD
        assert failure_of(rig, "dev", STRONG) is DENIED


class TestProvisioning:
    def test_just_these_three(self) -> None:
        """S-02 to S-05."""
        rig = RestRig()
        request = rig.request("gw-1", provisionUserUsername="MAC-SN1")

        found = sign_in_to_provision(rig.registry, "gw-1", "MAC-SN1", "secret", rig.now_us)
        assert found.id == request["id"]
        for names in (
            ("gw-2", "MAC-SN1", "secret"), ("gw-1", "mac-sn1", "secret"), ("gw-1", "MAC-SN1 ", "secret"),
            ("GW-1", "MAC-SN1", "secret"), ("gw-1", "MAC-SN1", "Secret"),
        ):  # fmt: skip
            assert failure_of(rig, *names) is BAD

    def test_without_a_request(self) -> None:
        """S-01."""
        assert failure_of(RestRig(), "gw-1", "boot-gw-1", "secret") is BAD

    def test_two_devices_may_have_one_user(self) -> None:
        """Each with its own client id and password (S-04)."""
        rig = RestRig()
        for name in ("gw-1", "gw-2"):
            rig.request(name, provisionUserUsername="shared", provisionUserPassword=f"of {name}")

        assert sign_in_to_provision(rig.registry, "gw-2", "shared", "of gw-2", rig.now_us).client_id == "gw-2"
        assert failure_of(rig, "gw-2", "shared", "of gw-1") is BAD

    def test_of_two_accounts_that_want_a_device_the_newest_counts(self) -> None:
        rig = RestRig()
        rig.request("gw-1", accountId="AQ")
        rig.later(1)
        newest = rig.request("gw-1")

        assert sign_in_to_provision(rig.registry, "gw-1", "boot-gw-1", "secret", rig.now_us).id == newest["id"]

    def test_of_two_with_different_passwords_that_one_counts(self) -> None:
        rig = RestRig()
        older = rig.request("gw-1", accountId="AQ", provisionUserPassword="older")
        rig.later(1)
        rig.request("gw-1")

        assert sign_in_to_provision(rig.registry, "gw-1", "boot-gw-1", "older", rig.now_us).id == older["id"]

    def test_expired_and_disabled_admit_nobody_but_early_does(self) -> None:
        """S-12, S-13."""
        rig = RestRig()
        rig.request("late", expiresOn=rig.now_ms + 60_000)
        rig.request("early", activatesOn=rig.now_ms + 60_000)
        off = rig.request("off")
        rig.done("PUT", f"/v2/provisionRequests/{off['id']}", {"optlock": 1, "status": "DISABLED"})

        assert sign_in_to_provision(rig.registry, "early", "boot-early", "secret", rig.now_us).client_id == "early"
        assert failure_of(rig, "off", "boot-off", "secret") is DENIED
        sign_in_to_provision(rig.registry, "late", "boot-late", "secret", rig.now_us)
        rig.later(60)
        assert failure_of(rig, "late", "boot-late", "secret") is DENIED

    def test_wrong_passwords_lock_the_request_alone(self) -> None:
        """1.3: with a wrong password three retries lock the user for three hours."""
        rig = RestRig()
        for name in ("gw-1", "gw-2"):
            rig.request(name, provisionUserUsername="shared")
        for _ in range(3):
            assert failure_of(rig, "gw-1", "shared", "wrong") is BAD

        assert failure_of(rig, "gw-1", "shared", "secret") is DENIED
        sign_in_to_provision(rig.registry, "gw-2", "shared", "secret", rig.now_us)
        rig.later(10_800)
        sign_in_to_provision(rig.registry, "gw-1", "shared", "secret", rig.now_us)

    def test_its_password_is_none_for_rest_or_the_broker(self) -> None:
        rig = RestRig()
        rig.request("gw-1")

        assert failure_of(rig, "boot-gw-1", "secret") is BAD
