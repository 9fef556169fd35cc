"""The reference page of the command line, written from the code."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from cyclopts import Parameter

from actbook.cli._exit_codes import ExitCode
from actbook.cli._options import Options, Place
from actbook.cli._verbs import ABOUT, VERBS, Verb

_HEAD = """# Command line

{about} `actbook VERB --help` shows what follows for one verb. This page is written by `make docs` from the code.

```text
{overview}
```
"""

_OUTPUT = """## Output

- The answer is on stdout; progress, notes and errors are on stderr. Colours and cursor movements appear only on a terminal,
  and not when `NO_COLOR` is set.
- With `-o json` stdout holds nothing but JSON: on one line when it is piped, indented on a terminal. NaN and the infinities are
  `null`. Numbers keep their type: a float result prints as `42.0`. Keys may be added, none is renamed or taken away.
- `run`, `watch`, `stop`, `resume`, `retry` and `fork` print one object per execution with the keys `id`, `status`, `outputs`
  (name → list of values in order), `error`, `stats` (`wall`, `node_exec_count`, `node_error_count`, `node_wall`, `node_cpu`, `cost`;
  times in seconds), `graph_id`,
  `graph_version`, `graph_name`, `user_id`, `inputs`, `created_at`, `queued_at`, `started_at`, `ended_at` (ISO 8601 in UTC, or
  `null`), `reason`, `actor`, `attempt`, `origin_id`, `origin_version`, `parent_id`, `root_id`, `worker`.
  `ls` prints an array of them; values above 16 KiB are left out there.
- `show` and `replay` add `version` (how many events were folded) and `node_executions`, an array of `id`, `number`, `node_id`,
  `node_name`, `block_id`, `status`, `attempt`, `inputs`, `outputs` (pin → values), `error`, `reason`, `skipped`, `child_id`,
  `retry_of`, `queued_at`, `started_at`, `ended_at`, `stats` (`wall`, `cpu`, `cost`) and `review`
  (`null`, or `name`, `data`, `editable`, `approved`, `message`, `reviewer`).
- With several ids `show`, `replay`, `stop`, `resume`, `retry` and `fork` print one object per line.
  `verify` prints an array of `id`, `ok`, `events`, `faults` (`version`, `position`, `kind`, `message`, and `stream_id` where it
  is not the `id`); with `--all` the last one is the log as a whole, with the id `store`. `prove ls` prints one of `name`, `size`,
  `root`, `at`, `note`; `prove checkpoint` one such object, `prove keygen` one with `public_key` and `file`; `prove event` and
  `prove extension` always print a proof, `prove check` an array of `proof`, `ok`, `message`;
  `doctor` one of `check`, `verdict` (`ok`, `warn`, `fail`), `text`, `remedy`; `diff` one of `path`, `before`, `after`, where a side
  that does not exist has no key, and for two executions one object with `changes`, `took` (seconds of both) and `nodes`
  (`node_id`, `occurrence`, `a`, `b`, `took`, `changes`);
  `blocks` one of `id`, `name`, `type`, `description`, `static_output`, `effects`, `execution`.
- `rerun` prints one object per execution with `id`, the counts `matched`, `different` and `skipped`, and `node_executions`, an
  array of `id`, `number`, `node_id`, `node_name`, `verdict` (one of the three), `why`, and `recorded` and `yielded`, arrays of
  `[pin, value]`. `-o ids` prints those that differ. The exit code is 10 when one does.
- `timeline` prints one object per execution with `id`, `critical_path` (numbers) and `node_executions`, an array of `id`, `number`,
  `node_id`, `node_name`, `status`, `attempt`, `queued_at`, `started_at`, `ended_at`, `wait`, `run` (seconds), `after` (the number of
  the one whose value came last, or `null`) and `child_id`. `-o ids` prints the critical path.
- `stats` prints one object with three arrays: `blocks` (`block_id`, `block_name`, `day`, `completed`, `failed`, and `wait` and `run` as
  `mean`, `p50`, `p90`, `p99` in seconds), `queue` (`kind`, `status`, `priority`, `count`, `oldest_at`, `oldest_id`) and `workers`
  (`worker`, `running`, `since`, `claims`, `ended`, `first_seen_at`, `last_seen_at`, `last_execution_id`). `-o ids` prints the blocks.
- `review` without an ID prints an array with `id`, `execution_id`, `node_id`, `block_id`, `graph_id`, `graph_name`, `user_id`, `name`,
  `data`, `editable` and `requested_at`.
- `archive create` prints one object with `file` (`null` when nothing went into one), `executions` (ids) and `events`;
  `archive ls` an array of `file`, `sha256`, `created_at`, `executions`, `events`, `discarded`, `present`; `archive restore` an
  array of `file`, `executions`, `events`; `archive verify` what `verify` prints. `ls` adds `archived` (where) to what left the
  store. `forget` prints an array of `user`, `executions`, `streams`, `events`.
