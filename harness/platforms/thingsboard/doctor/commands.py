"""Commands of the page: curl with the token of a login, since ThingsBoard takes no user and password with a request."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

LOGIN_TOKEN = "TOKEN"


@dataclass(frozen=True, slots=True)
class TenantShell:
    """Writes commands for one server. `password`: how a shell finds the account's password, `${NAME}`."""

    url: str
    user: str
    password: str = "${TB_PASSWORD}"
    options: tuple[str, ...] = ()
    """`--cacert FILE` or `-k`."""

    def call(self, method: str, path: str, body: object = None) -> tuple[str, ...]:
        """A login and one request of the REST API; `path` begins below `/api`."""
        data = () if body is None else ("  -H 'Content-Type: application/json' \\", f"  -d {_quoted(body)} \\")
        start = " ".join(["curl", "-sS", "--fail", *self.options, *(["-X", method] * (method != "GET"))])
        return (
            *self.login(),
            f'{start} -H "X-Authorization: Bearer ${LOGIN_TOKEN}" \\',
            *data,
            f"  {shlex.quote(f'{self.url}/api{path}')}",
        )

    def login(self) -> tuple[str, ...]:
        """Leaves the token of a login in the shell. The password goes through a pipe: others see command lines."""
        start, end = json.dumps({"username": self.user, "password": ""}, ensure_ascii=False).rsplit('""', 1)
        form = shlex.quote(f'{start.replace("%", "%%")}"%s"{end}')
        return (
            f'{LOGIN_TOKEN}=$(printf {form} "{self.password}" \\',
            f"  | {' '.join(['curl', '-sS', '--fail', *self.options])} -H 'Content-Type: application/json' -d @- \\",
            f"""  {shlex.quote(f"{self.url}/api/auth/login")} | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')""",
        )


def _quoted(body: object) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False))
