"""aiocoap over a channel for datagrams: its message layer, its requests and its blockwise transfer for one server.

aiocoap's own client transports carry UDP only, choose the tokens and hide much that a test bench has to tell. What of
aiocoap is not documented for its users is used here and nowhere else; it stands in `UNDOCUMENTED`.

Differences to aiocoap as it comes:
- Tokens are those of the requests: an observation can only be taken back with its own (RFC 7641 §3.6).
- An answer ends the repetition of its request, even if the acknowledgement was lost (RFC 7252 §5.2.2).
- A confirmable answer that comes twice is acknowledged twice (RFC 7252 §4.5), a request that was not confirmable can
  be reset, and a notification that nobody wants is reset, confirmable or not: that ends it (RFC 7641 §3.6).
- Requests to the device are reset: it serves nothing, and aiocoap would remember each for 247 s.
- An answer in blocks has a limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from aiocoap import ACK, CON, NON, RST, Context, Message, error  # type: ignore[import-untyped]
from aiocoap.interfaces import EndpointAddress, MessageInterface  # type: ignore[import-untyped]
from aiocoap.messagemanager import MessageManager  # type: ignore[import-untyped]
from aiocoap.numbers.codes import EMPTY  # type: ignore[import-untyped]
from aiocoap.pipe import Pipe  # type: ignore[import-untyped]
from aiocoap.protocol import BlockwiseRequest, ClientObservation, Request  # type: ignore[import-untyped]
from aiocoap.tokenmanager import TokenManager  # type: ignore[import-untyped]

from fleetrig.simulator.effects import REPLY_LIMIT_BYTES
from fleetrig.simulator.transports.coap_messages import decoded
from fleetrig.simulator.transports.connection import FAILURES
from fleetrig.simulator.transports.udp import DatagramChannel

UNDOCUMENTED: Final[tuple[tuple[type, tuple[str, ...]], ...]] = (
    (Context, ("request", "find_remote_and_interface")),
    (TokenManager, ("request", "next_token", "process_response", "shutdown")),
    (MessageManager, ("_remove_exchange", "dispatch_message", "shutdown")),
    (MessageInterface, ("send", "determine_remote", "shutdown")),
    (Pipe, ("on_event", "add_exception")),
    (BlockwiseRequest, ("_complete_by_requesting_block2",)),
    (ClientObservation, ("register_callback",)),
    (Message, ("encode",)),
)
"""Methods of aiocoap that this module leans on. Beside them it uses `_active_exchanges` and `_backlogs` of a
MessageManager and `outgoing_requests` of a TokenManager, which constructors make; a test looks for all of them."""

LARGEST_BLOCK_BYTES: Final = 1_024
REMEMBERED: Final = 16
"""How many of the latest messages are known again when they come twice or are reset."""
LOG_NAME: Final = "fleetrig.coap"
logging.getLogger(LOG_NAME).addHandler(logging.NullHandler())


class ReplyTooLarge(error.Error):  # type: ignore[misc]
    """An answer in blocks went over `REPLY_LIMIT_BYTES`."""


class OddBlocks(ValueError):
    """An answer in blocks that do not fit together, or in too many."""


@contextmanager
def blockwise() -> Iterator[None]:
    """aiocoap trips over odd blocks in many ways, by AssertionError and AttributeError too."""
    try:
        yield
    except (error.MessageError, error.TimeoutError):
        raise
    except Exception as wrong:
        raise OddBlocks(f"the server sends odd blocks: {wrong!r}") from wrong


class CoapStack(Context):  # type: ignore[misc]
    """The endpoint of one device, and the one server that it speaks with."""

    def __init__(self, channel: DatagramChannel, where: str) -> None:
        super().__init__(loop=asyncio.get_running_loop(), loggername=LOG_NAME)
        self._server = CoapServer(where)
        self._tokens = FlowTokens(self)
        messages = MessageManager(self._tokens)
        self._datagrams = ChannelInterface(messages, self._tokens, channel, self._server)
        messages.message_interface = self._datagrams
        self._tokens.token_interface = messages

    def received(self, datagram: bytes) -> None:
        """Takes a datagram of the server. What is no message is ignored, as RFC 7252 §4.2 and §4.3 allow."""
        with suppress(asyncio.InvalidStateError):  # an answer to what was given up in this very turn of the loop
            self._datagrams.received(datagram)

    async def ask(
        self, message: Message, on_sent: Callable[[], None], on_notified: Callable[[Message], None]
    ) -> Message:
        """The whole answer to a request; `on_sent` is called when all of the request is out for the first time.

        `on_notified` gets the notifications of an observation, of which each may still want `completed`.
        Raises aiocoap.error.MessageError when the server resets the request, aiocoap.error.TimeoutError when it never
        acknowledges it, and OddBlocks.
        """
        token = message.token
        self._datagrams.unsent[token] = on_sent
        try:
            if len(message.payload) > LARGEST_BLOCK_BYTES and message.opt.observe is None:
                with blockwise():
                    return await self.request(message).response
            request = self.request(message, handle_blockwise=False)
            if request.observation is not None:
                request.observation.register_callback(on_notified, _suppress_deprecation=True)
            with blockwise():
                first = await request.response
            return await self.completed(message, first)
        except asyncio.CancelledError:
            self.forget(token)  # a large request may have come to wait for its turn meanwhile
            raise
        finally:
            self._datagrams.unsent.pop(token, None)

    async def completed(self, message: Message, first: Message) -> Message:
        """The whole of an answer of which `first` is the first block, or all. Raises as `ask` does."""
        complete = BlockwiseRequest._complete_by_requesting_block2  # noqa: SLF001
        with blockwise():
            return await complete(self, message, first, self.log)

    def give_up(self, token: bytes) -> None:
        """Sends a request no more, but takes an answer that comes all the same (RFC 7252 §4.2)."""
        self._tokens.give_up(token)

    def forget(self, token: bytes) -> None:
        """Wants no more with this token. The server hears that when it sends something."""
        self._tokens.forget(token)

    async def close(self) -> None:
        """Ends everything, without a word to the server, and closes the channel."""
        if self._tokens.outgoing_requests is not None:
            self._tokens.outgoing_requests.clear()
            await self._tokens.shutdown()

    def request(self, request_message: Message, handle_blockwise: bool = True) -> Any:
        """As in `Context`, but at once: its task for each request may outlive `close`."""
        if handle_blockwise:
            return BlockwiseRequest(self, request_message)
        pipe = Pipe(request_message, self.log)
        request = Request(pipe, self.loop, self.log)
        request_message.remote = self._server
        self._tokens.request(pipe)
        return request

    async def find_remote_and_interface(self, message: Message) -> Any:
        """For `BlockwiseRequest`."""
        message.remote = self._server
        return self._tokens


class CoapServer(EndpointAddress):  # type: ignore[misc]
    """The one server that an endpoint speaks with: aiocoap's name for the other end of the channel."""

    is_multicast = is_multicast_locally = False
    scheme = hostinfo = hostinfo_local = uri_base = uri_base_local = ""
    maximum_block_size_exp = 6
    maximum_payload_size = LARGEST_BLOCK_BYTES

    def __init__(self, where: str) -> None:
        self.uri_base = where
        self.scheme, _, self.hostinfo = where.partition("://")

    @property
    def blockwise_key(self) -> str:
        return str(self.hostinfo)


