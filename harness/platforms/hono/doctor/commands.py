"""Commands for a registry: curl, and jq where a whole document has to be sent again with one thing changed."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from urllib.parse import quote

JSON_TYPE = "-H 'content-type: application/json'"


@dataclass(frozen=True, slots=True)
class RegistryShell:
    """`url` is `$REGISTRY` where no address was given; `user` is empty for a registry without accounts."""

    url: str = "$REGISTRY"
    user: str = ""
    options: tuple[str, ...] = ()

    def put(self, path: str, change: str) -> tuple[str, ...]:
        """PUT replaces the whole: what GET shows, with a change in jq's words."""
        place = self._place(path)
        return (
            f"{self._curl('-s')} {place} \\",
            f"  | jq {shlex.quote(change)} \\",
            f"  | {self._curl('-X', 'PUT')} {JSON_TYPE} --data-binary @- {place}",
        )

    def post(self, path: str, body: object) -> tuple[str, ...]:
        text = shlex.quote(json.dumps(body, ensure_ascii=False))
        return f"{self._curl('-X', 'POST')} {JSON_TYPE} \\", f"  --data {text} \\", f"  {self._place(path)}"

    def delete(self, path: str) -> tuple[str, ...]:
        return (f"{self._curl('-X', 'DELETE')} {self._place(path)}",)

    def tenant(self, tenant_id: str, change: str) -> tuple[str, ...]:
        return self.put(f"/tenants/{quote(tenant_id, safe='')}", change)

    def device(self, tenant_id: str, device_id: str, change: str) -> tuple[str, ...]:
        return self.put(f"/devices/{quote(tenant_id, safe='')}/{quote(device_id, safe='')}", change)

    def credentials(self, tenant_id: str, device_id: str, change: str) -> tuple[str, ...]:
        return self.put(f"/credentials/{quote(tenant_id, safe='')}/{quote(device_id, safe='')}", change)

    def _curl(self, *words: str) -> str:
        account = ("-u", shlex.quote(self.user)) if self.user else ()
        return " ".join(["curl", *account, *self.options, *words])

    def _place(self, path: str) -> str:
        """A variable is left for the shell to fill in."""
        return f'"{self.url}/v1{path}"' if self.url.startswith("$") else shlex.quote(f"{self.url}/v1{path}")
