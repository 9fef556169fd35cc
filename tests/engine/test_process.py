"""What the engine sets for a whole process, and only when it is asked to."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, sys
from actbook.engine import Engine, tune_process
from actbook.graphs import Graph, Node
from actbook.blocks.standard import standard_id

before = sys.getswitchinterval(), gc.get_threshold()
graph = Graph(id="g", nodes=[Node(id="n", block_id=standard_id("StoreValueBlock"), input_default={"input": 1})])
Engine.run_sync(graph)
assert (sys.getswitchinterval(), gc.get_threshold()) == before, "the engine changed its host's process"
tune_process()
assert sys.getswitchinterval() < before[0] and gc.get_threshold() > before[1]
"""


def test_a_process_is_tuned_only_when_its_owner_asks() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
