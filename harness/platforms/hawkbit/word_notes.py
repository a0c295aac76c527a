"""What hawkBit's words in scenario files mean."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.hawkbit.vocabulary import PROGRAM_EXCHANGES
from fleetrig.harness.scenario_file.word_notes import WordNotes

HEAD: Final = "-head"
FEEDBACK: Final = "feedback-"

_RESOURCES: Final = {
    "installedBase": "It reads what it has installed last (GET).",
    "artifacts": "It lists the files of a software module (GET).",
    "download-md5": "It loads the MD5SUM file of an artifact (GET).",
    "feedback": "It reports something that is none of the words below `feedback-`.",
    "unknown": "It asks for another path below its own.",
}


def _of_program(name: str) -> str:
    """Names of programs' requests are made of the same parts."""
    plain = name.removesuffix(HEAD)
    if plain != name:
        return f"The same as `{plain}`, asked with HEAD."
    return _RESOURCES.get(name) or f"It reports `execution: {name.removeprefix(FEEDBACK)}` (POST)."


NOTES: Final = WordNotes(
    title="hawkBit",
    credentials={
        "target_token": "A security token of its own. `preregister` gives it to the server; without that the server "
        "does not know it.",
        "wrong_target_token": "A token of its own that is not the one that the server has.",
        "gateway_token": "The tenant's gateway token, which lets in anybody and registers newcomers.",
        "certificate": "A certificate that the proxy in front of the server trusts, common name = controllerId.",
        "untrusted_certificate": "One of an authority that nobody trusts.",
        "expired_certificate": "One that is out of date.",
        "foreign_certificate": "That of another unit.",
        "none": "Nothing: the device sends no credentials.",
    },
    attribute_modes={
        "merge": "What is reported is added to what the server has; same names are replaced.",
        "replace": "What is reported takes the place of all that the server has.",
        "remove": "What is reported is removed from what the server has.",
    },
    states={
        "unknown": "An operator has registered it, and it has not called yet.",
        "registered": "It has called, and nothing was assigned to it.",
        "pending": "An update is assigned to it, and not finished.",
        "in_sync": "It has installed what was assigned to it.",
        "error": "Its last update failed.",
    },
    needs={
        "hawkbit": "A hawkBit: every server that is named.",
        "hawkbit.admin": "An operator's account of the Management API: every server that is named.",
        "hawkbit.fast_polling": "The polling interval may be a few seconds (`pollingTime: \"00:00:05\"`), so that a "
        "scenario takes no minutes. Our own server has it; a hawkBit as it is installed refuses intervals below 30 s. "
        "Start it with `hawkbit.controller.minPollingTime=00:00:01`, and say `can: [hawkbit.fast_polling]` in its "
        "SERVER.yaml.",
        "hawkbit.line_account": "The manufacturing line has an account of its own (`preregister: {account: line}`): "
        "our own server, or a SERVER.yaml with `line: {user: NAME, password: env:NAME}`.",
        "hawkbit.fast_cleanup": "Old actions are looked for every few seconds, not once a day. Only its "
            "operator knows: "
        "`can: [hawkbit.fast_cleanup]`.",
        "hawkbit.trusted_ips": "Only 127.0.0.1 may vouch for certificates. Only its operator knows: "
        "`can: [hawkbit.trusted_ips]`.",
    },
    exchanges={
        "poll": "It asks whether there is anything to do, and when to come again (GET of its own resource).",
        "configData": "It reports its attributes, since the server asked (PUT).",
        "deploymentBase": "It reads what to install (GET).",
        "cancelAction": "It reads which action is to be cancelled (GET).",
        "download": "It loads a file of an update (GET).",
        "feedback-proceeding": "It reports that it is at work (POST).",
        "feedback-downloaded": "It reports that all is downloaded (POST).",
        "feedback-closed": "It reports the end of an action, with success or failure (POST).",
        "feedback-rejected": "It reports that it does not cancel (POST).",
        "confirmationBase": "It reads what somebody has to confirm first (GET).",
        "feedback-confirmed": "It says yes to an update (POST).",
        "feedback-denied": "It says no to an update (POST).",
        "activateAutoConfirm": "It tells the server to confirm by itself from now on (POST).",
        "deactivateAutoConfirm": "It tells the server to confirm nothing by itself any more (POST).",
    },
    program_exchanges={name: _of_program(name) for name in PROGRAM_EXCHANGES},
    moments={
        "pause-poll-interval": "It waits for its next poll.",
        "pause-backoff": "It waits after a failure.",
        "pause-asked-to-wait": "It waits because the server said `Retry-After`.",
        "pause-download-retry": "It waits before it goes on with a download.",
        "pause-report-retry": "It waits before it reports once more.",
        "pause-confirmation": "Somebody at the device thinks about an update.",
        "remember-stage": "It stores that it was accepted.",
        "remember-action-progress-reason": "It stores how far it is with an action.",
        "remember-confirmation": "It stores what was said about an update.",
        "apply": "It installs, slice by slice.",
    },
    secrets={
        "target_token": "The token of each device.",
        "gateway_token": "The tenant's gateway token.",
        "certificate": "Devices are given certificates of the newest authority.",
        "authority": "One more authority is trusted, and devices are given certificates of it.",
    },
)  # fmt: skip
