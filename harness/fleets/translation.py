"""A scenario as a fleet for the array engine: its cohorts, its server, and whether it can run there at all."""

from __future__ import annotations

from fleetrig.harness.fleets.check_table import check_words
from fleetrig.harness.fleets.cohort_traits import CohortTraits, traits_of
from fleetrig.harness.fleets.disruptions import check_fault, server_model
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.scenario_file.action_words import ActionWord, CyclePower, DeviceSelector, PowerCut, PowerOn, Wait
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.simulator.cohort.model import Cohort, FleetModel
from fleetrig.simulator.cohort.state import latest_us, too_long
from fleetrig.simulator.contract.clock import to_us

__all__ = ["NotACohort", "all_traits", "check_scenario", "fleet_model"]


def fleet_model(scenario: Scenario, seed: int) -> FleetModel:
    """Raises NotACohort for what the array engine cannot do."""
    traits = all_traits(scenario)
    check_scenario(scenario, traits)
    cohorts = tuple(
        cohort_of(name, count, one) for (name, count), one in zip(named_counts(scenario), traits, strict=True)
    )
    model = FleetModel(cohorts, server_model(scenario.server.capacity, traits), seed)
    if (most_us := latest_us(model)) <= (longest_us := longest_run_us(scenario)):
        raise NotACohort(too_long(model.count, longest_us, most_us))
    return model


def longest_run_us(scenario: Scenario) -> int:
    """With all that actions take, and all that they set in motion."""
    spans_s = (phase.within_s or phase.for_s or 0.0 for phase in scenario.phases)
    actions = (action.arguments for phase in scenario.phases for action in phase.do)
    return to_us(sum(spans_s) + sum(_action_s(words, scenario.devices.start_spread_s) for words in actions))


def _action_s(words: ActionWord, start_spread_s: float) -> float:
    match words:
        case PowerOn():
            # `steady` lasts longer than its spread by `poll_jitter`, which is 1 at most.
            return 2 * (start_spread_s if words.spread_s is None else words.spread_s)
        case CyclePower():
            return words.off_s
        case Wait():
            return words.for_s
        case _:
            return 0.0


def all_traits(scenario: Scenario) -> tuple[CohortTraits, ...]:
    """Of each cohort. Raises NotACohort."""
    return tuple(traits_of(scenario, block) for _, _, block in scenario.devices.makes())


def named_counts(scenario: Scenario) -> tuple[tuple[str, int], ...]:
    """Cohort by cohort."""
    return tuple((name, count) for name, count, _ in scenario.devices.makes())


def cohort_of(name: str, count: int, traits: CohortTraits) -> Cohort:
    least_s, most_s = traits.interval_s
    return Cohort(
        name, count, (to_us(least_s), to_us(most_s)), traits.retry, to_us(traits.timeout_s),
        is_connected=traits.drops_at_once, waits_to_start=traits.waits_to_start,
    )  # fmt: skip


def check_scenario(scenario: Scenario, traits: tuple[CohortTraits, ...]) -> None:
    """Raises NotACohort for faults, actions and checks that the array engine does not know."""
    for line in scenario.faults:
        check_fault(line, traits)
    for phase in scenario.phases:
        check_phase(phase, traits)


def check_phase(phase: Phase, traits: tuple[CohortTraits, ...]) -> None:
    for line in phase.faults:
        check_fault(line, traits)
    for action in phase.do:
        check_action(action.word, action.arguments)
    for check in phase.expect:
        check_words(check.word, check.arguments, traits)


def check_action(word: str, words: ActionWord) -> None:
    if not isinstance(words, PowerOn | PowerCut | CyclePower | Wait):
        raise NotACohort(f"the action {word} works on the server or within devices")
    if isinstance(words, DeviceSelector) and words.only != "*":
        raise NotACohort(f"the action {word} is about some of the devices (only: {words.only!r})")
    if isinstance(words, PowerOn) and words.cut_at is not None:
        raise NotACohort("the action power_on cuts the power at a point of a device's program (`cut_at`)")
