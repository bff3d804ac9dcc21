"""The words of the `darkroom` command, and how it ends: 0 done, 1 failed, 2 wrong words."""

import contextlib
import logging
import os
import sys
import traceback
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from flows.command import system_limits
from flows.command.wrong_words import explained
from storage.errors import DarkroomError, ParameterError
from storage.names import one_line

DONE, FAILED, WRONG_WORDS, INTERRUPTED = 0, 1, 2, 130

# Prefect's own server takes up to 20 s to start on a new database; its limit is 20 s.
PREFECT_DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A failure is told in one line, by this command; --debug brings Prefect's own account.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "DO_NOT_TRACK": "1",
}

# Each one's module is imported when it is asked for: nobody waits for what another needs.
COMMANDS = {
    "develop": "Take a folder of pictures from there to a report.",
    "inspect": "Say what is in a folder or an archive; run nothing.",
    "run": "Run an experiment.",
    "explain": "Say what a run would do, and why; run nothing.",
    "experiments": "List the experiments.",
    "parameters": "List what --set takes.",
    "classify": "Use a model on pictures.",
    "serve": "Answer HTTP requests with a model.",
    "export": "Write a model for another runtime.",
    "report": "List reports, open one, compare two, take a model back.",
    "cache": "What is stored: list it, check it, free space.",
    "completion": "Print what completes these words in a shell.",
}
GROUPS = ("report", "cache")  # they have commands of their own

EXAMPLES = """\
Examples:
  darkroom develop holiday                your own pictures, whatever their layout
  darkroom inspect holiday.zip            what is in there, and how it is understood
  darkroom experiments                    what there is to run
  darkroom run digits                     a whole experiment, in a few minutes
  darkroom run cats-and-dogs-small --set source.archive=dogs-vs-cats.zip
  darkroom parameters my-pictures         what --set takes
  darkroom explain digits --set training.epochs=50
                                          which steps would run, and why
  darkroom run digits --rerun train       train again although nothing changed
  darkroom classify my-pictures new.jpg   use the model: pictures, folders, zips
  darkroom serve my-pictures              answer HTTP requests with it

Results go to $DARKROOM_HOME (default ./workspace). Runs show up in Prefect:
start `prefect server start` and set PREFECT_API_URL to watch them; without it
each run starts a server of its own."""


def version() -> str:
    """Which Darkroom this is; only who asks waits for git."""
    from flows.orchestration import version as found

    return f"darkroom {found.version()}"


app = App(
    name="darkroom",
    help="Develop raw pictures into an evaluated image classifier.",
    help_format="plaintext",
    help_epilogue=EXAMPLES,
    version=version,
    version_flags=["--version"],
    default_parameter=Parameter(negative=(), json_list=False, json_dict=False),
    suppress_keyboard_interrupt=False,
)
for _name, _text in COMMANDS.items():
    app.command(f"flows.command.{_name}:app", name=_name, help=_text)


app.meta.suppress_keyboard_interrupt = False


@app.meta.default
def start(
    *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    debug: Annotated[
        bool, Parameter(show_default=False, help="Show the traceback of a failure.")
    ] = False,
) -> None:
    """Develop raw pictures into an evaluated image classifier."""
    if not words:
        raise ParameterError(f"a COMMAND is needed: one of {', '.join(COMMANDS)}")
    if words[0] in GROUPS and len(words) == 1:
        raise ParameterError(f"a COMMAND is needed: see `darkroom {words[0]} --help`")
    system_limits.require_addresses(words[0])
    os.environ.update({name: os.environ.get(name, text) for name, text in PREFECT_DEFAULTS.items()})
    if debug:
        os.environ["PREFECT_LOGGING_LEVEL"] = "DEBUG"
    else:
        # Prefect's background threads remark at exit that they are not quite done, under this name.
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)
    app(words, **AS_A_FUNCTION)


# Errors come to `main`, which ends the process.
AS_A_FUNCTION: dict[str, Any] = {
    "exit_on_error": False, "print_error": False, "result_action": "return_value",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Do what the words say; 0 done, 1 failed, 2 wrong words, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    try:
        app.meta(words, **AS_A_FUNCTION)
        sys.stdout.flush()
    except CycloptsError as error:
        return _failed(ParameterError(explained(error, words)), WRONG_WORDS, debug=debug)
    except ParameterError as error:
        return _failed(error, WRONG_WORDS, debug=debug)
    except BrokenPipeError:  # whoever read, as in `| head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt as stopped:
        with contextlib.suppress(OSError):  # of a terminal that was closed
            print(f"stopped{stopped}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _failed(system_limits.explained(error), FAILED, debug=debug)
    return DONE


def _failed(error: Exception, code: int, *, debug: bool) -> int:
    # Archives from strangers give names to what is said of them.
    if debug:
        print(_harmless("".join(traceback.format_exception(error))), file=sys.stderr)
    name = "" if isinstance(error, DarkroomError) else f"{type(error).__name__}: "
    text = str(error) if code == WRONG_WORDS else " ".join(str(error).split())
    print(_harmless(f"darkroom: {name}{text}"), file=sys.stderr)
    return code


def _harmless(text: str) -> str:
    return "\n".join(map(one_line, text.splitlines()))
