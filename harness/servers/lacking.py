"""What a server lacks, in one sentence with what to do about it: why a scenario or a row is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES, NEUTRAL_NEEDS
from fleetrig.harness.servers.description import LISTENERS

DECLARED_BY_KEYS: Final = {
    CLIENT_CERTIFICATES: "`https: URL` and `client_ca: {certificate: F.pem, key: F.key}`",
    "line_account": "`line: {user: NAME, password: env:NAME}`",
}
"""Words of `needs` that a SERVER.yaml declares by keys of its own."""


def why_skipped(server: str, lacking: Sequence[str], *, is_own: bool = False, profiles_with: Sequence[str] = ()) -> str:
    """Names what `server` lacks, and how to get it. Listeners are declared by address, other words by `can`.

    `profiles_with`: the profiles of our own server that lack none of it.
    """
    return f"{server} lacks {', '.join(lacking)}; {_remedy(lacking, profiles_with, is_own=is_own)}"


def _remedy(lacking: Sequence[str], profiles_with: Sequence[str], *, is_own: bool) -> str:
    listeners = [word for word in lacking if word in LISTENERS]
    if is_own and profiles_with:
        return f"run it with --profile {' or '.join(profiles_with)}"
    if is_own:
        return "run it --against a server that has, and say so in its SERVER.yaml: " + _declared(lacking, listeners)
    if any(word in NEUTRAL_NEEDS for word in lacking):
        return ("only our own server has: leave --against away, "
                "or run `fleetrig serve` and give its `control: URL` in a SERVER.yaml")  # fmt: skip
    verb = "listens there" if len(listeners) == len(lacking) else "has"
    return f"if it {verb}, say so in a SERVER.yaml: " + _declared(lacking, listeners)


def _declared(lacking: Sequence[str], listeners: Sequence[str]) -> str:
    keys = [f"`{word}: HOST:PORT`" for word in listeners]
    keys += [DECLARED_BY_KEYS[ending] for word in lacking if (ending := word.rpartition(".")[2]) in DECLARED_BY_KEYS]
    others = [word for word in lacking if word not in listeners and word.rpartition(".")[2] not in DECLARED_BY_KEYS]
    return ", ".join([*keys, *([f"`can: [{', '.join(others)}]`"] if others else [])])
