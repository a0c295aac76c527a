"""The board's side of fleetrig's bridge, for authors of boards: copy it. Runs on Python 3 and MicroPython.

    line = BridgeLine(read, write, os.urandom, time.time)
    line.hello()
    status, text = line.http("GET", "http://bench", "/acme/controller/v1/GW-1", [["Authorization", "GatewayToken 1"]])

`read(within_s)` returns the bytes that have come, perhaps none; `write(bytes)` sends all of them. docs/bridge.md has
the rules.
"""

import binascii
import json

PART_BYTES = 512
FRAME_CHARS = 800
AGAIN_AFTER_S = 1.0
MARK = b"~tb1:"


class Restarted(Exception):
    """The bench has started anew: connections are gone, and what was asked may or may not have been done."""


class BridgeLine:
    def __init__(self, read, write, random_bytes, seconds, again_after_s=AGAIN_AFTER_S):
        self.read, self.write, self.random_bytes, self.seconds = read, write, random_bytes, seconds
        self.again_after_s = again_after_s
        self.held = b""
        self.frames = []
        self.token = None
        self.message_id = 0

    def hello(self):
        """Before everything else, and again after Restarted; waits until a bench is there."""
        own = binascii.hexlify(self.random_bytes(8))
        self.token = None
        while self.token is None:
            self.send(own, b"H", 0, 0, 1, b"")
            token, kind, _, _, _, data = self.frame(self.again_after_s)
            if kind == b"W" and data == own:
                self.token, self.message_id = token, 0

    def ask(self, request):
        """Sends a request (a dict) and returns the answer (a dict). Raises Restarted."""
        self.message_id += 1
        data = json.dumps(request).encode()
        parts = max(1, (len(data) + PART_BYTES - 1) // PART_BYTES)
        for part in range(parts):
            self.deliver(part, parts, data[part * PART_BYTES : (part + 1) * PART_BYTES])
        answer, wanted = b"", 0
        while True:
            token, kind, message_id, part, parts, data = self.frame(self.again_after_s)
            if kind is None:  # is the bench still the one that we asked?
                self.send(self.token, b"A", 0, 0, 1, b"")
            elif self.is_ours(token, kind) and kind == b"M" and message_id <= self.message_id:
                if message_id == self.message_id and part == wanted:
                    answer, wanted = answer + data, wanted + 1
                elif message_id == self.message_id and part > wanted:
                    continue
                self.send(self.token, b"A", message_id, part, parts, b"")
                if message_id == self.message_id and wanted == parts:
                    return json.loads(answer.decode())

    def http(self, method, origin, target, headers=(), body="", within_s=30):
        request = {"method": method, "origin": origin, "target": target, "headers": list(headers), "body": body}
        answer = self.ask({"do": "ask", "within_s": within_s, "envelope": {"request": request}})
        if "envelope" not in answer:
            raise OSError(answer.get("wrong") or answer.get("failed"))
        response = answer["envelope"]["response"]
        return response["status"], response.get("body", "")

    def deliver(self, part, parts, data):
        """Sends a part until the bench has acknowledged it; an answer that comes early is looked at later."""
        while True:
            self.send(self.token, b"M", self.message_id, part, parts, data)
            until = self.seconds() + self.again_after_s
            while self.seconds() < until:
                token, kind, message_id, acknowledged, answer_parts, _ = self.frame(until - self.seconds())
                if not self.is_ours(token, kind):
                    continue
                if kind == b"A" and (message_id, acknowledged) == (self.message_id, part):
                    return
                if kind == b"M" and message_id < self.message_id:  # our acknowledgement of the last answer was lost
                    self.send(self.token, b"A", message_id, acknowledged, answer_parts, b"")
                elif kind == b"M":  # the answer to this very message: only the acknowledgement was lost
                    return

    def is_ours(self, token, kind):
        if token == self.token and kind == b"Q":
            raise Restarted
        return token == self.token

    def send(self, token, kind, message_id, part, parts, data):
        text = binascii.b2a_base64(data).strip()
        head = b":".join([token, kind, b"%d" % message_id, b"%d" % part, b"%d" % parts, b"%d" % len(data), b""])
        self.write(b"~fb1:" + head + b"%08x" % (binascii.crc32(head + text) & 0xFFFFFFFF) + b":" + text + b"~\r\n")

    def frame(self, within_s):
        """The next whole frame, or (None, None, 0, 0, 0, b"") when none comes in time."""
        until = self.seconds() + within_s
        while not self.frames:
            left = until - self.seconds()
            if left <= 0:
                return None, None, 0, 0, 0, b""
            self.feed(self.read(left))
        return self.frames.pop(0)

    def feed(self, data):
        pieces = (self.held + data).replace(b"\r", b"\n").replace(b"~", b"\n~").split(b"\n")
        self.held = pieces.pop()[:FRAME_CHARS]
        self.frames += [frame for frame in map(read_frame, pieces) if frame]


def read_frame(text):
    fields = text[len(MARK) :].split(b":")
    if not text.startswith(MARK) or len(fields) != 8:
        return None
    token, kind, message_id, part, parts, length, crc, data = fields
    head = b":".join(fields[:6]) + b":"
    try:
        if binascii.crc32(head + data) & 0xFFFFFFFF != int(crc, 16):
            return None
        plain = binascii.a2b_base64(data)
        return (token, kind, int(message_id), int(part), int(parts), plain) if len(plain) == int(length) else None
    except ValueError:
        return None