- `schedule add` prints one object with `id`, `name`, `status` (`active`, `paused`, `removed`), `user_id`, `graph_id`,
  `graph_version`, `cron`, `timezone`, `inputs`, `missed`, `catch_up`, `overlap`, `next`, `created_at`, `last_due`,
  `last_execution`, `last_error` and `stats` (`fired`, `missed`, `skipped`, `refused`); `schedule ls`, `pause`, `resume` and `rm`
  print an array of them, `schedule next` an array of times.
- An error is one sentence with its remedy on stderr. With `-o json` it is one object there, and stdout stays empty (after `--timeout`
  it holds the execution as it is):
  `{"error": {"kind": "not_found", "message": "…", "exit_code": 7, "details": {…}}}`. `kind` is `usage`, `not_found`, `invalid`,
  `timeout`, `store` or `unexpected`.
- With `-o ids` only ids are printed, one a line; `-` in place of an id reads them from stdin:
  `actbook ls --status RUNNING -o ids | actbook stop -`.
"""


def command_line_page() -> str:
    """The page as Markdown."""
    from actbook.cli._verbs import overview

    parts = [_HEAD.format(about=ABOUT, overview=overview().strip())]
    parts.extend(_verb(verb) for verb in VERBS)
    parts.append("## Options of every verb\n\n" + _table(_options_of(Options)))
    parts.append(_OUTPUT)
    codes = "\n".join(f"| {int(code)} | {code.meaning} |" for code in ExitCode)
    parts.append(f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n")
    return "\n".join(parts)


class Argument(NamedTuple):
    """One row of a verb's table."""

    usage: str
    meaning: str
    default: str


def _verb(verb: Verb) -> str:
    module, _, name = verb.place.partition(":")
    function: Callable[..., int] = getattr(import_module(module), name)
    text, meanings = _read(inspect.getdoc(function) or "")
    arguments = list(_arguments(function, meanings))
    positional = " ".join(each.usage for each in arguments if not each.usage.startswith("-"))
    table = _table(arguments)
    return (
        f"## actbook {verb.name}\n\n`actbook {verb.name} {positional}`".rstrip(" `")
        + f"`\n\n{text}\n\n{table}"
    )


def _read(docstring: str) -> tuple[str, dict[str, str]]:
    """The text, and what is said of each parameter."""
    text, _, section = docstring.partition("\n\nParameters\n----------\n")
    meanings: dict[str, list[str]] = {}
    current: list[str] = []
    for line in section.splitlines():
        if line and not line.startswith(" "):
            current = meanings.setdefault(line.strip(), [])
        elif line.strip():
            current.append(line.strip())
    return text.strip(), {name: " ".join(lines) for name, lines in meanings.items()}


def _arguments(function: Callable[..., int], meanings: dict[str, str]) -> Iterator[Argument]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if isinstance(hint, type) and is_dataclass(hint):
            if not issubclass(hint, Place):
                yield from _options_of(hint)
            continue
        positional = parameter.kind is not parameter.KEYWORD_ONLY
        usage = _positional(parameter) if positional else _option(name, hint)
        default = "" if positional else _default(parameter.default)
        yield Argument(usage, meanings.get(name) or _parameter(hint).help or "", default)


def _options_of(options: type[Any]) -> list[Argument]:
    hints = get_type_hints(options, include_extras=True)
    found: list[Argument] = []
    for field in fields(options):
        meaning = _parameter(hints[field.name]).help or ""
        default = "" if field.default is MISSING else _default(field.default)
        found.append(Argument(_option(field.name, hints[field.name]), meaning, default))
    return found


def _table(arguments: list[Argument]) -> str:
    rows = "\n".join(
        f"| `{each.usage}` | {each.meaning} | {each.default} |".replace("|  |", "| |") for each in arguments
    )
    return f"| argument | meaning | default |\n|---|---|---|\n{rows}\n"


def _positional(parameter: inspect.Parameter) -> str:
    name = parameter.name.upper()
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"{name.removesuffix('S')}…"
    return name if parameter.default is parameter.empty else f"[{name}]"


def _option(name: str, hint: Any) -> str:
    names = _parameter(hint).name or (f"--{name.replace('_', '-')}",)
    kind = _kind(hint)
    return ", ".join(names) + (f" {kind}" if kind else "")


def _parameter(hint: Any) -> Parameter:
    found = (
        [each for each in get_args(hint)[1:] if isinstance(each, Parameter)] if _is_annotated(hint) else []
    )
    return found[0] if found else Parameter()


def _is_annotated(hint: Any) -> bool:
    return get_origin(hint) is Annotated


_KINDS: dict[Any, str] = {str: "TEXT", int: "N", float: "SECONDS", Path: "FILE", bool: ""}


def _kind(hint: Any) -> str:
    """What follows an option, as the usage line names it."""
    if _is_annotated(hint):
        named = [each for each in get_args(hint)[1:] if isinstance(each, str)]
        return named[0] if named else _kind(get_args(hint)[0])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _kind(next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return "\\|".join(arguments) if len(arguments) < 6 else "NAME"
    if origin is list:
        return f"{_kind(arguments[0])} …"
    return _KINDS[hint]


def _default(value: Any) -> str:
    nothing = value is None or value is False or value == "" or value is inspect.Parameter.empty
    return "" if nothing else f"`{value}`"
