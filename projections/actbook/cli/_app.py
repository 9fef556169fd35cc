"""From arguments to a verb, and from whatever happens there to an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actbook.cli._exit_codes import ExitCode
from actbook.cli._verbs import ABOUT, GROUPS, VERBS, overview

if TYPE_CHECKING:
    from cyclopts import App, CycloptsError

    from actbook.cli._problems import Problem

DEBUG = "ACTBOOK_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; every exception ends here as a sentence on stderr and an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _forgive_encodings()
    if not given or given[0] in ("--help", "-h", "help"):
        print(overview(), end="")
        return ExitCode.OK
    try:
        code = _call(given)
        sys.stdout.flush()
    except BrokenPipeError:
        return _hung_up()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        return _tell(error, given)
    return code


def make_app() -> App:
    """The cyclopts application; a verb's module is imported when the verb is used."""
    from cyclopts import App, Parameter

    app = App(
        name="actbook",
        help=ABOUT,
        version=_version,
        default_parameter=Parameter(negative=(), show_env_var=True),
        help_format="markdown",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    groups = {"": app} | {name: App(name=name, help=about) for name, about in GROUPS.items()}
    for verb in VERBS:
        group, _, name = verb.name.rpartition(" ")
        groups[group].command(verb.place, name=name)
    for name in GROUPS:
        app.command(groups[name])
    return app


def _call(given: list[str]) -> int:
    code = make_app()(given)
    return int(code) if isinstance(code, int) else ExitCode.OK


def _tell(error: Exception, given: Sequence[str]) -> int:
    """The one sentence; a traceback only when it is asked for."""
    from actbook.cli._problems import Left, Problem, explain

    if isinstance(error, Left):
        return error.code
    problem = _of_command_line(error) or explain(error)
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exc()
    if problem is None:
        message = f"Unexpected {type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        message += f". This is a fault of actbook; {DEBUG}=1 shows the traceback to report."
        problem = Problem(ExitCode.UNEXPECTED, "unexpected", message)
    _print(problem.to_dict() if _wants_json(given) else problem.message)
    return problem.code


def _of_command_line(error: Exception) -> Problem | None:
    from cyclopts import CycloptsError

    from actbook.cli._problems import Problem

    if not isinstance(error, CycloptsError):
        return None
    verb = " ".join(["actbook", *(error.command_chain or ())])
    return Problem(ExitCode.USAGE, "usage", f"{_sentence_of(error)} See `{verb} --help`.")


def _sentence_of(error: CycloptsError) -> str:
    from cyclopts import MissingArgumentError, UnknownCommandError, UnusedCliTokensError

    if isinstance(error, UnknownCommandError):
        return _unknown_verb(" ".join([*(error.command_chain or ()), str((error.unused_tokens or [""])[0])]))
    if isinstance(error, UnusedCliTokensError):
        return f"There is nothing to do with {' '.join(error.unused_tokens or ())!r}; leave it out."
    if isinstance(error, MissingArgumentError) and error.argument is not None and not error.keyword:
        return f"{error.argument.name.lstrip('-').upper()} is missing."
    message = " ".join(str(error).split()).rstrip(".")
    return message if message.endswith("?") else f"{message}."


def _unknown_verb(given: str) -> str:
    import difflib

    near = difflib.get_close_matches(given, [*GROUPS, *(verb.name for verb in VERBS)], n=1)
    return f"There is no verb {given!r}. Did you mean {near[0]}?" if near else f"There is no verb {given!r}."


def _wants_json(given: Sequence[str]) -> bool:
    """Also when the command line itself is what is wrong."""
    pairs = zip(given, [*given[1:], ""], strict=True)
    return any(
        word in ("-ojson", "-o=json", "--output=json") or (word in ("-o", "--output") and value == "json")
        for word, value in pairs
    )


def _print(problem: object) -> None:
    if isinstance(problem, str):
        text = f"actbook: {problem}"
    else:
        import msgspec

        text = msgspec.json.encode(problem).decode()
    print(text, file=sys.stderr)


def _hung_up() -> int:
    """The reader of stdout is gone. Nothing more can be said there, not even at the interpreter's end."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)
    return ExitCode.HUNG_UP


def _forgive_encodings() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _version() -> str:
    from importlib.metadata import version

    return f"actbook {version('actbook')}"
