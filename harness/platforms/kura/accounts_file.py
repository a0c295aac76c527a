"""The file of `serve --accounts` for Kura: a list of `{account, user, password}`. A password may be `env:NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.values import Model, written_as
from fleetrig.harness.servers.secrets import from_environment
from fleetrig.reference_server.platforms.kura.state.settings import Account

Text = Annotated[str, Field(min_length=1, max_length=255)]
Name = Annotated[str, written_as(ACCOUNT_NAME.pattern, ACCOUNT_NAME_FORM)]


class AccountEntry(Model):
    """An account below the first one, and a user who may do everything in it."""

    account: Name
    user: Name
    password: Text

    def opened(self) -> Account:
        is_reference = self.password.startswith("env:")
        password = from_environment(self.password) if is_reference else self.password
        return Account(self.account, self.user, password)


class AccountsFile(RootModel[Annotated[tuple[AccountEntry, ...], Field(max_length=1000)]]):
    pass


def read_accounts(path: Path) -> list[Account]:
    """Raises FileMistakes with line and column, UsageError for a file or a variable that is not there."""
    return [entry.opened() for entry in load_mapping(path, AccountsFile).root]
