"""What the words of a platform's vocabulary mean, a sentence each: for `fleetrig explain`, the pages and the schema.

Each platform has them in `harness/platforms/<name>/word_notes.py`. Reading a file needs none of them, so they are
imported only when somebody asks. A test holds them against the vocabulary: every word has its sentence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.platforms import PLATFORMS, load
from fleetrig.harness.scenario_file.vocabulary import CLIENT_CERTIFICATES

Notes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WordNotes:
    """Word -> what it means, for each part of a vocabulary that has no model of its own."""

    title: str
    """The platform's name as people write it."""
    credentials: Notes
    attribute_modes: Notes
    states: Notes
    needs: Notes
    """The platform's own; `NEUTRAL_NEED_NOTES` has the others."""
    exchanges: Notes
    program_exchanges: Notes
    moments: Notes
    """Without `enter-STAGE`, which the stages explain."""
    secrets: Notes
    server_steps: Notes = field(default_factory=dict)


NEUTRAL_NEED_NOTES: Final[Notes] = {
    "reference": "Our own server, started for this run and used by nobody else: without `--against`.",
    "reference.faults": "The server can be made to fail (`faults`): our own, or one whose SERVER.yaml has `control`.",
    "reference.reasons": "The server tells why it refused somebody, and what it did on its way to an answer "
    "(`refused`, `steps`): our own, or one whose SERVER.yaml has `control`.",
    CLIENT_CERTIFICATES: "The server asks devices for certificates, and the run can issue some that it accepts: our "
    "own, or one whose SERVER.yaml has `https` and `client_ca`.",
}

LISTENER: Final = (
    "The server has such a listener: our own, or one whose SERVER.yaml has its address. What devices use is needed "
    "without being said."
)
LISTENER_NOTES: Final[Notes] = dict.fromkeys(("http", "https", "mqtt", "mqtts", "coap", "coaps"), LISTENER)
"""Words of `needs` that name a listener."""


def notes_of_all(part: str) -> Notes:
    """One part of the notes of all platforms. A word that several have is told for each that says something else."""
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for platform in PLATFORMS:
        notes = notes_of(platform)
        for word, text in getattr(notes, part).items():
            said[word][text].append(notes.title)
    own = {
        word: next(iter(texts))
        if len(texts) == 1
        else " ".join(f"{', '.join(titles)}: {text}" for text, titles in texts.items())
        for word, texts in said.items()
    }
    return {**own, **NEUTRAL_NEED_NOTES, **LISTENER_NOTES} if part == "needs" else own


def notes_of(platform: str) -> WordNotes:
    """What a platform's words mean. Raises UsageError for a name that no platform has."""
    notes: WordNotes = load(platform, "word_notes:NOTES")
    return notes
