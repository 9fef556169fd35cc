"""What a worker process and its parent tell each other: length-prefixed MessagePack over a socket."""

from __future__ import annotations

from typing import Any

import msgspec

from actbook.graphs import ExecutionContext

from ._outcome import Fault

_PREFIX = 8


class JobFrame(msgspec.Struct, array_like=True):
    """Run a body. `block` is the pickled block; `main` tells where the parent's `__main__` is, if needed.

    `credentials` are those by pin, with their secrets: nothing of a frame is ever shown.
    """

    block: bytes
    data: dict[str, Any]
    context: ExecutionContext
    main: dict[str, str]
    credentials: bytes = b""

    def __repr__(self) -> str:
        return "<JobFrame>"


class OutputFrame(msgspec.Struct, array_like=True, tag="output"):
    pin: str
    value: Any


class EndFrame(msgspec.Struct, array_like=True, tag="end"):
    """The body has ended; `cpu` seconds of the whole process, `size` bytes of outputs."""

    fault: Fault | None
    cpu: float
    size: int
    counters: dict[str, Any] | None = None


_encoder = msgspec.msgpack.Encoder()
_reply_decoder: msgspec.msgpack.Decoder[OutputFrame | EndFrame] = msgspec.msgpack.Decoder(
    OutputFrame | EndFrame
)
_job_decoder = msgspec.msgpack.Decoder(JobFrame)


def packed(frame: JobFrame | OutputFrame | EndFrame) -> bytes:
    body = _encoder.encode(frame)
    return len(body).to_bytes(_PREFIX, "big") + body


def job_of(body: bytes) -> JobFrame:
    return _job_decoder.decode(body)


def reply_of(body: bytes) -> OutputFrame | EndFrame:
    return _reply_decoder.decode(body)


class FrameBuffer:
    """Cuts what was received into frames."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        received = self._received
        received += data
        frames: list[bytes] = []
        start = 0
        while len(received) >= start + _PREFIX:
            body = start + _PREFIX
            end = body + int.from_bytes(received[start:body], "big")
            if len(received) < end:
                break
            frames.append(bytes(received[body:end]))
            start = end
        del received[:start]
        return frames
