"""Start-up properties under the real server's names (§5, 9; `*.properties` of the server)."""

from __future__ import annotations

import re

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from tests.reference_server.platforms.hawkbit.rig import Rig, document, status

LINKS = "hawkbit.artifact.url.protocols"


def test_properties_change_the_settings() -> None:
    settings = settings_from_properties(
        {
            "hawkbit.controller.minPollingTime": "00:00:01",
            "hawkbit.controller.pollingTime": "00:00:05~10%",
            "hawkbit.server.ddi.security.authentication.gatewaytoken.enabled": "true",
            "hawkbit.server.ddi.security.rp.trustedIPs": "10.0.0.1, 10.0.0.2",
            "hawkbit.server.security.dos.filter.maxRead": "7",
            "hawkbit.server.security.dos.maxAttributeEntriesPerTarget": "3",
            "hawkbit.server.security.clients.trackRemoteIp": "false",
            "hawkbit.autoassign.scheduler.fixedDelay": "500",
            "hawkbit.server.tenant.configuration.implicit-lock-enabled.defaultValue": "false",
        }
    )
    assert settings.min_polling_time == "00:00:01"
    assert settings.config_defaults == {
        "pollingTime": "00:00:05~10%",
        "authentication.gatewaytoken.enabled": True,
        "implicit.lock.enabled": False,
    }
    assert settings.trusted_ips == ("10.0.0.1", "10.0.0.2")
    assert (settings.dos.max_read, settings.dos.max_write) == (7, 50)
    assert settings.quotas.attributes_per_target == 3
    assert settings.track_remote_ip is False
    assert settings.auto_assign_every_s == 0.5


@pytest.mark.parametrize("name", ["nonsense", "server.portt", "hawkbit.artifact.maxSize", ""])
def test_what_is_like_nothing_that_there_is_gets_no_hint(name: str) -> None:
    with pytest.raises(ValueError, match=f"^no property '{name}'$"):
        settings_from_properties({name: "1"})


