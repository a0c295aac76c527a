"""What a server lacks, in one sentence with what to do about it: why a scenario or a row is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES, FRESH, NEUTRAL_NEEDS, Vocabulary
from fleetrig.harness.servers.description import LISTENERS
from fleetrig.harness.verdict import Lack
from fleetrig.simulator.contract.errors import UsageError

DECLARED_BY_KEYS: Final = {
    CLIENT_CERTIFICATES: "`https: URL` and `client_ca: {certificate: F.pem, key: F.key}`",
    "line_account": "`line: {user: NAME, password: env:NAME}`",
}
"""Words of `needs` that a SERVER.yaml declares by keys of its own."""
ONLY_OURS: Final = (
    "only fleetrig's own server has: if this is one, give --against the address of its control interface, which its "
    "first lines say; else leave --against away"
)
LEAVE_OPTION: Final = "--change-tenant-settings"
ALONE: Final = "it takes a server of its own, which nobody else uses: leave --against away"


class LeaveMissing(UsageError):
    """What was asked for would change a server for everybody, and nobody has said that this is meant."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence}; say {LEAVE_OPTION} if that is meant")
        self.lack = Lack("leave to change settings of everybody's tenant", f"say {LEAVE_OPTION} if that is meant")


@dataclass(frozen=True, slots=True)
class LackingServer:
    """Whose lacks they are. `profiles_with`: the profiles of our own server that lack none of them."""

    name: str
    is_own: bool = False
    """It is started for the run."""
    is_reference: bool = False
    """A `fleetrig serve` that says itself what it can do."""
    profiles_with: Sequence[str] = ()
    serve_options: Mapping[str, str] = field(default_factory=dict)
    """Word -> the options of `fleetrig serve` that bring it."""

    def why_skipped(self, lacking: Sequence[str]) -> str:
        """Names what it lacks, and how to get it. Listeners are declared by address, other words by `can`."""
        return f"{self.name} lacks {', '.join(dict.fromkeys(lacking))}; {self._remedy(lacking)}"

    def lacks(self, lacking: Sequence[str]) -> tuple[Lack, ...]:
        """One for each word, to be counted over many runs."""
        return tuple(Lack(word, self._remedy([word])) for word in lacking)

    def _remedy(self, lacking: Sequence[str]) -> str:
        if self.is_own and self.profiles_with:
            return f"run it with --profile {' or '.join(self.profiles_with)}"
        if self.is_own:
            return "run it --against a server that has, and say so in its SERVER.yaml: " + _declared(lacking)
        if self.is_reference:
            return "; ".join(dict.fromkeys(self._of_served(lacking)))
        if any(word in NEUTRAL_NEEDS for word in lacking):
            return ALONE if FRESH in lacking else ONLY_OURS
        verb = "listens there" if all(word in LISTENERS for word in lacking) else "has"
        return f"if it {verb}, say so in a SERVER.yaml: " + _declared(lacking)

    def _of_served(self, lacking: Sequence[str]) -> Iterator[str]:
        for word in lacking:
            if word == FRESH:
                yield ALONE
            elif options := self.serve_options.get(word):
                yield f"start `fleetrig serve` with {options}"
            elif word in LISTENERS:
                yield f"start `fleetrig serve` with --{word} HOST:PORT"
            elif word.rpartition(".")[2] in DECLARED_BY_KEYS:
                yield f"say in a SERVER.yaml beside its `control`: {_declared([word])}"
            elif self.profiles_with:
                yield f"start `fleetrig serve` with --profile {' or '.join(self.profiles_with)}"
            else:
                yield "no `fleetrig serve` has it"


def lacking_server(
    name: str, vocabulary: Vocabulary, wanted: Sequence[str], *, is_own: bool, is_reference: bool
) -> LackingServer:
    """`wanted`: all that is needed and is no listener of the server."""
    return LackingServer(name, is_own, is_reference, vocabulary.profiles_with(wanted), vocabulary.serve_options)


def _declared(lacking: Sequence[str]) -> str:
    listeners = [word for word in lacking if word in LISTENERS]
    keys = [f"`{word}: HOST:PORT`" for word in listeners]
    keys += [DECLARED_BY_KEYS[ending] for word in lacking if (ending := word.rpartition(".")[2]) in DECLARED_BY_KEYS]
    others = [word for word in lacking if word not in listeners and word.rpartition(".")[2] not in DECLARED_BY_KEYS]
    return ", ".join([*keys, *([f"`can: [{', '.join(others)}]`"] if others else [])])