class FlowTokens(TokenManager):  # type: ignore[misc]
    """aiocoap's requests by their tokens, which the requests themselves bring along."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wanted = b""

    def request(self, request: Pipe) -> None:
        if self.outgoing_requests is not None:
            self._wanted = request.request.token
            super().request(request)

    def next_token(self) -> bytes:
        """The request's own; one that is free for a request of aiocoap's own, for a further block."""
        token, self._wanted = self._wanted, b""
        while not token or any(token == known for known, _ in self.outgoing_requests):
            token = super().next_token()
        return token

    def process_response(self, response: Message) -> bool:
        """False for what nobody asked for; MessageManager resets it, where it was confirmable."""
        pipe = self.outgoing_requests.get((response.token, response.remote))
        if pipe is None:
            return False
        asked: Message = pipe.request
        self._repeat_no_more(asked)
        if asked.opt.observe == 1 and response.opt.observe is not None:
            return True  # the last notification and the wish to have no more have crossed
        block = response.opt.block2
        if block is not None and block.start + len(response.payload) > REPLY_LIMIT_BYTES:
            pipe.add_exception(ReplyTooLarge())
            return True
        return bool(super().process_response(response))

    def knows(self, response: Message) -> bool:
        return (response.token, response.remote) in self.outgoing_requests

    def give_up(self, token: bytes) -> None:
        for (known, _), pipe in list((self.outgoing_requests or {}).items()):
            if known == token:
                self._repeat_no_more(pipe.request)

    def forget(self, token: bytes) -> None:
        self.give_up(token)
        for key in [key for key in self.outgoing_requests or () if key[0] == token]:
            del self.outgoing_requests[key]

    def refused(self, token: bytes) -> None:
        """The server has reset the request with this token."""
        for pipe in [pipe for (known, _), pipe in self.outgoing_requests.items() if known == token]:
            pipe.add_exception(error.MessageError())

    def _repeat_no_more(self, asked: Message) -> None:
        """Also if it waits to be sent for the first time, since another one is not acknowledged (NSTART = 1)."""
        messages = self.token_interface
        waiting = messages._backlogs.get(asked.remote, [])  # noqa: SLF001
        waiting[:] = [entry for entry in waiting if entry[0] is not asked]
        if (asked.remote, asked.mid) in messages._active_exchanges:  # noqa: SLF001
            messages._remove_exchange(asked)  # noqa: SLF001


class ChannelInterface(MessageInterface):  # type: ignore[misc]
    """aiocoap's messages as datagrams of a channel. `unsent`: token -> what to call when a request of it is out."""

    def __init__(
        self, messages: MessageManager, tokens: FlowTokens, channel: DatagramChannel, server: CoapServer
    ) -> None:
        self.unsent: dict[bytes, Callable[[], None]] = {}
        self._messages = messages
        self._tokens = tokens
        self._channel = channel
        self._server = server
        self._acknowledged: tuple[int, ...] = ()
        self._unconfirmed: tuple[tuple[int, bytes], ...] = ()
        """Message ids and tokens of requests that were not confirmable."""

    def received(self, datagram: bytes) -> None:
        try:
            message = decoded(datagram, self._server)
        except (error.UnparsableMessage, ValueError):
            return
        if message.code.is_request():
            self._reset(message)
        elif message.code.is_response() and message.mtype is CON and message.mid in self._acknowledged:
            self._say(ACK, message.mid)
        else:
            self._take(message)

    def send(self, message: Message) -> None:
        try:
            self._channel.send(message.encode())
        except FAILURES:
            return  # whoever receives from the channel is told
        if message.mtype is ACK:
            self._acknowledged = (*self._acknowledged, message.mid)[-REMEMBERED:]
        elif message.code.is_request():
            self._note_request(message)

    async def determine_remote(self, message: Message) -> CoapServer:
        return self._server

    async def shutdown(self) -> None:
        self._channel.close()

    def _take(self, message: Message) -> None:
        if message.mtype is RST:
            for token in [token for mid, token in self._unconfirmed if mid == message.mid]:
                self._tokens.refused(token)
        elif message.mtype is NON and message.opt.observe is not None and not self._tokens.knows(message):
            self._reset(message)
            return
        self._messages.dispatch_message(message)

    def _note_request(self, message: Message) -> None:
        if message.mtype is NON:
            self._unconfirmed = (*self._unconfirmed, (message.mid, message.token))[-REMEMBERED:]
        block = message.opt.block1
        if (block is None or not block.more) and (on_sent := self.unsent.pop(message.token, None)) is not None:
            on_sent()

    def _reset(self, message: Message) -> None:
        """RFC 7252 §4.2 and §4.3: it has no meaning here. Nobody resets acknowledgements and resets."""
        if message.mtype in (CON, NON):
            self._say(RST, message.mid)

    def _say(self, kind: Any, mid: int) -> None:
        empty = Message(_mtype=kind, _mid=mid, code=EMPTY)
        empty.remote = self._server
        self.send(empty)
