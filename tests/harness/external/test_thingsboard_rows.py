"""The rows for ThingsBoard's devices (D01 to D34): our own device passes all, and one with a mistake does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Severity, Verdict
from tests.harness import broken_thingsboard_devices as broken
from tests.harness.broken_devices import Change

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ROWS = plan(["external/thingsboard"], SCENARIOS)
PARTS = 3
"""In which they are run over sockets, each by a worker of its own."""


def outcome(name: str, folder: Path, change: Change = default_behaviour) -> Report:
    (expanded,) = [row for row in ROWS if row.name == name]
    return asyncio.run(run(expanded, RunOptions(results=folder, own_device=True, behaviour=change)))


def test_every_row_is_cited() -> None:
    cited = {cite for row in ROWS for cite in row.scenario.cites}
    assert cited == {f"thingsboard#D{number:02}" for number in range(1, 35)}


def test_recommendations_are_warnings() -> None:
    """Growing delays, jitter, a spread start, and room for long replies: findings, not errors."""
    soft = {
        (row.scenario.id.rpartition("/")[2], check.word)
        for row in ROWS for phase in row.scenario.phases for check in phase.expect
        if check.severity is Severity.WARNING
    }  # fmt: skip
    assert soft == {
        ("closed_without_reply", "backs_off"), ("closed_without_reply", "jitter"), ("session_refused", "backs_off"),
        ("http_errors", "backs_off"), ("http_errors", "jitter"), ("long_reply", "sends"), ("stampede", "spread"),
    }  # fmt: skip


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_our_own_device_passes_in_virtual_time(name: str, tmp_path: Path) -> None:
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "virtual"


@pytest.mark.slow
def test_our_own_device_passes_over_sockets(tmp_path: Path) -> None:
    """Every third row; `make soak` has all."""
    pass_over_sockets(0, tmp_path)


def pass_over_sockets(part: int, tmp_path: Path) -> None:
    """Side by side: they mostly wait."""
    rows = ROWS[part::PARTS]

    async def all_of_them() -> list[Report]:
        gate = asyncio.Semaphore(20)

        async def one(number: int) -> Report:
            async with gate:
                return await run(rows[number], RunOptions(real_time=True, results=tmp_path, own_device=True))

        return await asyncio.gather(*(one(number) for number in range(len(rows))))

    reports = asyncio.run(all_of_them())
    assert [report for report in reports if report.verdict is not Verdict.PASSED] == []


MISTAKES = [
    ("first_contact", "shows_its_secret", broken.shows_its_secret, "order", Verdict.FAILED),
    ("first_contact", "subscribes_to_all", broken.subscribes_to_all, "refused", Verdict.FAILED),
    ("first_contact", "forgets_the_slash", broken.forgets_the_slash, "refused", Verdict.FAILED),
    ("first_contact", "sends_null", broken.sends_null, "refused", Verdict.FAILED),
    ("first_contact", "sends_no_key", broken.sends_no_key, "refused", Verdict.FAILED),
    ("first_contact", "sends_numbers", broken.sends_numbers, "refused", Verdict.FAILED),
    ("first_contact", "nameless", broken.nameless, "order", Verdict.FAILED),
    ("first_contact", "asks_twice", broken.asks_twice, "sends", Verdict.FAILED),
    ("first_contact", "talks_too_early", broken.talks_too_early, "refused", Verdict.FAILED),
    ("first_contact", "stays", broken.stays, "refused", Verdict.FAILED),
    ("first_contact_http", "sends_null", broken.sends_null, "refused", Verdict.FAILED),
    ("first_contact_coap", "sends_null", broken.sends_null, "refused", Verdict.FAILED),
    ("mqtt_basic", "reads_username", broken.reads_username, "refused", Verdict.FAILED),
    ("other_kind", "sees_tokens_only", broken.sees_tokens_only, "order", Verdict.FAILED),
    ("lenient_reply[over=mqtt]", "pedantic", broken.pedantic, "keeps_running", Verdict.FAILED),
    ("lenient_reply[over=coap]", "pedantic", broken.pedantic, "keeps_running", Verdict.FAILED),
    ("reply_without_value[over=mqtt]", "believes_codes", broken.believes_codes, "never", Verdict.FAILED),
    ("reply_without_value[over=http]", "believes_codes", broken.believes_codes, "never", Verdict.FAILED),
    ("reply_of_unknown_kind[over=mqtt]", "sees_tokens_only", broken.sees_tokens_only, "never", Verdict.FAILED),
    ("reply_of_unknown_kind[over=http]", "sees_tokens_only", broken.sees_tokens_only, "never", Verdict.FAILED),
    ("reply_cut[over=mqtt]", "takes_what_it_finds", broken.takes_what_it_finds, "never", Verdict.FAILED),
    ("reply_cut[over=coap]", "takes_what_it_finds", broken.takes_what_it_finds, "never", Verdict.FAILED),
    ("reply_no_json[over=http]", "dies_of_no_json", broken.dies_of_no_json, "keeps_running", Verdict.FAILED),
    ("reply_no_json[over=mqtt]", "hammers", broken.hammers, "rate", Verdict.FAILED),
    ("reply_elsewhere", "hears_everything", broken.hears_everything, "never", Verdict.FAILED),
    ("not_found[over=mqtt]", "never_takes_no", broken.never_takes_no, "sends", Verdict.FAILED),
    ("not_found[over=coap]", "never_takes_no", broken.never_takes_no, "sends", Verdict.FAILED),
    ("not_found[over=mqtt]", "keeps_refusals", broken.keeps_refusals, "never", Verdict.FAILED),
    ("failure[over=http]", "believes_codes", broken.believes_codes, "never", Verdict.FAILED),
    ("failure[over=http]", "keeps_refusals", broken.keeps_refusals, "never", Verdict.FAILED),
    ("failure[over=mqtt]", "renames_itself", broken.renames_itself, "never", Verdict.FAILED),
    ("failure[over=mqtt]", "never_takes_no", broken.never_takes_no, "sends", Verdict.FAILED),
    ("refusal_without_text[over=mqtt]", "needs_a_text", broken.needs_a_text, "keeps_running", Verdict.FAILED),
    ("closed_without_reply", "every_second", broken.every_second, "sends", Verdict.FAILED),
    ("closed_without_reply", "monotonous", broken.monotonous, "backs_off", Verdict.WARNED),
    ("closed_without_reply", "monotonous", broken.monotonous, "jitter", Verdict.WARNED),
    ("closed_without_reply", "dies_of_silence", broken.dies_of_silence, "keeps_running", Verdict.FAILED),
    ("lost_reply[over=mqtt]", "never_takes_no", broken.never_takes_no, "sends", Verdict.FAILED),
    ("lost_reply[over=http]", "never_takes_no", broken.never_takes_no, "sends", Verdict.FAILED),
    ("session_refused[code=3]", "dies_when_refused", broken.dies_when_refused, "keeps_running", Verdict.FAILED),
    ("session_refused[code=5]", "every_second", broken.every_second, "sends", Verdict.FAILED),
    ("no_reply[over=mqtt]", "waits_for_ever", broken.waits_for_ever, "receives", Verdict.FAILED),
    ("no_reply[over=http]", "waits_for_ever", broken.waits_for_ever, "receives", Verdict.FAILED),
    ("no_suback", "waits_for_suback", broken.waits_for_suback, "receives", Verdict.FAILED),
    ("reply_twice", "hears_twice", broken.hears_twice, "keeps_running", Verdict.FAILED),
    ("power_cut_before_stored[over=mqtt]", "rash", broken.rash, "never", Verdict.FAILED),
    ("power_cut_before_stored[over=coap]", "rash", broken.rash, "never", Verdict.FAILED),
    ("power_cut_after_stored[over=mqtt]", "forgetful", broken.forgetful, "never", Verdict.FAILED),
    ("power_cut_after_stored[over=http]", "forgetful", broken.forgetful, "never", Verdict.FAILED),
    ("token_replaced[over=mqtt]", "re_provisions_for_ever", broken.re_provisions_for_ever, "sends", Verdict.FAILED),
    ("token_replaced[over=mqtt]", "logs_in_for_ever", broken.logs_in_for_ever, "sends", Verdict.FAILED),
    ("token_replaced[over=http]", "logs_in_for_ever", broken.logs_in_for_ever, "sends", Verdict.FAILED),
    ("long_reply[over=coap]", "small", broken.has_room_for_a_kilobyte, "keeps_running", Verdict.FAILED),
    ("strange_server[certificate=wrong_name]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("http_errors[status=413]", "every_second", broken.every_second, "sends", Verdict.FAILED),
    ("http_errors[status=500]", "monotonous", broken.monotonous, "backs_off", Verdict.WARNED),
    ("separate_response", "impatient", broken.impatient, "sends", Verdict.FAILED),
    ("session_ended", "dies", broken.dies_with_its_session, "keeps_running", Verdict.FAILED),
    ("factory_reset[over=mqtt]", "stubborn", broken.stubborn, "never", Verdict.FAILED),
    ("factory_reset[over=http]", "stubborn", broken.stubborn, "never", Verdict.FAILED),
    ("gateway", "no_gateway", broken.no_gateway, "refused", Verdict.FAILED),
    ("stampede", "hammers", broken.hammers, "rate", Verdict.FAILED),
    ("stampede", "monotonous", broken.both(broken.set_up(start_spread_s=0.0), broken.monotonous), "spread",
     Verdict.WARNED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "word", "verdict"),
    [(name, change, word, verdict) for name, _, change, word, verdict in MISTAKES],
    ids=[f"{name}-{mistake}-{word}" for name, mistake, _, word, _ in MISTAKES],
)
def test_a_mistake_is_found(name: str, change: Change, word: str, verdict: Verdict, tmp_path: Path) -> None:
    report = outcome(f"external/thingsboard/{name}", tmp_path, change=change)
    wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
    assert report.verdict is verdict, report
    assert word in wrong


def test_each_row_that_can_be_broken_in_virtual_time_is() -> None:
    """Tokens in the output are seen of programs only (test_thingsboard_program), and shown certificates by servers."""
    broken_rows = {name.partition("[")[0] for name, *_ in MISTAKES}
    rows = {row.scenario.id.rpartition("/")[2] for row in ROWS}
    assert rows - broken_rows == {"own_token", "own_certificate", "secrets", "secrets_refused"}
