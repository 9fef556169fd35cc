"""actbook on an SQLite file beside the embedded peers: same shapes, every commit synced, one run. Prints JSON lines.

python -m benchmarks.peers.embedded
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.peers.race import PEERS, absent, race
from benchmarks.peers.window import Work

ROUNDS = 3
"""The competitors take turns, so that what else the machine does meets all; of each the middle one counts."""

SHAPES = {
    "sequential effectful": ("chain", 100, 1),
    "sequential pure": ("pure", 100, 1),
    "fan-out 1 -> 1000 -> 1": ("fan", 1000, 1),
    "100 runs at once x 10 steps": ("chain", 10, 100),
}


def main() -> None:
    """About half a minute for each of the shapes."""
    peers = []
    for peer in PEERS:
        reason = absent(peer)
        if reason:
            print(json.dumps({"name": "embedded peers", "skipped": reason}), flush=True)
        else:
            peers.append(peer)
    if not peers:
        return
    for name, (shape, size, in_flight) in SHAPES.items():
        rounds = [
            {each: _speed(each, shape, size, in_flight) for each in ("actbook", *peers)}
            for _ in range(ROUNDS)
        ]
        speeds = {each: statistics.median(one[each] for one in rounds) for each in ("actbook", *peers)}
        own = speeds.pop("actbook")
        rounded = {peer: round(speed, 1) for peer, speed in speeds.items()}
        line = {"name": f"peers: {name}", "value": round(own, 1), "unit": "steps/s", **rounded}
        print(json.dumps({**line, "against_the_fastest": round(own / max(speeds.values()), 2)}), flush=True)


def _speed(competitor: str, shape: str, size: int, in_flight: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        return race(competitor, Work(url, shape, size, in_flight), seconds=1.5)


if __name__ == "__main__":
    main()
