"""How a board takes its identity, as the bench file writes it: files, variables of U-Boot, or a certificate.

Texts have places for what differs between units: `${serial}`, `${token}` and the like, checked when the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.problems import not_known
from fleetrig.harness.scenario_file.values import LooseText, Model, Text
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.hil.board import ProvisioningSpec
from fleetrig.hil.consoles.identity_over_console import UBOOT_NAME

PLACE: Final = re.compile(r"\$\{([a-z_]+)\}")
"""In capitals it is a variable of the board's own: `${HOME}` stays."""
PLAIN_PLACES: Final = ("url", "tenant", "id", "serial", "mac")
"""What is no secret: the server, and who the unit is. `id` and `serial` are the same."""


def known_places() -> tuple[str, ...]:
    """The names that can stand in a place: those above, and what platforms give to devices."""
    given = (name for platform in PLATFORMS for name in vocabulary_of(platform).program_values)
    return tuple(dict.fromkeys((*PLAIN_PLACES, *given)))


def places_in(text: str) -> tuple[str, ...]:
    return tuple(PLACE.findall(text))


def text_with_places(text: str) -> str:
    known = known_places()
    for name in places_in(text):
        if name not in known:
            raise ValueError(f"the place {not_known(name, known)}")
    return text


def whole_path(text: str) -> str:
    if not text.startswith("/") or text.endswith("/") or not text.isprintable():
        raise ValueError("expected the whole path of a file on the board, such as /data/identity")
    return text


def variable_name(text: str) -> str:
    if not UBOOT_NAME.fullmatch(text):
        raise ValueError("expected a variable of U-Boot: letters, digits and _ . # -")
    return text


TextWithPlaces = Annotated[LooseText, AfterValidator(text_with_places)]
BoardPath = Annotated[Text, AfterValidator(whole_path)]
VariableName = Annotated[Text, AfterValidator(variable_name)]


class CsrPart(Model):
    """The board makes a key that never leaves it; our authority signs its request."""

    key: BoardPath
    """Where the key lies on the board."""
    certificate: BoardPath
    """Where its certificate is written, with its chain."""


class ProvisioningPart(Model):
    """How the board takes its identity: files on Linux, variables of U-Boot, a certificate; files can go with one."""

    files: Mapping[BoardPath, TextWithPlaces] = Field(default={}, min_length=1)
    """Path on the board -> text with places."""
    variables: Mapping[VariableName, TextWithPlaces] = Field(default={}, min_length=1)
    """Name in U-Boot's environment -> text with places."""
    csr: CsrPart | None = None
    host: LooseText = ""
    """How the board reaches this machine, if the server listens on loopback here."""

    @model_validator(mode="after")
    def _something_of_one_shell(self) -> Self:
        if not (self.files or self.variables or self.csr):
            raise ValueError("expected files, variables or csr: what the board is to be given")
        if self.variables and (self.files or self.csr):
            raise ValueError("variables are for U-Boot, files and csr for Linux: a board has one console")
        return self

    @property
    def spec(self) -> ProvisioningSpec:
        key, certificate = (self.csr.key, self.csr.certificate) if self.csr else ("", "")
        return ProvisioningSpec(dict(self.files), dict(self.variables), key, certificate, self.host)
