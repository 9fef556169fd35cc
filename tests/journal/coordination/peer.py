"""The test's end of a process on a journal."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAM = Path(__file__).with_name("process.py")
_PATIENCE = 30.0  # seconds; only a failing test waits that long


class Peer:
    """Starts on construction and is `started` when the constructor returns."""

    def __init__(self, path: Path | str, worker_id: str = "worker", *, candidate: bool = True) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        role = "candidate" if candidate else "guest"
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(_PROGRAM), str(path), worker_id, role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._unread = b""
        self._said: list[str] = []
        self.hear("started")

    @property
    def pid(self) -> int:
        return self._process.pid

    def order(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self._process.stdin.flush()

    def hear(self, *words: str) -> list[str]:
        """Wait for a line that begins so; take it, and keep the others for later."""
        until = time.monotonic() + _PATIENCE
        while True:
            for line in self._said:
                if tuple(line.split()[: len(words)]) == words:
                    self._said.remove(line)
                    return line.split()[len(words) :]
            if not self._listen(until - time.monotonic()):
                raise AssertionError(f"{self.pid} never said {words}, but {self._said}; {self.complaints()}")

    def ask(self, *words: object) -> list[str]:
        self.order(*words)
        return self.hear(str(words[0]))

    def has_said(self, word: str) -> bool:
        """Whether such a line is among those that came before the answer last waited for."""
        return any(line.split()[0] == word for line in self._said)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End in order; nothing may have been complained of, unclosed resources included."""
        self.order("close")
        self.hear("closed")
        assert self._process.wait() == 0
        complaints = self.complaints()
        assert not complaints, complaints

    def complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()

    def _listen(self, patience: float) -> bool:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(patience, 0.0)):
                return False
        heard = os.read(self._process.stdout.fileno(), 65536)
        *lines, self._unread = (self._unread + heard).split(b"\n")
        self._said += [line.decode() for line in lines]
        return bool(heard)


def hear_first(peers: list[Peer], word: str) -> Peer:
    """The one of them that says it first."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        for peer in peers:
            if peer.has_said(word):
                peer.hear(word)
                return peer
        with selectors.DefaultSelector() as selector:
            for peer in peers:
                assert peer._process.stdout is not None
                selector.register(peer._process.stdout, selectors.EVENT_READ, peer)
            for key, _ in selector.select(max(until - time.monotonic(), 0.0)):
                key.data._listen(0.0)
    raise AssertionError(f"none of {[peer.pid for peer in peers]} said {word}")
