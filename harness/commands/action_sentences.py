"""Actions in words, for people who want to know what a scenario would do."""

from __future__ import annotations

from fleetrig.harness.scenario_file.action_words import (
    Cancel,
    Configure,
    Delete,
    Deploy,
    PowerCut,
    PowerCycle,
    PowerOn,
    Preregister,
    RequestAttributes,
    Rotate,
    SetAttributes,
    Wait,
)
from fleetrig.harness.scenario_file.words import ActionWord
from fleetrig.simulator.contract.units import duration_text


def sentence_of(words: ActionWord) -> str:  # noqa: C901 (a table: one entry for each word)
    """What an action does."""
    match words:
        case Configure():
            return "set " + ", ".join(f"{key} = {value}" for key, value in words.settings.items())
        case Preregister():
            return preregister(words)
        case PowerOn():
            return power_on(words)
        case PowerCut():
            return f"cut the power of {devices(words.only)}"
        case PowerCycle():
            return f"switch {devices(words.only)} off, and on again after {duration_text(words.off_s)}"
        case Wait():
            return f"let {duration_text(words.for_s)} pass"
        case Deploy():
            return deploy(words)
        case Cancel():
            which = "latest open action" if words.version is None else f"deployment of version {words.version}"
            return f"ask the server to cancel the {which} of {devices(words.only)}"
        case Delete():
            return f"delete the records of {devices(words.only)} on the server"
        case Rotate():
            return rotate(words)
        case SetAttributes():
            report = ", ".join(f"{key} = {value}" for key, value in words.attributes.items())
            return f"let {devices(words.only)} report {report} (mode {words.mode}); those that are on start anew"
        case RequestAttributes():
            return f"make the server ask {devices(words.only)} for their attributes"


def devices(only: str) -> str:
    return "all devices" if only == "*" else f"the devices {only}"


def preregister(words: Preregister) -> str:
    whom = devices(words.only) if words.csv is None else f"the units of {words.csv.name}"
    given = [f"{key} {text!r}" for key, text in (("name", words.name), ("description", words.description)) if text]
    return ", ".join([f"make records for {whom} on the server, at most {words.batch} in a request", *given])


def power_on(words: PowerOn) -> str:
    sentence = f"switch on {devices(words.only)}"
    if words.spread_s:
        sentence += f", one by one over {duration_text(words.spread_s)}"
    if words.cut_at is not None:
        sentence += f"; cut the power of each once, at {words.cut_at}, for {duration_text(words.off_s)}"
    return sentence


def deploy(words: Deploy) -> str:
    when = "at once" if words.before_contact else "once each of them has called"
    image = f"an image of {size(words.size_bytes)}"
    return f"make version {words.version} ({image}) and assign it to {devices(words.to)} ({words.type}), {when}"


def rotate(words: Rotate) -> str:
    what = words.what.replace("_", " ")
    told = "are given the new one and start anew" if words.tell_device else "keep the old one"
    return f"replace the {what} on the server; {devices(words.only)} {told}"


def size(size_bytes: int) -> str:
    """`256 KiB`, exact."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor} {unit}"
    return f"{size_bytes} bytes"
