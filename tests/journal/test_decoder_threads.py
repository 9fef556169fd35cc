"""Several readers may meet an event type for the first time at the same moment."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from actbook.events import ExecutionCreated
from actbook.journal import _codec

data = msgspec.msgpack.encode((1, "u", "c", None, "", ExecutionCreated("e", "u", "g", 1, {})))
row = (1, "e", 1, "execution.created", b"", 0, b"", data)
barrier = threading.Barrier(4)
graphs = []

def read():
    barrier.wait()
    graphs.append(_codec.decode(row, None).payload.graph_id)

threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert graphs == ["g"] * 4, graphs
"""


def test_the_first_readers_of_a_type_do_not_disturb_each_other() -> None:
    for _ in range(15):
        subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
