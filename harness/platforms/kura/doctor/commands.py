"""What an operator has to enter: curl commands for the REST interfaces."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

TOKEN = "$TOKEN"


@dataclass(frozen=True, slots=True)
class RestShell:
    """Writes curl commands for one server. /v2 takes the account by HTTP Basic, /v1 a token, which the first line gets.
    Without an address there are no commands."""

    url: str = ""
    user: str = ""
    options: tuple[str, ...] = ()
    """`--cacert FILE` or `-k`."""

    def requests(self, method: str, path: str, body: object = None) -> tuple[str, ...]:
        """A call of `/v2/provisionRequests`; curl asks for the password."""
        return self._curl(method, "/v2/provisionRequests" + path, body, ("-u", shlex.quote(self.user)))

    def api(self, method: str, path: str, body: object = None) -> tuple[str, ...]:
        """A call below `/v1`. PASSWORD is the operator's, from the environment."""
        if not self.url:
            return ()
        log_in = (
            f"TOKEN=$(jq -n --arg u {shlex.quote(self.user)} '{{username:$u,password:env.PASSWORD}}' |",
            f"  {' '.join(['curl', '-s', *self.options])} -H 'Content-Type: application/json' -d @- \\",
            f"  {shlex.quote(self.url + '/v1/authentication/user')} | jq -r .tokenId)",
        )
        return *log_in, *self._curl(method, "/v1" + path, body, ("-H", f'"Authorization: Bearer {TOKEN}"'))

    def _curl(self, method: str, path: str, body: object, who: tuple[str, ...]) -> tuple[str, ...]:
        if not self.url:
            return ()
        start = " ".join(["curl", *who, *self.options, *(["-X", method] * (method != "GET"))])
        if body is None:
            return f"{start} \\", f"  {shlex.quote(self.url + path)}"
        return (
            f"{start} \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))} \\",
            f"  {shlex.quote(self.url + path)}",
        )
