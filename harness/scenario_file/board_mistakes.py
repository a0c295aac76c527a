"""What could not be done with the boards of a scenario, though each of its words is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from fleetrig.harness.scenario_file.action_words import CyclePower, PowerCut
from fleetrig.harness.scenario_file.board_check_words import BoardCheckWord, UnitRecordSays
from fleetrig.harness.scenario_file.board_words import BoardWord, BringUpUnits, Flash, ProvisionOverConsole
from fleetrig.harness.scenario_file.boards_block import POWER
from fleetrig.harness.scenario_file.entry import WordModel
from fleetrig.harness.scenario_file.marks import Mark, locate
from fleetrig.harness.scenario_file.problems import Problem, Source, not_known
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.words import Action, Check

NO_BOARDS = "{0} is about a board, and this scenario has none: say `boards: {{gateway: {{}}}}`"
INSIDE = "{why}, and nobody can look into the board {role}, which plays {serial}; `only` can leave it out"
SWITCHED = "{word} switches off the board {role}, which plays {serial}: say `offers: [{power}]` in boards.{role}"
PLAYS_NONE = "{word}: the board {role} plays no device: say `device: SERIAL` in boards.{role}"
UNJUDGED = "nobody asks what became of the board {role}: say `unit: {{board: {role}}}` in `expect` of this phase"
EXTERNAL = "boards: a board plays the device itself: leave `external: true` away"
CHILDREN = "boards: a board plays one device: children of simulated gateways cannot stand beside it"


def board_mistakes(scenario: Scenario, source: Source) -> Iterator[Problem]:
    yield from _of_block(scenario, source)
    for phase in scenario.phases:
        for entry in phase.expect:
            yield from (source.problem(_place(entry, source), why) for why in _of_entry(scenario, entry))
        for action in phase.do:
            wrong = [*_of_entry(scenario, action), *_unjudged(scenario, action.arguments, phase.expect)]
            yield from (source.problem(_place(action, source), why) for why in wrong)


def _place(entry: Action | Check, source: Source) -> Mark:
    return source.find(entry.word, source.find("- ", Mark(entry.line, 1)))


def _of_block(scenario: Scenario, source: Source) -> Iterator[Problem]:
    """What the roles say of devices."""
    if not scenario.boards:
        return
    here = locate(source.tree, ["boards"], key=True)[0]
    if scenario.devices.external:
        yield source.problem(here, EXTERNAL)
    if scenario.devices.children:
        yield source.problem(here, CHILDREN)
    known = set(scenario.devices.speakers())
    first: dict[str, str] = {}
    for role, board in scenario.boards.items():
        if board.device is None:
            continue
        mark = locate(source.tree, ["boards", role, "device"])[0]
        if board.device not in known:
            yield source.problem(mark, f"boards.{role}.device: {not_known(board.device, sorted(known)[:1_000])}")
        if board.device in first:
            yield source.problem(
                mark, f"boards.{role}.device: {board.device} is played by {first[board.device]} already"
            )
        first.setdefault(board.device, role)


def _of_entry(scenario: Scenario, entry: Action | Check) -> Iterator[str]:
    words = entry.arguments
    if isinstance(words, BoardWord | BoardCheckWord):
        yield from _of_board_word(scenario, entry.word, words)
        return
    for role, serial in scenario.played.items():
        is_meant = all(fnmatchcase(serial, glob) for glob in words.globs())
        if is_meant and (why := words.needs_device_access()):
            yield INSIDE.format(why=why, role=role, serial=serial)
        if is_meant and isinstance(words, PowerCut | CyclePower) and POWER not in scenario.boards[role].offers:
            yield SWITCHED.format(word=entry.word, role=role, serial=serial, power=POWER)


def _of_board_word(scenario: Scenario, word: str, words: BoardWord | BoardCheckWord) -> Iterator[str]:
    roles = list(scenario.boards)
    if not roles:
        yield NO_BOARDS.format(word)
        return
    for role in words.roles():
        if role not in scenario.boards:
            yield f"{word}: the board {not_known(role, roles)}"
    if len(roles) > 1 and _is_for_one(words):
        yield f"{word}: which board? Say `board:` and one of {', '.join(roles)}"
        return
    for role in (role for role in (list(words.roles()) or roles) if role in scenario.boards):
        yield from _of_role(scenario, word, words, role)


def _of_role(scenario: Scenario, word: str, words: WordModel, role: str) -> Iterator[str]:
    plays = isinstance(words, ProvisionOverConsole) or (isinstance(words, BringUpUnits) and words.to == "provisioned")
    if plays and role not in scenario.played:
        yield PLAYS_NONE.format(word=word, role=role)
    if isinstance(words, BringUpUnits) and words.units is None and role not in scenario.played:
        yield f"{word}: which unit is the board {role} to be? Say `units: {{{role}: SERIAL}}`"
    cuts = isinstance(words, Flash | ProvisionOverConsole) and words.cut_after_bytes is not None
    if cuts and POWER not in scenario.boards[role].offers:
        yield f"{word}: cut_after cuts power: say `offers: [{POWER}]` in boards.{role}"


def _is_for_one(words: BoardWord | BoardCheckWord) -> bool:
    return words.is_for_one if isinstance(words, BoardWord) else not list(words.roles())


def units_of(scenario: Scenario, words: BringUpUnits) -> dict[str, str]:
    """Role -> the unit that its board is to be."""
    return dict(words.units) if words.units is not None else scenario.played


def _unjudged(scenario: Scenario, words: WordModel, expected: Sequence[Check]) -> Iterator[str]:
    """A unit that failed would go unnoticed where no check of the phase asks for it."""
    if not isinstance(words, BringUpUnits):
        return
    asked = [check.arguments for check in expected if isinstance(check.arguments, UnitRecordSays)]
    roles = {role for one in asked for role in one.roles()}
    if any(one.board is None for one in asked) and len(scenario.boards) == 1:
        roles |= set(scenario.boards)
    yield from (UNJUDGED.format(role=role) for role in units_of(scenario, words) if role not in roles)
