"""Which session the run of a provision job was begun on, while that session is open."""

from __future__ import annotations


class RunSessions:
    """Each run has one session, and each session one run: a bootstrap connection is one device's."""

    def __init__(self) -> None:
        self._session_of: dict[str, int] = {}
        """By provision request."""
        self._request_of: dict[int, str] = {}

    def begin(self, request_id: str, session: int) -> None:
        """In place of the session that the run has had so far."""
        earlier = self._session_of.get(request_id)
        if earlier is not None:
            self._request_of.pop(earlier, None)
        self._session_of[request_id] = session
        self._request_of[session] = request_id

    def is_of(self, request_id: str, session: int) -> bool:
        return self._session_of.get(request_id) == session

    def end(self, session: int) -> str | None:
        """The session has ended: the provision request whose run was on it, if there is one."""
        request_id = self._request_of.pop(session, None)
        if request_id is not None:
            del self._session_of[request_id]
        return request_id
