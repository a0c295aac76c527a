"""Fetching the files of a deployment: going on where a cut left off, and trusting nothing but the whole file."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.effects import Downloaded, NoReply
from fleetrig.simulator.flows.hawkbit.cancel import called_off, called_off_meanwhile
from fleetrig.simulator.flows.hawkbit.job import DONE, LATER, STOPPED, End, Job, Result, Work, failed
from fleetrig.simulator.flows.hawkbit.messages import Artifact, download_request

DOWNLOAD_TRIES: Final = 5
"""Of one file, before the device goes back to its polls."""
DOWNLOAD_ROUNDS: Final = 3
"""So often in a row a file can fail, with all its tries; then the update has failed: nobody asks for ever (V38)."""
MAY_PASS: Final = frozenset({401, 403, 408, 429})
"""Client errors that say nothing against the file: the credential, or the moment, is wrong."""


def fetch_all(job: Job) -> Work:
    """All files, one after another."""
    for artifact in job.plan.artifacts:
        result = yield from fetch(job, artifact)
        if result.end is End.LATER and job.contact.one_more_round_failed(job.action_id) >= DOWNLOAD_ROUNDS:
            result = result._replace(end=End.UNAVAILABLE)
        if result.end is End.UNAVAILABLE:
            # A cancelled action's files are gone too (§2.8): that is no failure.
            return STOPPED if (yield from called_off(job)) else failed(result.reason)
        if result is not DONE:
            return result
        job.contact.failed_rounds = 0
    return DONE


def fetch(job: Job, artifact: Artifact) -> Work:
    """One file (V15 to V17). Gives up for now after some tries: the next poll offers the action again."""
    if not artifact.href:
        return failed(f"the deployment names no usable link to {artifact.filename or 'a file'}")
    stored_bytes, came = 0, ""
    for attempt in range(1, DOWNLOAD_TRIES + 1):
        if (yield from called_off_meanwhile(job)):
            return STOPPED
        request = download_request(artifact.href, job.contact.credential, stored_bytes)
        got = yield from job.contact.download(request, artifact.filename, stored_bytes, artifact.size_bytes)
        result, stored_bytes = judge(artifact, got, stored_bytes)
        if result is not LATER:
            return result
        came = what_came(got)
        if attempt < DOWNLOAD_TRIES:
            yield from job.contact.wait(job.contact.backoff(attempt), "download retry")
    return LATER._replace(reason=f"download of {artifact.filename} {came}, again and again")


def what_came(got: Downloaded | NoReply) -> str:
    """The last answer to a download that came to nothing, for the operator."""
    match got:
        case NoReply(why):
            return f"had no answer ({why})"
        case Downloaded(cut=True):
            return "broke off"
        case Downloaded(status=200 | 206):
            return "brought another file than the deployment says"
        case _:
            return f"answered {got.status}"


def judge(artifact: Artifact, got: Downloaded | NoReply, from_byte: int) -> tuple[Result, int]:
    """What a download asked `from_byte` on has come to; LATER stands for another try, from the second value on."""
    match got:
        case Downloaded(status=200 | 206, cut=True):
            return LATER, got.stored_bytes
        case Downloaded(status=200 | 206):
            if not (wrong := mismatch(artifact, got, from_byte)):
                return DONE, got.stored_bytes
            # What was pieced together may be of two versions: once more as a whole before it is condemned.
            return (failed(wrong), 0) if got.status == 200 else (LATER, 0)
        case Downloaded(status=416):
            return LATER, 0
        case Downloaded(status=status) if 400 <= status < 500 and status not in MAY_PASS:
            return Result(End.UNAVAILABLE, f"download of {artifact.filename} answered {status}"), 0
        case _:
            return LATER, from_byte


def mismatch(artifact: Artifact, got: Downloaded, from_byte: int) -> str:
    """What is wrong with a finished download, empty when nothing is."""
    begun_at = from_byte if got.status == 206 else 0
    if got.stored_bytes != begun_at + got.received_bytes:
        return f"{artifact.filename} was continued at another byte than {from_byte}"
    if artifact.size_bytes is not None and got.stored_bytes != artifact.size_bytes:
        return f"{artifact.filename} has {got.stored_bytes} bytes, expected {artifact.size_bytes}"
    for name, expected in artifact.hashes.items():
        if name in got.hashes and got.hashes[name] != expected.lower():
            return f"{name} of {artifact.filename} differs"
    return ""
