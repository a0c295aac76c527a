"""Fetching the files of a deployment: going on where a cut left off, and trusting nothing but the whole file."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.effects import Downloaded, NoReply
from fleetrig.simulator.flows.hawkbit.cancel import called_off, called_off_meanwhile
from fleetrig.simulator.flows.hawkbit.job import DONE, LATER, STOPPED, End, Job, Result, Work, failed
from fleetrig.simulator.flows.hawkbit.messages import Artifact, download_request

DOWNLOAD_TRIES: Final = 5
MAY_PASS: Final = frozenset({401, 403, 408, 429})
"""Client errors that say nothing against the file: the credential, or the moment, is wrong."""


def fetch_all(job: Job) -> Work:
    """All files, one after another."""
    for artifact in job.plan.artifacts:
        result = yield from fetch(job, artifact)
        if result.end is End.UNAVAILABLE:
            # A cancelled action's files are gone too (§2.8): that is no failure.
            return STOPPED if (yield from called_off(job)) else failed(result.reason)
        if result is not DONE:
            return result
    return DONE


def fetch(job: Job, artifact: Artifact) -> Work:
    """One file (V15 to V17). Gives up for now after some tries: the next poll offers the action again."""
    if not artifact.href:
        return failed(f"the deployment names no usable link to {artifact.filename or 'a file'}")
    stored_bytes = 0
    for attempt in range(1, DOWNLOAD_TRIES + 1):
        if (yield from called_off_meanwhile(job)):
            return STOPPED
        request = download_request(artifact.href, job.contact.credential, stored_bytes)
        got = yield from job.contact.download(request, artifact.filename, stored_bytes, artifact.size_bytes)
        result, stored_bytes = judge(artifact, got, stored_bytes)
        if result is not LATER:
            return result
        if attempt < DOWNLOAD_TRIES:
            yield from job.contact.wait(job.contact.backoff(attempt), "download retry")
    return LATER


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
