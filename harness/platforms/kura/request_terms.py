"""The terms of a provision request, as scenario files give them: who may come, when, how often, what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from fleetrig.harness.scenario_file.values import Duration, Flag, Model, Scalar, Text, Word
from fleetrig.simulator.contract.units import duration_text

MOST_BUNDLES: Final = 9
"""Beside one configuration (spec 1.5)."""
MOST_ATTEMPTS: Final = 1_000

Attempts = Annotated[int, Field(strict=True, ge=0, le=MOST_ATTEMPTS)]
Bundles = Annotated[int, Field(strict=True, ge=0, le=MOST_BUNDLES)]


class RequestTerms(Model):
    """Each device gets a request of its own, with its client id, user name and password."""

    account: Word | None = None
    """The account into which the devices come; the first of `accounts` when not given."""
    activation_key: Flag = True
    """The server draws a key, which devices have to present (`generateActivationKey`)."""
    activates_in_s: Duration | None = Field(None, alias="activates_in")
    """It counts only so much later (`activatesOn`)."""
    expires_in_s: Duration | None = Field(None, alias="expires_in")
    """It counts only so long (`expiresOn`)."""
    retry_max_attempts: Attempts = 3
    """How often the job may be tried again (`retryMaxAttempts`)."""
    secure_url: Flag = False
    """The devices are given the address over TLS (`provisionSecureURL`)."""
    credentials_tight: Flag = False
    """The given user may come with this client id only (`deviceCredentialsTight`)."""
    configuration: Mapping[Text, Mapping[Text, Scalar]] = {}
    """Attached: component -> property -> value."""
    bundles: Bundles = 0
    """So many are attached: fictitious ones, which the devices download and install."""

    @model_validator(mode="after")
    def _counts_some_time(self) -> Self:
        until_s = self.expires_in_s
        if self.activates_in_s is not None and until_s is not None and self.activates_in_s >= until_s:
            raise ValueError("expires_in must be later than activates_in: the request would never count")
        return self

    def describe_terms(self) -> str:
        """Parts of a sentence, each with a comma before it."""
        return "".join(f", {part}" for part in self._parts())

    def _parts(self) -> list[str]:
        parts = [f"into the account {self.account}"] if self.account is not None else []
        parts += ["with an activation key" if self.activation_key else "without an activation key"]
        parts += [f"from {duration_text(self.activates_in_s)} on"] if self.activates_in_s is not None else []
        parts += [f"for {duration_text(self.expires_in_s)}"] if self.expires_in_s is not None else []
        attached = [f"a configuration of {', '.join(self.configuration)}"] if self.configuration else []
        attached += [f"{self.bundles} bundle{'s' * (self.bundles > 1)}"] if self.bundles else []
        return parts + ([f"with {' and '.join(attached)}"] if attached else [])