def test_users_are_added_and_changed() -> None:
    settings = settings_from_properties(
        {
            "hawkbit.security.user.admin.password": "{noop}other",
            "hawkbit.security.user.bob.password": "b",
            "hawkbit.security.user.bob.permissions": "READ_TARGET,CREATE_TARGET",
            "hawkbit.security.user.bob.roles": "ROLLOUT_ADMIN",
            "hawkbit.security.user.bob.tenant": "second",
        },
        Settings(),
    )
    assert settings.accounts == (
        Account("admin", "other"),
        Account("bob", "b", ("ROLE_ROLLOUT_ADMIN", "READ_TARGET", "CREATE_TARGET"), "second"),
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("hawkbit.controller.minPolingTime", "1", "did you mean hawkbit.controller.minPollingTime"),
        ("hawkbit.minPollingTime", "1", "did you mean hawkbit.controller.minPollingTime"),
        ("hawkbit.server.security.dos.filter.maxReads", "1", "did you mean hawkbit.server.security.dos.filter.maxRead"),
        ("hawkbit.security.user.bob.passwort", "1", "did you mean hawkbit.security.user.bob.password"),
        (f"{LINKS}.cdn.host", "1", rf"did you mean {LINKS}.cdn.hostname"),
        ("hawkbit.artifact.url.protocol.cdn.rel", "1", rf"did you mean {LINKS}.cdn.rel"),
        (f"{LINKS}.cdn.port", "-1", "expected a port, 0 to 65535"),
        (f"{LINKS}.cdn.port", "65536", "expected a port, 0 to 65535"),
        (f"{LINKS}.cdn.enabled", "maybe", "expected true or false"),
        (f"{LINKS}.cdn.supports", "DDI,REST", "expected some of DDI,DMF,MGMT"),
        (f"{LINKS}.cdn.ip", "${CDN}", "expected the value itself"),
        ("hawkbit.controller.minPollingTime", "soon", "expected HH:mm:ss"),
        ("hawkbit.controller.pollingTime", "x", "Invalid pollingInterval: 'x'"),
        ("hawkbit.server.security.dos.filter.enabled", "maybe", "expected true or false"),
        ("hawkbit.server.security.dos.filter.maxRead", "-1", "expected a whole number"),
        ("hawkbit.server.security.clients.blacklist", "(", "no regular expression"),
        ("server.forward-headers-strategy", "yes", "expected one of NONE, NATIVE, FRAMEWORK"),
        ("hawkbit.security.user.bob.password", "a\nb", "the password holds a control character or a line end"),
        ("fleetrig.firstActionId", "0", "expected a whole number from 1 to 2,000,000,000"),
        ("fleetrig.firstActionId", "9" * 5000, "expected a whole number from 1 to 2,000,000,000"),
        ("fleetrig.firstActionID", "9", "did you mean fleetrig.firstActionId"),
        ("hawkbit.security.user.bob.tenant", "x", "needs hawkbit.security.user.bob.password"),
        ("hawkbit.security.user.admin.permissions", "READ_TARGETS", "did you mean READ_TARGET"),
    ],
)
def test_a_mistake_is_told_with_what_was_expected(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        settings_from_properties({name: text})


def test_secrets_given_at_the_start_are_masked_from_the_start() -> None:
    name = "hawkbit.server.ddi.security.authentication.gatewaytoken.key"
    rig = Rig(settings_from_properties({name: "start-key"}))
    assert {"YWRtaW46YWRtaW4=", "start-key"} <= {secret for _, secret in rig.platform.secrets()}
    assert rig.platform.secrets() == []


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_quota_of_nothing_is_no_quota(text: str) -> None:
    rig = Rig(settings_from_properties({"hawkbit.server.security.dos.maxMetaDataEntriesPerTarget": text}))
    rig.create("dev")
    metadata = [{"key": f"k{n}", "value": "v"} for n in range(101)]
    assert status(rig.mgmt("POST", "/targets/dev/metadata", metadata)) == 201


def test_links_follow_the_proxy_when_its_word_is_taken() -> None:
    rig = Rig(settings_from_properties({"server.forward-headers-strategy": "NATIVE"}))
    rig.create("dev")
    answer = rig.mgmt("GET", "/targets/dev", headers={"X-Forwarded-Proto": "https"})
    assert document(answer)["_links"]["self"]["href"] == "https://hawkbit.test/rest/v1/targets/dev"
    assert answer.response.header("Strict-Transport-Security") == "max-age=31536000 ; includeSubDomains"
    assert rig.mgmt("GET", "/targets/dev").response.header("Strict-Transport-Security") is None


def test_a_lower_minimum_allows_shorter_intervals() -> None:
    rig = Rig(settings_from_properties({"hawkbit.controller.minPollingTime": "00:00:01"}))
    assert status(rig.mgmt("PUT", "/system/configs/pollingTime", {"value": "00:00:02"})) == 204


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("server.port", "--http"),
        ("server.address", "--http"),
        ("server.ssl.key-store", "--https"),
        ("spring.servlet.multipart.max-file-size", "maxArtifactSize"),
        ("spring.security.user.name", "hawkbit.security.user.<name>.password"),
        ("security.user.password", "--accounts"),
        ("spring.datasource.url", "--store"),
        ("org.eclipse.hawkbit.repository.file.path", "--store"),
        ("spring.rabbitmq.host", "DMF"),
        ("hawkbit.dmf.enabled", "DMF"),
        ("hawkbit.server.security.cors.enabled", "origin"),
        ("logging.level.root", "--trace"),
        ("hawkbit.server.ddi.security.authentication.targettoken", ".enabled"),
    ],
)
def test_what_is_said_otherwise_here_is_told(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"no property {name!r} here: ")) as told:
        settings_from_properties({name: "x"})
    assert says in str(told.value)
    assert "did you mean" not in str(told.value)


def test_anonymous_devices_can_be_switched_off_as_they_are() -> None:
    name = "hawkbit.server.ddi.security.authentication.anonymous.enabled"
    assert settings_from_properties({name: "false"}) == Settings()
    with pytest.raises(ValueError, match="expected false"):
        settings_from_properties({name: "true"})
