"""Before the fleet is built: the device profile of the run, with a key and a secret of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleetrig.harness.platforms.thingsboard.issued_credentials import learning
from fleetrig.harness.platforms.thingsboard.settings import CHAIN, CREATES, PATTERN, STRATEGY, chosen
from fleetrig.harness.platforms.thingsboard.thingsboard_run import ThingsBoardRun
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.drivers.director import Director


def setup(run: ThingsBoardRun) -> Director[None]:
    """Makes the profile; on a shared server its name has the run's prefix, and nothing else is touched."""
    run.admin.masks = run.context.secrets
    run.context.driver.trace.listen(learning(run.context.secrets))
    run.settings = settings_in_force(run.context.scenario)
    run.new_key()
    yield from save_profile(run)


def settings_in_force(scenario: Scenario) -> dict[str, Any]:
    """The profile's members as the scenario wants them."""
    return chosen(scenario.server.settings.values, scenario.devices.credential)


def configure(run: ThingsBoardRun, settings: Mapping[str, Any]) -> Director[None]:
    """Changes the profile; it holds from the next request on (spec 2.3)."""
    run.settings = chosen({**run.settings, **settings}, run.context.scenario.devices.credential)
    yield from save_profile(run)


def save_profile(run: ThingsBoardRun) -> Director[None]:
    run.profile = yield from run.admin.save_profile(profile_document(run))


def profile_document(run: ThingsBoardRun) -> dict[str, Any]:
    """The strategy stands twice, and both have to be the same (spec 4, "Profile")."""
    assert run.key is not None
    strategy, is_chain = run.settings[STRATEGY], run.settings[STRATEGY] == CHAIN
    provision: dict[str, Any] = {"type": strategy, "provisionDeviceSecret": run.key.secret}
    if is_chain:
        provision |= {PATTERN: run.settings[PATTERN], CREATES: run.settings[CREATES]}
        provision["provisionDeviceSecret"] = run.certificates.authority_pem
    known: dict[str, Any] = {name: run.profile[name] for name in ("id", "version") if name in run.profile}
    return {
        **known,
        "name": run.profile_name,
        "type": "DEFAULT",
        "transportType": "DEFAULT",
        STRATEGY: strategy,
        "provisionDeviceKey": None if is_chain else run.key.key,
        "profileData": {
            "configuration": {"type": "DEFAULT"},
            "transportConfiguration": {"type": "DEFAULT"},
            "provisionConfiguration": provision,
            "alarms": None,
        },
    }
