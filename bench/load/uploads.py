"""Sending under HTTP/2 flow control: what may go out now, and large messages that must wait for their turn."""

from dataclasses import dataclass

from bench.load import frames


@dataclass(slots=True)
class _Upload:
    """What is left of a message, and what its stream still allows, octets."""

    left: memoryview
    window: int


class Uploads:
    """The sending windows of one connection, and the messages held up by them, in order of arrival."""

    def __init__(self) -> None:
        self.frame_bytes_max = frames.FRAME_BYTES_DEFAULT
        self._window = frames.WINDOW_BYTES_DEFAULT
        self._stream_window = frames.WINDOW_BYTES_DEFAULT
        self._uploads: dict[int, _Upload] = {}

    def pass_by(self, size: int) -> bool:
        """Whether a message of `size` octets may go out whole, now; if so, the connection's window has paid for it."""
        if self._uploads or size > self._window or size > self._stream_window:
            return False
        self._window -= size
        return True

    def add(self, stream: int, message: bytes) -> None:
        """Put a message in the queue."""
        self._uploads[stream] = _Upload(memoryview(message), self._stream_window)

    def drop(self, stream: int) -> None:
        """Forget what is left of a stream's message: its call has ended."""
        if self._uploads:
            self._uploads.pop(stream, None)

    def widen(self, stream: int, octets: int) -> None:
        """The peer allows more on a stream, or on the connection when `stream` is 0."""
        if stream == 0:
            self._window += octets
        elif stream in self._uploads:
            self._uploads[stream].window += octets

    def set_stream_window(self, octets: int) -> None:
        """The peer says anew what each stream starts with; those under way move by the difference, even below zero."""
        for upload in self._uploads.values():
            upload.window += octets - self._stream_window
        self._stream_window = octets

    def send(self) -> bytes:
        """The DATA frames that may go out now."""
        out = bytearray()
        for stream, upload in list(self._uploads.items()):
            size = min(len(upload.left), upload.window, self._window)
            if size > 0:
                self._window -= size
                upload.window -= size
                out += self._frames(stream, upload, size)
            if not upload.left:
                del self._uploads[stream]
            if self._window <= 0:
                break
        return bytes(out)

    def _frames(self, stream: int, upload: _Upload, size: int) -> bytes:
        out = bytearray()
        while size > 0:
            part = upload.left[: min(size, self.frame_bytes_max)]
            upload.left = upload.left[len(part) :]
            size -= len(part)
            out += frames.frame(frames.DATA, 0 if upload.left else frames.END_STREAM, stream, bytes(part))
        return bytes(out)
