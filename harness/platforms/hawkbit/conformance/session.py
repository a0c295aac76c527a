"""hawkBit as conformance rows use it: both APIs byte for byte, things made under names of their own, all taken back.

A row gets a `Session`. Whatever it makes through it is removed, and whatever it configures is restored, when the row
ends, however it ends. Names carry the run's prefix, so rows work on a server that holds other people's targets.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch, Missing, expect, expect_that
from fleetrig.harness.platforms.hawkbit.conformance.cleanup import Debts, sweep
from fleetrig.harness.platforms.hawkbit.conformance.foreign_filters import is_their_doing
from fleetrig.harness.platforms.hawkbit.conformance.generations import GENERATIONS, Generation
from fleetrig.harness.platforms.hawkbit.conformance.polling_range import need_range
from fleetrig.harness.run.interrupts import ctrl_c_later
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

JSON: Final = "application/json"
BOUNDARY: Final = "fleetrigconformance"
LOOK_EVERY_S: Final = 0.2
LIMITER_WINDOW_S: Final = 1.1
"""A little more than the second for which the request limiter counts."""
MOST_WAITS: Final = 3
TARGET_MODE: Final = "authentication.targettoken.enabled"
POLLING_TIME: Final = "pollingTime"
GATEWAY_MODE: Final = "authentication.gatewaytoken.enabled"
GATEWAY_KEY: Final = "authentication.gatewaytoken.key"


@dataclass(frozen=True, slots=True)
class Target:
    """A target that a row made; `token` is what the server keeps for it."""

    controller_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """A distribution set of type `os` with one module and one artifact."""

    set_id: int
    module_id: int
    name: str
    version: str
    filename: str
    content: bytes


@dataclass(slots=True)
class Server:
    """What is the same for all rows: where the server is, who administers it, which generation is expected."""

    client: ExactClient
    admin: UserPassword
    tenant: str = "DEFAULT"
    profile: str = "1.1"
    accounts: Mapping[str, UserPassword] = field(default_factory=dict)
    """Further accounts by what they may do: `creator` (CREATE_TARGET, READ_TARGET), `reader` (READ_TARGET)."""
    may_change_settings: bool = True
    verify: Any = None
    prefix: str = field(default_factory=lambda: f"fr{secrets.token_hex(3)}")
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    """Of names: one that was deleted may still be taken."""
    originals: dict[str, Any] = field(default_factory=dict)
    """The tenant configuration as the run met it, as far as rows changed it; None: the default."""
    left_behind: list[str] = field(default_factory=list)
    """Sentences on what rows made or configured and the server would not take back."""

    def use(self, row: Any) -> contextlib.AbstractContextManager[Session]:
        """A session for one row."""
        return _used(self, row.number.lower())


@contextlib.contextmanager
def _used(server: Server, row: str) -> Iterator[Session]:
    session = Session(server, row)
    try:
        yield session
    except Mismatch as mismatch:
        if name := is_their_doing(session.mgmt, server.prefix, f"{server.prefix}-{row}-"):
            raise Missing(f"targets of our own: its filter {name!r} assigns a set to them too ({mismatch})") from None
        raise
    except (LookupError, TypeError, AttributeError) as error:  # a document that is not what the contract says
        last = server.client.last
        got = f"{last.request} answered {last.status} {last.text[:300]!r}" if last is not None else "nothing"
        raise Mismatch(Finding("an answer of the shape that the contract gives", f"{got} ({error!r})")) from error
    except KeyboardInterrupt:
        session.was_interrupted = True
        raise
    finally:
        session.take_back()


class Session:
    """One row's way to the server."""

    def __init__(self, server: Server, row: str) -> None:
        self.server = server
        self.client = server.client
        self.tenant = server.tenant
        self._row = row
        self._owed = Debts(self.mgmt, server.originals)
        self.was_interrupted = False

    # -- asking

    def mgmt(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None,
        account: UserPassword | None = None,
    ) -> Answer:  # fmt: skip
        """A call of the Management API with admin rights; `path` is below `/rest/v1`. Bodies but bytes are JSON."""
        own = {"Authorization": basic(account or self.server.admin), **(headers or {})}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            own.setdefault("Content-Type", JSON)
        return self.call(method, f"/rest/v1{path}", own, content)

    def ddi(
        self, method: str, controller_id: str, path: str = "", *, auth: str | None = None, body: object = None,
        headers: Mapping[str, str] | None = None, tenant: str | None = None,
    ) -> Answer:  # fmt: skip
        """A call of the Device API; `auth` is the whole Authorization value (`Target.token` through `tt`)."""
        own = dict(headers or {})
        if auth is not None:
            own["Authorization"] = auth
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            own.setdefault("Content-Type", JSON)
        root = f"/{tenant or self.tenant}/controller/v1/{quote(controller_id, safe='')}"
        return self.call(method, root + path, own, content)

    def call(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None) -> Answer:
        """Sends exactly this. Waits when the request limiter says so, unless the row plays a client of its own."""
        if "X-Forwarded-For" in headers:
            return self.client.call(method, path, headers, content)
        return patiently(lambda: self.client.call(method, path, headers, content))

    def poll(self, target: Target, **more: Any) -> Answer:
        """The device's root document, with its own token."""
        return self.ddi("GET", target.controller_id, auth=tt(target), **more)

    def feedback(
        self, target: Target, action_id: int | str, execution: str, finished: str = "none", **more: Any
    ) -> Answer:
        """A report on a deployment; `status` entries beyond the two are given by name (details, code)."""
        path = f"/deploymentBase/{action_id}/feedback"
        return self.ddi("POST", target.controller_id, path, auth=tt(target), body=report(execution, finished, **more))

    def follow(self, href: str, method: str = "GET", *, auth: str, body: object = None) -> Answer:
        """A link as given. Raises Mismatch when it leads to another server."""
        base = self.client.url
        if not href.startswith(base + "/"):
            raise Mismatch(Finding(f"a link that begins with {base}", href))
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": auth, **({} if content is None else {"Content-Type": JSON})}
        return self.call(method, href.removeprefix(base), headers, content)

    # -- making

    def name(self, hint: str = "t") -> str:
        """A name that nobody else uses or has used."""
        return f"{self.server.prefix}-{self._row}-{hint}{next(self.server.numbers)}"

    def target(self, **fields: Any) -> Target:
        """A new target, removed when the row ends."""
        body = {"controllerId": self.name(), **fields}
        answer = self.create_targets([body])
        expect("status of POST /targets", 201, answer.status)
        made = answer.json()[0]
        return Target(made["controllerId"], made.get("securityToken", ""))

    def create_targets(self, bodies: Sequence[Mapping[str, Any]], **more: Any) -> Answer:
        """`POST /targets`; whatever it made is removed when the row ends."""
        for body in bodies:
            if isinstance(body.get("controllerId"), str):
                self.forget_target(body["controllerId"])
        return self.mgmt("POST", "/targets", list(bodies), **more)

    def forget_target(self, controller_id: str) -> None:
        """Removes this target when the row ends, also one that registered itself."""
        self.undo_delete(f"/targets/{quote(controller_id, safe='')}")

    def update(self, content: bytes = b"hello fleetrig", filename: str = "fw.bin") -> Update:
        """A complete update, removed when the row ends."""
        name, version = self.name("ds"), "1.0"
        module = self.made("/softwaremodules", {"name": name, "version": version, "type": "os"})
        self.upload(module["id"], content, filename)
        body = {"name": name, "version": version, "type": "os", "modules": [{"id": module["id"]}]}
        return Update(self.made("/distributionsets", body)["id"], module["id"], name, version, filename, content)

    def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Creates one entity through an endpoint that takes arrays; removed when the row ends."""
        answer = self.mgmt("POST", path, [body])
        expect(f"status of POST {path}", 201, answer.status)
        entity: dict[str, Any] = answer.json()[0]
        self.undo_delete(f"{path}/{entity['id']}")
        return entity

    def undo_delete(self, path: str) -> None:
        """`DELETE` this below `/rest/v1` when the row ends."""
        self._owed.remove(path)

    def upload(self, module_id: int, content: bytes, filename: str = "fw.bin", query: str = "") -> Answer:
        """An artifact as multipart form data."""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        body = f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        path = f"/softwaremodules/{module_id}/artifacts{query}"
        return self.mgmt("POST", path, body + f"\r\n--{BOUNDARY}--\r\n".encode(), headers=headers)

    def assign(self, update: Update, target: Target, **fields: Any) -> int:
        """Assigns an update and gives the id of the action."""
        body = [{"id": target.controller_id, **fields}]
        answer = self.mgmt("POST", f"/distributionsets/{update.set_id}/assignedTargets", body)
        expect("status of assignedTargets", 200, answer.status)
        actions = answer.json()["assignedActions"]
        expect("number of assigned actions", 1, len(actions))
        return int(actions[0]["id"])

    # -- configuring

    def configure(self, **settings: Any) -> None:
        """Tenant configuration by key with `__` for dots; see `configure_keys`."""
        self.configure_keys({key.replace("__", "."): value for key, value in settings.items()})

    def configure_keys(self, settings: Mapping[str, Any]) -> None:
        """Sets those keys of the tenant configuration that differ; they get back what they were when the row ends."""
        settings = {key: value for key, value in settings.items() if self.setting(key) != value}
        if not settings:
            return
        self.will_change(settings)
        answer = self.mgmt("PUT", "/system/configs", settings)
        need_range(answer, settings.get(POLLING_TIME))
        # Which of the two is S127's affair: here it would make one mistake fail nearly every row.
        expect_that(answer.status in (200, 204), f"{answer.request} is accepted: 204", f"{answer.status} {answer.text}")

    def will_change(self, keys: Mapping[str, Any] | Sequence[str]) -> None:
        """Remembers what these keys are before a row changes them by itself."""
        if not self.server.may_change_settings:
            raise Missing("leave to change tenant settings (--change-tenant-settings)")
        for key in keys:
            self._owed.restore(key)

    def setting(self, key: str) -> Any:
        """What a key of the tenant configuration is now."""
        return self.mgmt("GET", f"/system/configs/{key}").json().get("value")

    def gateway(self) -> str:
        """Switches the gateway token on; gives the whole Authorization value. A key that is in use is left as it is."""
        in_use = self.setting(GATEWAY_KEY) if self.setting(GATEWAY_MODE) is True else None
        key = in_use or secrets.token_hex(16)
        self.configure_keys({GATEWAY_MODE: True, GATEWAY_KEY: key})
        return f"GatewayToken {key}"

    def target_tokens(self) -> None:
        """Switches target tokens on."""
        self.configure_keys({TARGET_MODE: True})

    # -- expecting

    @property
    def generation(self) -> Generation:
        """What to expect where generations differ."""
        return GENERATIONS[self.server.profile]

    def account(self, kind: str) -> UserPassword:
        """A further account. Raises Missing when the server has none."""
        if kind not in self.server.accounts:
            raise Missing(f"an account {kind} (--account {kind}=USER:env:NAME)")
        return self.server.accounts[kind]

    def record(self, controller_id: str) -> dict[str, Any]:
        """The target as the Management API shows it."""
        answer = self.mgmt("GET", f"/targets/{quote(controller_id, safe='')}")
        expect(f"status of GET /targets/{controller_id}", 200, answer.status)
        found: dict[str, Any] = answer.json()
        return found

    def exists(self, controller_id: str) -> bool:
        return self.mgmt("GET", f"/targets/{quote(controller_id, safe='')}").status == 200

    def until(self, within_s: float, check: Callable[[], None]) -> None:
        """Asks again until the check agrees; its last Mismatch counts when time is up."""
        deadline_s = time.monotonic() + within_s
        while True:
            try:
                return check()
            except Mismatch:
                if time.monotonic() >= deadline_s:
                    raise
            time.sleep(LOOK_EVERY_S)

    # -- taking back

    def take_back(self) -> None:
        """Removes and restores everything; what the server would not take back is kept in its `left_behind`.

        A Ctrl-C meanwhile waits for that; a second one does not.
        """
        try:
            with ctrl_c_later():
                self.server.left_behind += self._owed.pay()
                if self.was_interrupted:
                    with contextlib.suppress(BrokenBench, Mismatch):
                        sweep(self.mgmt, f"{self.server.prefix}-{self._row}-")
        except KeyboardInterrupt:
            self.server.left_behind += self._owed.owed()
            raise


def patiently(send: Callable[[], Answer]) -> Answer:
    """The answer, asked for again while the request limiter refuses (§3.5)."""
    answer = send()
    for _ in range(MOST_WAITS):
        if answer.status != 429 or answer.body:
            break
        time.sleep(LIMITER_WINDOW_S)
        answer = send()
    return answer


def basic(account: UserPassword) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{account.user}:{account.password}".encode()).decode("ascii")


def tt(target: Target) -> str:
    """The Authorization value of a device with its target token."""
    return f"TargetToken {target.token}"


def report(execution: str, finished: str = "none", *, timestamp: int | None = None, **status: Any) -> dict[str, Any]:
    """A feedback document (spec/hawkbit.md §2.5)."""
    body: dict[str, Any] = {"status": {"execution": execution, "result": {"finished": finished}, **status}}
    return body if timestamp is None else {"timestamp": timestamp, **body}
