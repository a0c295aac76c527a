"""The same scenarios have the same verdicts in virtual and in real time.

Here a subset that is quick; `fleetrig run hawkbit thingsboard --time real` is the whole.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.verdict import Report, Verdict

SCENARIOS = Path(__file__).parents[2] / "scenarios"

QUICK = (
    "hawkbit/preregistration",
    "hawkbit/token_rotation",
    "hawkbit/re_registration",
    "hawkbit/line_account",
    "hawkbit/target_types",
    "hawkbit/gateway",
    "hawkbit/certificate",
    "hawkbit/certificate_untrusted",
    "hawkbit/certificate_expired",
    "hawkbit/certificate_foreign",
    "hawkbit/certificate_rotation",
    "hawkbit/wrong_token_refused",
    "hawkbit/cancelled_before_install",
    "hawkbit/cut_download",
    "hawkbit/power_cuts[cut=poll#1:sent]",
    "hawkbit/power_cuts[cut=configData#1:answered]",
    "hawkbit/power_cuts[cut=feedback-closed#1:sent]",
)

THINGSBOARD = (
    "thingsboard/first_contact",
    "thingsboard/mqtt_basic[over=coap]",
    "thingsboard/certificate[over=coap]",
    "thingsboard/certificate_chain",
    "thingsboard/gateway",
    "thingsboard/broker_restart_after_commit",
    "thingsboard/lost_reply[over=http]",
    "thingsboard/mqtt_versions[mqtt_version=5,credential=server_token]",
    "thingsboard/protobuf[over=coap,credential=own_token]",
    "thingsboard/power_cuts[cut=provision-request#1:sent]",
    "thingsboard/power_cuts[cut=provision#1:answered]",
    "thingsboard/recovery/create_lost[credential=server_token]",
    "thingsboard/recovery/create_deleted[credential=mqtt_basic]",
    "thingsboard/recovery/check_renamed[credential=certificate]",
    "thingsboard/recovery/chain[accident=delete]",
)

HONO = (
    "hono/manual[over=http,credential=password]",
    "hono/psk",
    "hono/three_steps[over=mqtt]",
    "hono/first_contact[over=http]",
    "hono/sequence[over=mqtt]",
    "hono/sequence[over=coap]",
    "hono/strangers[over=http,credential=forged_certificate]",
    "hono/expired[over=mqtt,credential=expired_certificate]",
    "hono/authority_rollover[over=coap]",
    "hono/renamed_with_template[over=http]",
    "hono/notification_lost[over=http]",
    "hono/notification_lost[over=coap]",
    "hono/tenant_disabled[over=mqtt,credential=certificate]",
    "hono/clones[over=http]",
    "hono/commands[over=mqtt]",
    "hono/gateway_certificate[over=mqtt]",
    "hono/power_cuts[over=http,cut=telemetry#1:sent]",
    "hono/power_cuts[over=mqtt,cut=login#1:answered]",
)

KURA = (
    "kura/attachments",
    "kura/auto_registration",
    "kura/confirm_lost",
    "kura/control_before_provisioning",
    "kura/missing_or_gone",
    "kura/over_tls",
    "kura/overloaded",
    "kura/restart_before_birth",
    "kura/transport_updated",
    "kura/two_instances",
    "kura/wrong_password",
    "kura/power_cuts[cut=provision#1:answered]",
    "kura/power_cuts[cut=birth#1:sent]",
)


def shape(report: Report) -> tuple[object, ...]:
    """Everything that must not depend on how it was run."""
    phases = [
        (phase.name, [(check.title, check.verdict, check.line) for check in phase.checks]) for phase in report.phases
    ]
    return report.name, report.title, report.verdict, report.devices, phases


async def run_all(runs: tuple[Expanded, ...], results: Path, *, real_time: bool) -> list[Report]:
    options = RunOptions(real_time=real_time, results=results)
    return list(await asyncio.gather(*(run(one, options) for one in runs)))


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [QUICK, THINGSBOARD, HONO, KURA], ids=["hawkbit", "thingsboard", "hono", "kura"])
def test_virtual_and_real_time_agree(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    runs = plan(chosen, SCENARIOS, (), power_cut_points)
    virtual = asyncio.run(run_all(runs, tmp_path / "virtual", real_time=False))
    real = asyncio.run(run_all(runs, tmp_path / "real", real_time=True))
    assert {report.verdict for report in virtual} == {Verdict.PASSED}
    assert [shape(report) for report in real] == [shape(report) for report in virtual]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_every_scenario_passes_in_virtual_time_with_other_seeds(tmp_path: Path, seed: int) -> None:
    for expanded in plan(["hawkbit"], SCENARIOS):
        if None in expanded.values.values():
            continue  # power cuts have a file of their own for each point
        report = asyncio.run(run(expanded, RunOptions(seed=seed, results=tmp_path)))
        assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED), report
