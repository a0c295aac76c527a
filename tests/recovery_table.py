"""The table of docs/recovery.md, made from the scenarios in scenarios/thingsboard/recovery: what it says was run.

make contracts        writes it anew
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.harness.platforms.thingsboard.words import DeleteRecords
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.selection import Expanded, plan

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "recovery.md"
BEGIN, END = "<!-- table: made by `make contracts` -->", "<!-- end of table -->"
STRATEGIES: Final = ("ALLOW_CREATE_NEW_DEVICES", "CHECK_PRE_PROVISIONED_DEVICES", "X509_CERTIFICATE_CHAIN")
ACCIDENTS: Final[Mapping[str, str]] = {
    "lose_credentials": "the device lost its stored credentials",
    "factory_reset": "the device was reset",
    "delete": "its record was deleted",
    "rename": "its record was renamed",
}
HAPPEN_TO_DEVICES: Final = frozenset({"lose_credentials", "factory_reset"})
REMEDIES: Final[Mapping[str, str]] = {
    "restore_credentials": "write the credentials that the server has into the device",
    "reset_provisioning": "delete the server attribute `provisionState`",
    "preregister": "import it again",
    "delete": "delete the record",
    "delete another": "delete the renamed record",
    "rename": "give the record its old name back",
    "rotate": "then renew the certificate",
    "power_cycle": "switch the device off and on",
}
RELEASES: Final[Mapping[str, str]] = {
    "thingsboard.answers_once": "4.2.1.1 and later",
    "thingsboard.answers_again": "before 4.2.1.1",
    "thingsboard.certificate_chain": "3.5 and later",
}
CREDENTIALS: Final[Mapping[str, str]] = {
    "server_token": "token of the server",
    "own_token": "own token",
    "mqtt_basic": "MQTT_BASIC",
    "certificate": "own certificate",
}
HEAD: Final = ("what happened", "credentials", "releases", "the device sees", "what to do", "then", "tried by")


class Row(NamedTuple):
    """One accident, and what is done about it."""

    strategy: str
    happened: str
    releases: str
    sees: str
    remedy: str
    then: str
    scenario: str


def rows() -> dict[Row, list[str]]:
    """Each with the kinds of credentials that it was tried with, in the order of the files."""
    found: dict[Row, list[str]] = {}
    for expanded in plan(["thingsboard/recovery"], ROOT / "scenarios"):
        for row in rows_of(expanded):
            found.setdefault(row, []).append(expanded.scenario.devices.credential)
    return found


def rows_of(expanded: Expanded) -> Iterator[Row]:
    """A phase with an accident begins a row; the phase after it, if it is no accident, says what helps."""
    scenario = expanded.scenario
    after = [*scenario.phases[2:], None]
    happened: list[str] = []
    for number, (phase, following) in enumerate(zip(scenario.phases[1:], after, strict=True), 1):
        if not is_accident(number, phase):
            continue
        remedy = following if following is not None and not is_accident(number + 1, following) else None
        happened += [ACCIDENTS[word] for word in words_of(phase) if word in ACCIDENTS]
        yield Row(
            str(scenario.server.settings.values["provisionType"]),
            ", then ".join(happened),
            releases_of(scenario),
            phase.name,
            "nothing" if remedy is None else ", ".join(REMEDIES[word] for word in words_of(remedy)),
            "" if remedy is None else remedy.name,
            scenario.id.rpartition("/")[2],
        )


def is_accident(number: int, phase: Phase) -> bool:
    """The first phase provisions the devices; what operators do in later ones may be the remedy."""
    return number == 1 or not HAPPEN_TO_DEVICES.isdisjoint(words_of(phase))


def words_of(phase: Phase) -> list[str]:
    return [named(action.word, action.arguments) for action in phase.do]


def named(word: str, arguments: ActionWord) -> str:
    match arguments:
        case DeleteRecords(name=str()):
            return "delete another"
        case _:
            return word


def releases_of(scenario: Scenario) -> str:
    return next((RELEASES[word] for word in scenario.needs if word in RELEASES), "all")


def kinds_text(kinds: list[str]) -> str:
    if set(kinds) == set(CREDENTIALS):
        return "any"
    return ", ".join(CREDENTIALS.get(kind, "a chain that the profile knows") for kind in dict.fromkeys(kinds))


def table() -> str:
    """One table for each strategy."""
    parts = []
    found = rows()
    for strategy in STRATEGIES:
        parts += [f"### {strategy}", "", _line(HEAD), _line(["---"] * len(HEAD))]
        for row, kinds in found.items():
            if row.strategy == strategy:
                cells = (row.happened, kinds_text(kinds), row.releases, row.sees, row.remedy, row.then, row.scenario)
                parts.append(_line(cells))
        parts.append("")
    return "\n".join(parts)


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """The page with its table as the scenarios have it."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    return f"{before}{BEGIN}\n{table()}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
