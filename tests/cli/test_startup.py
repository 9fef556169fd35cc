"""A command begins at once: nothing is imported that it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from tests.cli import graphs
from tests.cli.shell import Shell

HEAVY = {"aio_pika", "nats", "eventsourcing", "jinja2", "regex", "cyclopts", "rich", "asyncio", "msgspec"}
SERVERS = {"aio_pika", "nats", "eventsourcing", "psycopg"}


def imported(*arguments: str) -> set[str]:
    """Top-level modules that are there after the command."""
    code = (
        "import sys; from actbook.cli import main; main(sys.argv[1:]);"
        " print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(ended.stderr.splitlines()[-1].split())


def test_help_imports_nothing_heavy() -> None:
    assert imported("--help") & HEAVY == set()


def test_a_run_for_a_program_imports_what_it_runs(shell: Shell) -> None:
    path = shell.graph(graphs.adder())
    assert imported("run", path, "--input", "Input=8", "-o", "json") & (SERVERS | {"jinja2", "rich"}) == set()


@pytest.mark.parametrize("verb", ["ls", "show", "doctor", "worker"])
def test_a_verbs_help_imports_no_engine(verb: str) -> None:
    code = (
        "import sys; from actbook.cli import main\n"
        f"main(['{verb}', '--help']); print('actbook.engine' in sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "False"


def test_help_is_there_in_a_third_of_a_second() -> None:
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "actbook.cli", "--help"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ,
        )
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.3


def test_version(shell: Shell) -> None:
    from importlib.metadata import version

    assert shell("--version").out == f"actbook {version('actbook')}\n"


def test_help_names_every_verb(shell: Shell) -> None:
    from actbook.cli._verbs import GROUPS, VERBS

    text = shell("--help").out
    assert shell().out == shell("-h").out == text
    lines = {tuple(line.split(maxsplit=1)) for line in text.splitlines()}
    for verb in VERBS:
        group, _, name = verb.name.rpartition(" ")
        assert ((group, GROUPS[group]) if group else (name, verb.summary)) in lines
        assert shell(*verb.name.split(), "--help").out.startswith(f"Usage: actbook {verb.name} ")


def test_a_group_tells_its_verbs(shell: Shell) -> None:
    from actbook.cli._verbs import GROUPS, VERBS

    for group in GROUPS:
        text = " ".join(shell(group).out.split())
        for verb in VERBS:
            if verb.name.startswith(f"{group} "):
                assert verb.name.split()[1] in text
    answer = shell("schedule", "ad")
    assert (answer.code, "Did you mean schedule add?" in answer.err) == (2, True)
