"""What a terminal shows, and what a pipe does not get."""

from __future__ import annotations

import re

from tests.cli import graphs
from tests.cli.shell import Shell
from tests.cli.terminal import on_terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
UP = "\x1b[1A"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def frames(text: str) -> list[str]:
    """The pictures that were drawn over each other, without colours."""
    return [COLOUR.sub("", frame) for frame in re.split(r"(?:\x1b\[1A\x1b\[2K)+", text)]


def test_nodes_light_up_in_place(shell: Shell) -> None:
    shown = on_terminal(shell.folder, "run", shell.graph(graphs.timer(1)))
    assert shown.code == 0
    assert shown.text.count(HIDE) == shown.text.count(SHOW) == 1
    drawn = frames(shown.text)
    assert len(drawn) > 5
    running = [frame for frame in drawn if "RUNNING" in frame]
    assert any("· Output" in frame and "1 done · 1 running" in frame for frame in running)
    assert re.search(r"✓ Store Value +begun", running[-1])
    last = drawn[-1]
    assert "COMPLETED  3 done" in last
    assert "✓ COMPLETED  3 node executions" in last
    assert "Output: begun" in last
    assert "\x1b[7m" not in shown.text.rpartition(UP)[2]


def test_without_colour_the_glyphs_tell(shell: Shell) -> None:
    shown = on_terminal(shell.folder, "run", shell.graph(graphs.timer(1)), NO_COLOR="1")
    codes = set(COLOUR.findall(shown.text))
    assert not [code for code in codes if re.search(r"[;\[](3[0-7]|9[0-7]|38|48|4[0-7])[;m]", code)]
    assert "✓" in shown.text


def test_in_a_low_terminal_only_so_many_nodes_are_shown(shell: Shell) -> None:
    nodes = [graphs.node(f"n{n}", "StoreValueBlock", f"Node {n}", input=n) for n in range(30)]
    nodes.append(graphs.node("wait", "CountdownTimerBlock", "Waits", seconds=1))
    shown = on_terminal(shell.folder, "run", shell.graph(graphs.document("many", nodes, [])), rows=12)
    for frame in frames(shown.text)[1:-1]:
        assert len(frame.strip().splitlines()) <= 12
    assert "… 25 more nodes" in shown.text
    assert "Waits" in frames(shown.text)[-2]


def test_json_is_indented_and_alone(shell: Shell) -> None:
    shown = on_terminal(shell.folder, "run", shell.graph(graphs.adder()), "--input", "Input=8", "-o", "json")
    assert "\x1b" not in shown.text
    assert '\r\n  "status": "COMPLETED",' in shown.text


def test_help_and_pictures_fit(shell: Shell) -> None:
    path = str(graphs.EXAMPLES / "coffee-bar.json")
    for arguments in (["graph", path], ["blocks"], ["run", "--help"]):
        lines = COLOUR.sub("", on_terminal(shell.folder, *arguments, columns=80).text).splitlines()
        assert max(map(len, lines)) <= 80


def test_a_pipe_gets_no_control_codes(shell: Shell) -> None:
    shell.graph(graphs.timer(0))
    with shell.start("run", "timer.json") as process:
        assert "\x1b" not in str(process.answer())
    execution = shell("run", "timer.json", "-o", "ids").ids[0]
    for arguments in (
        ["run", "timer.json"],
        ["ls"],
        ["show", execution],
        ["watch", execution],
        ["graph", execution],
        ["replay", execution, "--at", "5"],
        ["diff", execution, "1", "5"],
        ["verify", execution],
        ["doctor"],
        ["blocks"],
        ["run", "--help"],
        ["--help"],
    ):
        answer = shell(*arguments)
        assert answer.code == 0, answer.err
        assert "\x1b" not in answer.out + answer.err
        assert all(line == line.rstrip() for line in answer.out.splitlines()) or "--help" in arguments
