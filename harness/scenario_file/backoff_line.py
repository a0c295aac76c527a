"""How a file says what devices do after failures: `backoff: {policy: full_jitter, base: 5s, cap: 5m}`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainSerializer, PlainValidator, Strict, WithJsonSchema, model_validator

from fleetrig.harness.scenario_file.values import Duration, Model, up_to
from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.client_policies import CLIENT_POLICIES, RealClient
from fleetrig.simulator.contract.bounds import FAILURES_IN_A_ROW, RETRY_TOKENS
from fleetrig.simulator.contract.units import DURATION, duration_s, duration_text

WHOLE_PERCENT: Final = 100


def share_of_requests(value: Any) -> float:
    """`10%` to 0.1."""
    number = value[:-1].strip() if isinstance(value, str) and value.endswith("%") else ""
    if not number.replace(".", "", 1).isascii() or not number.replace(".", "", 1).isdecimal():
        raise ValueError("expected a share of the requests, such as 10%")
    if not 0 < float(number) <= WHOLE_PERCENT:
        raise ValueError("expected a share of more than 0% and at most 100%")
    return float(number) / WHOLE_PERCENT


def _percent(share: float) -> str:
    return f"{share * WHOLE_PERCENT:g}%"


ShareOfRequests = Annotated[
    float,
    PlainValidator(share_of_requests),
    PlainSerializer(_percent, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$", "examples": ["10%"]}),
]


def time_range(value: Any) -> tuple[float, float]:
    """`[0s, 60s]` to (0.0, 60.0)."""
    if isinstance(value, list | tuple) and len(value) == 2:
        least_s, most_s = duration_s(value[0]), duration_s(value[1])
        if least_s <= most_s:
            return least_s, most_s
    raise ValueError("expected two times, the shorter one first, such as [0s, 60s]")


TimeRange = Annotated[
    tuple[float, float],
    PlainValidator(time_range),
    PlainSerializer(lambda span: [duration_text(seconds) for seconds in span], when_used="json"),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "pattern": f"^{DURATION.pattern}$"},
            "minItems": 2,
            "maxItems": 2,
            "examples": [["0s", "60s"]],
        }
    ),
]
USUAL_BUDGET: Final = RetryBudget()
USUAL_BREAKER: Final = CircuitBreaker()


class BudgetLine(Model):
    """Each retry costs a token, each answered request earns a share of one; without a token a device waits for its
    interval."""

    share: ShareOfRequests = USUAL_BUDGET.share
    """How much of a token an answered request earns."""
    burst: Annotated[int, Strict(), Field(ge=1), up_to(RETRY_TOKENS)] = USUAL_BUDGET.burst
    """So many tokens it has at most, and at power-on."""


class BreakerLine(Model):
    """After so many failures in a row a device is silent for a while, then tries once."""

    after: Annotated[int, Strict(), Field(ge=1), up_to(FAILURES_IN_A_ROW)] = USUAL_BREAKER.after
    """How many failures in a row."""
    open_s: Duration = Field(USUAL_BREAKER.open_s, alias="open")
    """How long it is silent."""
    spread_s: Duration = Field(USUAL_BREAKER.spread_s, alias="spread")
    """Added, drawn: without it the devices that met one outage come back in one second."""

    @model_validator(mode="after")
    def _is_silent_at_all(self) -> Self:
        if self.open_s + self.spread_s == 0:
            raise ValueError("a device that is silent for 0s is not silent: expected open or spread above 0s")
        return self


class BackoffLine(Model):
    """How long devices wait after failures."""

    client: RealClient | None = None
    """As a real client does by default; then nothing else is said here."""
    policy: Policy = Policy.EQUAL_JITTER
    """How waits grow."""
    base_s: Duration = Field(1.0, alias="base")
    """What the policy begins with."""
    cap_s: Duration = Field(30.0, alias="cap")
    """No wait of the policy is longer."""
    floor_s: Duration = Field(1.0, alias="floor")
    """No wait is shorter, but with `immediate`."""
    retry_after_spread_s: Duration = Field(5.0, alias="retry_after_spread")
    """Added, drawn, to what `Retry-After` says."""
    honours_retry_after: bool = True
    """Whether they wait as long as `Retry-After` says."""
    first_s: TimeRange | None = Field(None, alias="first")
    """The first delay in a row of failures is drawn from this range; the others follow the policy."""
    budget: BudgetLine | None = None
    """Retries are rationed: each costs a token, and each answered request earns a share of one. Without a token a
    device waits for its interval."""
    breaker: BreakerLine | None = None
    """After many failures in a row a device is silent for a while, then tries once."""

    @classmethod
    def of(cls, backoff: Backoff) -> Self:
        """The line that says this policy."""
        budget, breaker = backoff.budget, backoff.breaker
        return cls(
            policy=backoff.policy,
            base=duration_text(backoff.base_s),
            cap=duration_text(backoff.cap_s),
            floor=duration_text(backoff.floor_s),
            retry_after_spread=duration_text(backoff.retry_after_spread_s),
            honours_retry_after=backoff.honours_retry_after,
            first=None if backoff.first_s is None else list(map(duration_text, backoff.first_s)),
            budget=None if budget is None else {"share": _percent(budget.share), "burst": budget.burst},
            breaker=None
            if breaker is None
            else {
                "after": breaker.after,
                "open": duration_text(breaker.open_s),
                "spread": duration_text(breaker.spread_s),
            },
        )  # fmt: skip

    @model_validator(mode="after")
    def _a_client_says_it_all(self) -> Self:
        if self.client is not None and len(self.model_fields_set) > 1:
            raise ValueError(f"client: {self.client} says all of it: leave the others away, or write numbers down "
                             "instead of its name")  # fmt: skip
        return self

    def to_backoff(self) -> Backoff:
        if self.client is not None:
            return CLIENT_POLICIES[self.client].backoff
        budget, breaker = self.budget, self.breaker
        return Backoff(
            self.policy, self.base_s, self.cap_s, self.floor_s, self.retry_after_spread_s, self.honours_retry_after,
            self.first_s,
            None if budget is None else RetryBudget(budget.share, budget.burst),
            None if breaker is None else CircuitBreaker(breaker.after, breaker.open_s, breaker.spread_s),
        )  # fmt: skip
