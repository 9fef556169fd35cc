"""Several processes on one store, and signals."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli import graphs
from tests.cli.shell import Process, Shell

from actbook.cli._exit_codes import ExitCode
from actbook.journal._coordination import FileCoordinator


def test_a_run_is_handed_to_the_owner_and_followed(shell: Shell) -> None:
    shell.graph(graphs.adder())
    with shell.start("worker") as worker:
        worker.wait_for("Running sqlite:///")
        answer = shell("run", "adder.json", "--input", "Input=8", "-o", "json")
        assert answer.json["outputs"] == {"Output": [42]}
        assert f"-{worker.pid}-" in answer.json["worker"]
        followed = shell("run", "adder.json", "--input", "Input=9")
        assert "✓ Calculator  43.0" in followed.err
        owner = next(each for each in shell("doctor", "-o", "json").json if each["check"] == "owner")
        assert f"process {worker.pid} " in owner["text"]
        worker.signal(signal.SIGTERM)
        ended = worker.answer()
    assert (ended.code, ended.out) == (ExitCode.OK, "")
    assert "Ending in order" in ended.err


def test_stop_reaches_the_owner(shell: Shell) -> None:
    path = shell.graph(graphs.timer(60))
    with shell.start("run", path) as run:
        run.wait_for("begun")
        (execution,) = shell("ls", "--status", "RUNNING", "-o", "ids").ids
        stopped = shell("stop", execution, "--reason", "Enough", "-o", "json").json
        assert (stopped["status"], stopped["reason"]) == ("TERMINATED", "Enough")
        answer = run.answer()
    assert answer.code == ExitCode.TERMINATED
    assert "because: Enough" in answer.out


def test_a_worker_goes_on_with_what_a_killed_process_left(shell: Shell) -> None:
    with shell.start("run", shell.graph(graphs.timer(1))) as run:
        run.wait_for("begun")
        run.signal(signal.SIGKILL)
        run.answer()
    assert shell("ls", "--status", "RUNNING", "-o", "json").json[0]["outputs"] == {}
    assert shell("worker", "--until-idle").code == ExitCode.OK
    (row,) = shell("ls", "-o", "json").json
    assert (row["status"], row["outputs"]) == ("COMPLETED", {"Output": ["begun"]})


def test_a_follower_takes_over_when_the_owner_is_killed(shell: Shell) -> None:
    with shell.start("worker") as worker:
        worker.wait_for("Running sqlite:///")
        with shell.start("run", shell.graph(graphs.timer(1))) as run:
            run.wait_for("begun")
            worker.signal(signal.SIGKILL)
            answer = run.answer()
    assert answer.code == ExitCode.OK
    assert "Output: begun" in answer.out


def test_ctrl_c_stops_the_run_and_says_so(shell: Shell) -> None:
    with shell.start("run", shell.graph(graphs.timer(60))) as run:
        run.wait_for("begun")
        run.signal(signal.SIGINT)
        answer = run.answer()
    assert answer.code == ExitCode.TERMINATED
    assert "Ctrl-C again leaves at once" in answer.err
    assert "because: Interrupted with Ctrl-C" in answer.out
    assert shell("ls", "-o", "json").json[0]["reason"] == "Interrupted with Ctrl-C"


def test_a_second_ctrl_c_leaves_at_once_and_the_stop_stays(shell: Shell) -> None:
    path = shell.graph(graphs.timer(60))
    shell("run", path, "--detach")
    with idle_owner(str(shell.folder / "store.db")), shell.start("run", path) as run:
        run.wait_for("Timer")
        run.signal(signal.SIGINT)
        run.wait_for("that is recorded")
        run.signal(signal.SIGINT)
        answer = run.answer()
    assert answer.code == ExitCode.INTERRUPTED
    assert "The stop is recorded" in answer.err
    (execution,) = shell("ls", "--limit", "1", "-o", "ids").ids
    with shell.start("worker") as worker:
        worker.wait_for("Running sqlite:///")
        assert shell("watch", execution, "--timeout", "20").code == ExitCode.TERMINATED


@contextmanager
def idle_owner(path: str) -> Iterator[None]:
    """Somebody owns the store and does nothing about it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    coordinator = FileCoordinator(path, "idle")
    try:
        asyncio.run_coroutine_threadsafe(coordinator.start(lambda: None, lambda: None), loop).result()
        assert coordinator.is_owner
        yield
    finally:
        asyncio.run_coroutine_threadsafe(coordinator.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_ctrl_c_ends_watching_and_not_the_execution(shell: Shell) -> None:
    with shell.start("run", shell.graph(graphs.timer(60)), "-o", "json") as run:
        (execution,) = _started(shell, run)
        with shell.start("watch", execution) as watch:
            watch.wait_for("begun")
            watch.signal(signal.SIGINT)
            assert watch.answer().code == ExitCode.INTERRUPTED
        assert shell("show", execution, "-o", "json").json["status"] == "RUNNING"
        shell("stop", execution)
        assert run.answer().code == ExitCode.TERMINATED


def _started(shell: Shell, run: Process) -> list[str]:
    """The running executions, as soon as there are any."""
    while run.is_running:
        answer = shell("ls", "--status", "RUNNING", "-o", "ids")
        if answer.ids:
            return answer.ids
    raise AssertionError(f"the run ended: {run.answer()}")


def test_sigterm_lets_go_and_the_run_goes_on_later(shell: Shell) -> None:
    with shell.start("run", shell.graph(graphs.timer(60))) as run:
        run.wait_for("begun")
        run.signal(signal.SIGTERM)
        answer = run.answer()
    assert answer.code == ExitCode.ENDED
    assert "Traceback" not in answer.err
    assert len(shell("ls", "--status", "RUNNING", "-o", "ids").ids) == 1


def test_a_reader_that_goes_away_is_no_fault(shell: Shell) -> None:
    import subprocess
    import sys

    command = f"{sys.executable} -m actbook.cli blocks | head -c 10; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode in (ExitCode.OK, ExitCode.HUNG_UP)
    assert ended.stderr == ""
