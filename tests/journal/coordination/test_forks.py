"""What a child made by a bare fork gets to keep: nothing."""

import os
import threading
from pathlib import Path

import pytest

from actbook.journal._coordination._forks import no_fork, register, unregister


class Holder:
    def __init__(self) -> None:
        self.descriptor: int | None = None

    def abandon(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


def fork_and_look(descriptor: int) -> bool:
    """Whether a child still has the descriptor."""
    child = os.fork()
    if child == 0:
        try:
            os.fstat(descriptor)
        except OSError:
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_until_a_descriptor_just_opened_is_remembered(tmp_path: Path) -> None:
    holder = Holder()
    register(holder)
    forking = threading.Event()
    kept: list[bool] = []

    def fork(descriptor: int) -> None:
        forking.set()
        kept.append(fork_and_look(descriptor))

    with no_fork:
        descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
        thread = threading.Thread(target=fork, args=(descriptor,))
        thread.start()
        forking.wait()
        holder.descriptor = descriptor
    thread.join()
    assert kept == [False]
    os.fstat(descriptor)
    unregister(holder)
    assert fork_and_look(descriptor)
    os.close(descriptor)
