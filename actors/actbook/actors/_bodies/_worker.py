"""The program of a worker process: runs the bodies of `cpu` blocks, one after the other.

It lives as long as its parent: the lifeline pipe closes when the parent ends, however that happens.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
import socket
import threading
from functools import partial
from time import process_time
from typing import Any, NoReturn

from actbook.blocks import counter_for_run
from actbook.graphs import Block
from actbook.graphs._stored_credentials import NO_CREDENTIALS, credentials_by_pin_from, credentials_of_run

from ._emission import Emission
from ._frames import EndFrame, FrameBuffer, JobFrame, OutputFrame, job_of, packed
from ._outcome import Fault, text_of
from ._own_thread import run_to_end

_CHUNK = 262_144
_KNOWN_BLOCKS = 256
_serving = threading.Event()


def in_worker() -> bool:
    """True in a worker process, where no engine may run."""
    return _serving.is_set()


def main(channel: int, lifeline: int) -> None:
    """Serve the parent behind the socket `channel` until it closes it."""
    _serving.set()
    _end_with_parent(lifeline)
    blocks: dict[bytes, Block] = {}
    with socket.socket(fileno=channel) as parent:
        buffer = FrameBuffer()
        while data := parent.recv(_CHUNK):
            for frame in buffer.feed(data):
                parent.sendall(packed(_serve(job_of(frame), blocks, parent)))


def _serve(job: JobFrame, blocks: dict[bytes, Block], parent: socket.socket) -> EndFrame:
    before = process_time()
    try:
        block = blocks.get(job.block) or _load(job)
    except BaseException as error:
        return EndFrame(_not_loadable(error), process_time() - before, 0)
    if len(blocks) >= _KNOWN_BLOCKS:
        blocks.clear()
    blocks[job.block] = block
    emission = Emission(block, partial(_send, parent))
    credentials_of_run.set(credentials_by_pin_from(job.credentials) if job.credentials else NO_CREDENTIALS)
    counter_for_run.set(emission.count)
    run_to_end(block, job.data, job.context, emission, lambda _: None)
    return EndFrame(emission.fault, process_time() - before, emission.size, emission.counters)


def _send(parent: socket.socket, pair: tuple[str, Any]) -> None:
    parent.sendall(packed(OutputFrame(*pair)))


def _load(job: JobFrame) -> Block:
    if job.main:
        from multiprocessing import spawn

        spawn.prepare(dict(job.main))
    block = pickle.loads(job.block)
    if not isinstance(block, Block):
        raise TypeError(f"{type(block).__name__} is not a Block")
    return block


def _not_loadable(error: BaseException) -> Fault:
    text = (
        f"The block cannot be loaded in a worker process: {text_of(error)}. Define its class at the top "
        "level of a module that can be imported there, put the start of a script under "
        '`if __name__ == "__main__":`, or declare `execution = "blocking"`.'
    )
    return Fault(text, type(error).__name__, expected=False)


def _end_with_parent(lifeline: int) -> None:
    threading.Thread(target=_watch, args=(lifeline,), name="actbook-lifeline", daemon=True).start()
    # Linux: the kernel ends the group, also when a body holds the interpreter lock and no thread can.
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _watch(lifeline: int) -> NoReturn:
    while os.read(lifeline, 1):
        continue
    os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
