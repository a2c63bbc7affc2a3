"""`python -m bench.load.canned PORT`: a server that answers every call with the same bytes, written beforehand.

It does so little that what the load generator reaches against it is the generator's own ceiling.
It says "ready" when it serves.
"""

import selectors
import socket
import sys

from bench.load import frames, hpack
from bench.noop.service import an_answer

_READ_BYTES = 1 << 16
_CALLS_MAX = 100_000
_HEADERS = [(b":status", b"200"), (b"content-type", b"application/grpc")]
_TRAILERS = [(b"grpc-status", b"0")]


class _Answers:
    """The answer to every stream there can be, as bytes: headers, message and trailers."""

    def __init__(self, message: bytes) -> None:
        whole = hpack.RequestHeaders.of([*_HEADERS, *_TRAILERS])
        alone = hpack.RequestHeaders.of(_HEADERS)
        # The connection's table after the first answer holds all three headers; a later one names them by number.
        status = len(alone.again)
        head = whole.again[:status], whole.again[status:]
        self._message = frames.grpc_message(message)
        self.first = self._of(1, alone.first, hpack.RequestHeaders.of(_TRAILERS).first)
        self.again = [self._of(2 * call + 1, *head) for call in range(_CALLS_MAX)]

    def _of(self, stream: int, head: bytes, trailers: bytes) -> bytes:
        return (
            frames.frame(frames.HEADERS, frames.END_HEADERS, stream, head)
            + frames.frame(frames.DATA, 0, stream, self._message)
            + frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, trailers)
        )


class _Client:
    """One accepted connection."""

    def __init__(self, accepted: socket.socket, answers: _Answers) -> None:
        self.socket = accepted
        self.unsent = b""
        self._answers = answers
        self._rest = b""
        self._greeted = False

    def serve(self, chunk: bytes) -> None:
        """Answer every request that has arrived whole."""
        data = self._rest + chunk
        at = 0
        out = []
        if not self._greeted:
            if len(data) < len(frames.PREFACE):
                self._rest = data
                return
            self._greeted = True
            at = len(frames.PREFACE)
            widened = frames.window_update(0, frames.WINDOW_BYTES_MAX - frames.WINDOW_BYTES_DEFAULT)
            out.append(frames.settings({frames.SETTINGS_MAX_CONCURRENT_STREAMS: 1_000}) + widened)
        head = frames.HEAD.unpack_from
        again = self._answers.again
        while len(data) - at >= frames.HEAD_BYTES:
            high, low, kind, flags, stream = head(data, at)
            stop = at + frames.HEAD_BYTES + (high << 8 | low)
            if stop > len(data):
                break
            at = stop
            if kind == frames.DATA and flags & frames.END_STREAM:
                out.append(again[stream >> 1] if stream > 1 else self._answers.first)
        self._rest = data[at:]
        self.write(b"".join(out))

    def write(self, octets: bytes) -> None:
        """Send, and keep what the socket does not take."""
        self.unsent += octets
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return


def serve(port: int) -> None:
    """Serve until killed."""
    answers = _Answers(an_answer("0" * 36).SerializeToString())
    selector = selectors.DefaultSelector()
    with socket.create_server(("127.0.0.1", port)) as listener:
        selector.register(listener, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, events in selector.select():
                if key.data is None:
                    accepted, _ = listener.accept()
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    accepted.setblocking(False)
                    selector.register(accepted, selectors.EVENT_READ, _Client(accepted, answers))
                else:
                    _attend(selector, key.data, events)


def _attend(selector: selectors.BaseSelector, client: _Client, events: int) -> None:
    """Serve one connection's socket, and listen for room to write only while something is unsent."""
    try:
        if events & selectors.EVENT_WRITE:
            client.write(b"")
        if events & selectors.EVENT_READ:
            chunk = client.socket.recv(_READ_BYTES)
            if not chunk:
                raise ConnectionResetError
            client.serve(chunk)
    except ConnectionError:
        selector.unregister(client.socket)
        client.socket.close()
        return
    wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
    selector.modify(client.socket, wanted, client)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
