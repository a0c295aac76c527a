"""The file of `serve --accounts` for Hono: a list of `{user, password}`. A password may be `env:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, RootModel, model_validator

from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.values import Model
from fleetrig.harness.servers.secrets import from_environment
from fleetrig.reference_server.platforms.hono.state.settings import Account
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import why_no_basic_account

Text = Annotated[str, Field(min_length=1, max_length=256)]


class AccountEntry(Model):
    user: Text
    password: Text

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if why := why_no_basic_account(self.user, "" if self.is_reference else self.password):
            raise ValueError(f"expected an account that HTTP Basic can carry, but {why}")
        return self

    @property
    def is_reference(self) -> bool:
        return self.password.startswith("env:")

    def account(self) -> Account:
        password = from_environment(self.password) if self.is_reference else self.password
        if why := why_no_basic_account(self.user, password):
            raise UsageError(f"--accounts: {self.password} of user {self.user!r}: {why}")
        return Account(self.user, password)


class AccountsFile(RootModel[Annotated[tuple[AccountEntry, ...], Field(max_length=1000)]]):
    pass


def read_accounts(path: Path) -> list[Account]:
    """Raises FileMistakes with line and column, UsageError for a file or a variable that is not there."""
    return [entry.account() for entry in load_mapping(path, AccountsFile).root]
