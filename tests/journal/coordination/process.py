"""A process on a journal, driven over its standard streams: a line in is an order, a line out what happened.

The journal is a plain file of lines, read from where it was at every bell, so that a test asks what counts:
was the commit seen?
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from actbook.journal._coordination import FileCoordinator


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Process:
    def __init__(self, path: str, worker_id: str, candidate: bool) -> None:
        self.log = Path(path + "-log")
        self.seen = 0
        self.coordinator = FileCoordinator(path, worker_id, candidate)
        self.over = asyncio.Event()
        self.orders: dict[str, Callable[..., None]] = {
            "commit": self.commit,
            "who": self.who,
            "close": self.close,
            "fork": self.fork,
            "cpu": self.cpu,
            "storm": self.storm,
        }
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self.coordinator.start(self.read, self.own)
        say("started")
        loop = asyncio.get_running_loop()
        loop.add_reader(0, self.obey)
        await self.over.wait()
        loop.remove_reader(0)
        await self.coordinator.close()
        say("closed")

    def obey(self) -> None:
        for line in os.read(0, 4096).decode().splitlines() or ["close"]:
            order, *arguments = line.split()
            self.orders[order](*arguments)

    def own(self) -> None:
        say("owner")
        self.read()

    def read(self) -> None:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        for line in lines[self.seen :]:
            say("saw", line)
        self.seen = len(lines)

    def commit(self, name: str) -> None:
        def write() -> None:
            with self.log.open("a") as log:
                log.write(name + "\n")
            self.coordinator.ring()
            say("commit", name)

        threading.Thread(target=write).start()

    def who(self) -> None:
        owner = self.coordinator.owner
        place = "owner" if self.coordinator.is_owner else "other"
        say("who", place, owner.pid if owner is not None else None)

    def fork(self) -> None:
        """Leave a child behind that lives until it is killed, and give it every chance to disturb."""
        child = os.fork()
        if child == 0:
            self.coordinator.ring()
            owns = self.coordinator.is_owner
            try:
                self.coordinator.close().send(None)
            except StopIteration:
                say("child", os.getpid(), owns)
            while True:
                time.sleep(3600)

    def cpu(self, seconds: str) -> None:
        async def measure() -> None:
            before = time.process_time()
            await asyncio.sleep(float(seconds))
            say("cpu", time.process_time() - before)

        task = asyncio.create_task(measure())
        self.tasks.add(task)

    def storm(self, rings: str) -> None:
        before = time.perf_counter()
        for _ in range(int(rings)):
            self.coordinator.ring()
        say("storm", time.perf_counter() - before)

    def close(self) -> None:
        self.over.set()


if __name__ == "__main__":
    asyncio.run(Process(sys.argv[1], sys.argv[2], sys.argv[3] == "candidate").run())
