"""hawkBit devices that each break one rule: our own flow, with what it does or what it hears changed in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, split_url
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import (
    Ask,
    Behaviour,
    Download,
    Downloaded,
    Effect,
    Flow,
    NoReply,
    Outcome,
    Pause,
    Reply,
)
from fleetrig.simulator.flows.hawkbit.messages import attributes_request

Change = Callable[[Behaviour], Behaviour]
Does = Callable[[Effect], Effect]
Hears = Callable[[Effect, Outcome], Outcome]
Follows = Callable[[Effect, Outcome], Generator[Effect, Outcome, Outcome]]
"""What it does after an effect, of its own accord, and what it makes of the outcome."""


class Ends(Exception):
    """The device's program ends."""


def _nothing_follows(_: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    yield from ()
    return outcome


def changing(
    does: Does = lambda effect: effect,
    hears: Hears = lambda _, outcome: outcome,
    follows: Callable[[], Follows] = lambda: _nothing_follows,
) -> Change:
    """The one loop. `follows` is made anew for each power cycle, so that it can remember."""

    def change(behaviour: Behaviour) -> Behaviour:
        def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
            flow, after = behaviour(device, remembered), follows()
            effect = next(flow)
            while True:
                effect = does(effect)
                outcome = yield effect
                try:
                    outcome = yield from after(effect, hears(effect, outcome))
                except Ends:
                    return
                effect = flow.send(outcome)

        return changed

    return change


def pausing(why: str, seconds: float) -> Change:
    """Waits so long whenever it should wait for that reason."""
    return changing(
        lambda effect: Pause(seconds, seconds, why) if isinstance(effect, Pause) and effect.why == why else effect
    )


def stateless(follows: Follows) -> Change:
    return changing(follows=lambda: follows)


def is_ask(effect: Effect, name: str) -> bool:
    return isinstance(effect, Ask) and effect.name == name


def is_feedback(effect: Effect) -> bool:
    return isinstance(effect, Ask) and effect.name.startswith("feedback-")


def status_of(outcome: Outcome) -> int | None:
    match outcome:
        case Reply(HttpResponse(status=status)):
            return status
        case _:
            return None


def body_of(outcome: Outcome) -> bytes:
    match outcome:
        case Reply(HttpResponse() as response):
            return body_bytes(response.body)
        case _:
            return b""


def with_document(outcome: Outcome, change: Callable[[Any], Any]) -> Outcome:
    """A good answer with another JSON document in it."""
    match outcome:
        case Reply(HttpResponse(status=200, headers=headers), after_s):
            try:
                document = change(json.loads(body_of(outcome)))
            except ValueError:
                return outcome
            return Reply(HttpResponse(200, headers, json.dumps(document).encode()), after_s)
        case _:
            return outcome


# -- what it does


def _own_url(effect: Effect) -> Effect:
    if isinstance(effect, Ask) and effect.name == "configData":
        assert isinstance(effect.request, HttpRequest)
        origin = effect.request.origin.replace("elsewhere.", "").replace("localhost", "127.0.0.1")
        return effect._replace(
            request=replace(effect.request, origin=origin, target=effect.request.target.removeprefix("/elsewhere"))
        )
    return effect


# -- what it hears


def _plain_hashes(_: Effect, outcome: Outcome) -> Outcome:
    return replace(outcome, hashes={}) if isinstance(outcome, Downloaded) else outcome


def _eager(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document["deployment"] |= {"download": "forced", "update": "forced", "maintenanceWindow": "available"}
        return document

    return with_document(outcome, change) if is_ask(effect, "deploymentBase") else outcome


def _early(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        if document["deployment"]["download"] == "skip":
            document["deployment"]["download"] = "attempt"
        return document

    return with_document(outcome, change) if is_ask(effect, "deploymentBase") else outcome


def _deaf_to_410(effect: Effect, outcome: Outcome) -> Outcome:
    return Reply(HttpResponse(200), 0.0) if is_feedback(effect) and status_of(outcome) == 410 else outcome


def _gives_reports_up(effect: Effect, outcome: Outcome) -> Outcome:
    return Reply(HttpResponse(410), 0.0) if is_feedback(effect) and (status_of(outcome) or 500) >= 400 else outcome


def _blind_to_cancels(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document.get("_links", {}).pop("cancelAction", None)
        return document

    return with_document(outcome, change) if is_ask(effect, "poll") else outcome


def _blind_to_questions(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document.get("_links", {}).pop("confirmationBase", None)
        return document

    return with_document(outcome, change) if is_ask(effect, "poll") else outcome


def _first_file_only(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        (chunk, *_) = document["deployment"]["chunks"]
        document["deployment"]["chunks"] = [{**chunk, "artifacts": chunk["artifacts"][:1]}]
        return document

    return with_document(outcome, change) if is_ask(effect, "deploymentBase") else outcome


def _first_chunk_only(effect: Effect, outcome: Outcome) -> Outcome:
    def change(document: Any) -> Any:
        document["deployment"]["chunks"] = document["deployment"]["chunks"][:1]
        return document

    return with_document(outcome, change) if is_ask(effect, "deploymentBase") else outcome


def _one_file_of_a_name(effect: Effect, outcome: Outcome) -> Outcome:
    """Keeps files by their names alone, so a second one of that name is there already."""

    def change(document: Any) -> Any:
        known: set[str] = set()
        for chunk in document["deployment"]["chunks"]:
            kept = [one for one in chunk["artifacts"] if one["filename"] not in known]
            known.update(one["filename"] for one in kept)
            chunk["artifacts"] = kept
        return document

    return with_document(outcome, change) if is_ask(effect, "deploymentBase") else outcome


def _takes_files_on_trust(effect: Effect, outcome: Outcome) -> Outcome:
    """Whatever comes of a download, it goes on as if the file were there."""
    size = effect.at_most_bytes or 0 if isinstance(effect, Download) else 0
    return Downloaded(200, (), size, size, {}, cut=False) if isinstance(outcome, Downloaded) else outcome


def _gives_downloads_up(_: Effect, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Downloaded) and outcome.cut:
        return replace(outcome, status=404, stored_bytes=0, received_bytes=0, cut=False)
    return outcome


def _believes_dates(_: Effect, outcome: Outcome) -> Outcome:
    match outcome:
        case Reply(HttpResponse() as response, after_s):
            date = response.header("Date") or ""
            return NoReply("malformed", after_s) if "1999" in date or "2098" in date else outcome
        case _:
            return outcome


def _pedantic(_: Effect, outcome: Outcome) -> Outcome:
    return (
        NoReply("malformed", outcome.after_s)
        if isinstance(outcome, Reply) and b'"future"' in body_of(outcome)
        else outcome
    )


# -- what follows


def _hangs(_: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if isinstance(outcome, NoReply) and outcome.why == "timeout":
        yield Pause(1e7, 1e7, "hangs")
    return outcome


def asks_for_ever(behaviour: Behaviour) -> Behaviour:
    """Goes on asking for a file whatever is answered (V38)."""

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        while isinstance(effect, Download) and isinstance(outcome, Downloaded) and outcome.status >= 400:
            yield Pause(1.0, 1.0, "file retry")
            outcome = yield effect
        return outcome

    return stateless(follows)(behaviour)


def asks_without_rest(behaviour: Behaviour) -> Behaviour:
    """Asks twenty times a second for a file that is not there (V38)."""

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        tries = 0
        while isinstance(effect, Download) and isinstance(outcome, Downloaded) and outcome.status >= 400:
            yield Pause(0.05, 0.05, "file retry")
            outcome = yield effect
            if (tries := tries + 1) > 40:
                break
        return outcome

    return stateless(follows)(behaviour)


def _dies(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    yield from ()
    if is_ask(effect, "poll") and status_of(outcome) == 200 and b'"sleep":"0' not in body_of(outcome):
        raise Ends
    return outcome


def _gives_up_unconnected(_: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    yield from ()
    if isinstance(outcome, NoReply) and outcome.why == "refused":
        raise Ends
    return outcome


def _gives_up(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    yield from ()
    if is_ask(effect, "poll") and status_of(outcome) in (401, 403, 404):
        raise Ends
    return outcome


def _follows_redirects(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    while isinstance(effect, Ask) and isinstance(outcome, Reply) and 300 <= (status_of(outcome) or 0) < 400:
        assert isinstance(effect.request, HttpRequest)
        assert isinstance(outcome.envelope, HttpResponse)
        origin, target = split_url(outcome.envelope.header("Location") or "")
        outcome = yield effect._replace(request=HttpRequest("GET", origin, target, effect.request.headers))
    return outcome


def _says_it_twice(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_ask(effect, "feedback-closed"):
        yield effect
    return outcome


def _confirms_twice(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_ask(effect, "feedback-confirmed") and status_of(outcome) == 200:
        yield effect
    return outcome


def _first_file(effect: Effect, outcome: Outcome) -> Download:
    """What the document of a question names first."""
    assert isinstance(effect, Ask)
    assert isinstance(effect.request, HttpRequest)
    artifact = json.loads(body_of(outcome))["confirmation"]["chunks"][0]["artifacts"][0]
    origin, target = split_url(artifact["_links"]["download-http"]["href"])
    return Download("download", HttpRequest("GET", origin, target, effect.request.headers), "early", 0, 5.0)


def _fetches_first(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
    if is_ask(effect, "confirmationBase") and status_of(outcome) == 200:
        yield _first_file(effect, outcome)
    return outcome


def _ignores_its_denial() -> Follows:
    question: list[tuple[Effect, Outcome]] = []

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        if is_ask(effect, "confirmationBase") and status_of(outcome) == 200:
            question[:] = [(effect, outcome)]
        elif is_ask(effect, "feedback-denied"):
            yield _first_file(*question[0])
        return outcome

    return follows


def _denies_at_every_poll() -> Follows:
    denial: list[Effect] = []

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        if is_ask(effect, "feedback-denied"):
            denial[:] = [effect]
        elif is_ask(effect, "confirmationBase") and denial:
            yield denial[0]
        return outcome

    return follows


def _installs_anyway() -> Follows:
    download: list[Download] = []

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        if isinstance(effect, Download):
            download[:] = [effect]
        elif is_ask(effect, "feedback-closed") and status_of(outcome) != 200 and download:
            yield download[0]
        return outcome

    return follows


def resends_attributes(behaviour: Behaviour) -> Behaviour:
    """Sends its attributes after every poll, asked or not (breaks V04)."""
    settings, credential = behaviour.settings, behaviour.credential  # type: ignore[attr-defined]

    def follows(effect: Effect, outcome: Outcome) -> Generator[Effect, Outcome, Outcome]:
        if isinstance(effect, Ask) and effect.name == "poll" and status_of(outcome) == 200:
            assert isinstance(effect.request, HttpRequest)
            href = effect.request.url + "/configData"
            request = attributes_request(href, credential, "merge", settings.attributes)
            yield Ask("configData", request, settings.timeout_s)
        return outcome

    return stateless(follows)(behaviour)


def forgets(behaviour: Behaviour) -> Behaviour:
    """Knows nothing of what it has installed once that is reported (breaks V25)."""

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        flow = behaviour(device, remembered)
        effect = next(flow)
        while True:
            outcome = yield effect
            if is_ask(effect, "feedback-closed") and status_of(outcome) == 200:
                flow = behaviour(device, {"stage": "enrolled"})
                effect = next(flow)
            else:
                effect = flow.send(outcome)

    return changed


def tells_attributes_once(behaviour: Behaviour) -> Behaviour:
    """Sends its attributes the first time it is asked, and never again (breaks V33)."""

    def changed(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        flow = behaviour(device, remembered)
        effect, told_before = next(flow), False
        while True:
            if is_ask(effect, "configData"):
                outcome = Reply(HttpResponse(200), 0.0) if told_before else (yield effect)
                told_before = True
            else:
                outcome = yield effect
            effect = flow.send(outcome)

    return changed


# Each breaks the rule that its name says (docs of the rows V01 to V34).

hot_retry = pausing("backoff", 0.05)
"""Tries again at once after every failure (V05, V07, V08)."""
monotonous = pausing("backoff", 1.0)
"""Always waits for the same time after failures."""
ignores_sleep = pausing("poll interval", 0.2)
"""Polls five times a second, whatever the server says (V01)."""
knows_better = changing(_own_url)
"""Builds the URL for its attributes itself."""


def _retargeted(change: Callable[[str], str]) -> Does:
    """Every request goes to another place than the one that was linked."""

    def does(effect: Effect) -> Effect:
        match effect:
            case Ask(_, HttpRequest() as request) | Download(_, request):
                return effect._replace(request=replace(request, target=change(request.target)))
            case _:
                return effect

    return does


drops_zeros = changing(_retargeted(lambda target: re.sub(r"((?:Base|Action)/[1-9]\d*?)0+(?=[/?]|$)", r"\1", target)))
"""Takes the zero at the end of an action's id for nothing (V40)."""
keeps_two_digits = changing(_retargeted(lambda target: re.sub(r"(Base/\d\d)\d+", r"\1", target)))
decodes_ids = changing(_retargeted(lambda target: target.replace("%3A", "%253A").replace("%40", "%2540")))
"""Encodes what is encoded already (V41)."""
upper_cases_ids = changing(_retargeted(lambda target: re.sub(r"v1/[^/?]+", lambda id_: id_[0].upper(), target)))
cuts_names = changing(_retargeted(lambda target: re.sub(r"(artifacts/[^?]{64})[^?]*", r"\1", target)))
"""Has room for 64 characters of a file's name (V42)."""
reads_plus_as_blank = changing(_retargeted(lambda target: target.replace("%2B", "%20")))
first_file_only = changing(hears=_first_file_only)
first_chunk_only = changing(hears=_first_chunk_only)
one_file_of_a_name = changing(hears=_one_file_of_a_name)
takes_files_on_trust = changing(hears=_takes_files_on_trust)
trusts_files = changing(hears=_plain_hashes)
eager = changing(hears=_eager)
early = changing(hears=_early)
deaf_to_410 = changing(hears=_deaf_to_410)
gives_reports_up = changing(hears=_gives_reports_up)
blind_to_cancels = changing(hears=_blind_to_cancels)
never_confirms = changing(hears=_blind_to_questions)
"""Knows nothing of confirmationBase, as many clients do (V36)."""
gives_downloads_up = changing(hears=_gives_downloads_up)
believes_dates = changing(hears=_believes_dates)
pedantic = changing(hears=_pedantic)
"""Refuses documents with fields that it does not know."""
hangs = stateless(_hangs)
"""Waits for ever for an answer that does not come (V09)."""
dies = stateless(_dies)
"""Ends when a poll document has no interval (V11)."""
gives_up = stateless(_gives_up)
"""Ends when it is refused (V05)."""
gives_up_unconnected = stateless(_gives_up_unconnected)
"""Ends when nobody listens (V09)."""
follows_redirects = stateless(_follows_redirects)
"""Takes its token wherever it is sent (V31)."""
says_it_twice = stateless(_says_it_twice)
"""Closes each action twice (V27)."""
confirms_twice = stateless(_confirms_twice)
fetches_first = stateless(_fetches_first)
"""Downloads while it is still being asked (V36)."""
ignores_its_denial = changing(follows=_ignores_its_denial)
denies_at_every_poll = changing(follows=_denies_at_every_poll)
installs_anyway = changing(follows=_installs_anyway)
"""Fetches the image again when its final report was not answered (V25)."""
