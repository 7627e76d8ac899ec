"""Lines of JSON over a socket: how two processes of a batch talk."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any


class Lines:
    """One end of a connection. That the other end is gone is told by ``receive``, and by nothing else."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._text = b""

    def send(self, message: Mapping[str, object]) -> None:
        """Send one line."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> bool:
        """Take what has come, waiting if nothing has; False when the other end is gone."""
        try:
            text = self.connection.recv(1 << 16)
        except ConnectionResetError:
            return False
        self._text += text
        return bool(text)

    def whole(self) -> Iterator[dict[str, Any]]:
        """Every line that is complete, once."""
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            yield json.loads(line)
