"""`server.servlet.context-path`: the server in a folder of its host; outside of it only the container answers."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hawkbit.request.container import container_page
from fleetrig.reference_server.platforms.hawkbit.request.firewall import container_answer
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse


class OutsideContext(Exception):
    """A request for something outside the context path, with the container's answer."""

    def __init__(self, page: HttpResponse, reason: str) -> None:
        super().__init__(reason)
        self.page = page
        self.reason = reason


def inside_context(context_path: str, request: HttpRequest) -> HttpRequest:
    """The request with its target below the context path. Raises OutsideContext."""
    path, mark, query = request.target.partition("?")
    if container_answer(request.method, request.target, path) is not None:
        return request  # refused in any case, before anybody looks where it goes
    length = context_path.count("/") + 1
    segments = path.split("/")
    own = [segment.partition(";") for segment in segments[:length]]
    if "/".join(unquote(name) for name, _, _ in own) != context_path:
        reason = f"outside of server.servlet.context-path {context_path}: {path[:200]}"
        raise OutsideContext(container_page(404), reason)
    if len(segments) == length:
        to = HttpResponse(302, (("Location", f"{request.origin}{context_path}/{mark}{query}"),))
        raise OutsideContext(to, f"{context_path} is the folder {context_path}/")
    parameters = "".join(semicolon + given for _, semicolon, given in own)  # for the URL firewall, which refuses them
    below = "/".join(segments[length:])
    return replace(request, target=f"/{parameters}{below}{mark}{query}")
