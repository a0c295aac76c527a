"""The file of `serve --accounts` for hawkBit: a list of `{user, password, rights: [CREATE_TARGET, …], tenant}`.

`tenant` is DEFAULT when it is left out, `rights` all that an administrator of the tenant has. A role goes with
`ROLE_` and without. A password may be `env:NAME`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.values import Model
from fleetrig.harness.servers.secrets import from_environment
from fleetrig.reference_server.platforms.hawkbit.state.permissions import spelt
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account
from fleetrig.simulator.contract.errors import UsageError

Text = Annotated[str, Field(min_length=1, max_length=256)]


class AccountEntry(Model):
    user: Text
    password: Text
    rights: Annotated[tuple[Text, ...], Field(min_length=1, max_length=200)] = ("ROLE_TENANT_ADMIN",)
    tenant: Text = "DEFAULT"

    def account(self) -> Account:
        if ":" in self.user:
            raise UsageError(f"the user {self.user!r} has a colon in its name, which a login cannot carry")
        password = self.password
        if password.startswith("env:"):
            password = from_environment(password)
        return Account(self.user, password, tuple(map(spelt, self.rights)), self.tenant)


class AccountsFile(RootModel[Annotated[tuple[AccountEntry, ...], Field(max_length=1000)]]):
    pass


def read_accounts(path: Path) -> list[Account]:
    """Raises FileMistakes with line and column, UsageError for a file or a variable that is not there."""
    return [entry.account() for entry in load_mapping(path, AccountsFile).root]
