"""The `darkroom` command."""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, get_args

from flows.experiments import DEPLOYMENTS
from flows.parameters import StepName
from flows.words import Version, Words
from storage.errors import DarkroomError, GateClosed, ParameterError
from storage.names import one_line
from tasks.classify.parameters import CLIP
from tasks.serve.limits import MAX_BYTES

DONE, FAILED, WRONG_WORDS, INTERRUPTED = 0, 1, 2, 130
STEPS = get_args(StepName)

# Prefect's own server takes up to 20 s to start on a new database; its limit is 20 s.
PREFECT_DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A failure is told in one line, by this command; --debug brings Prefect's own account.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "DO_NOT_TRACK": "1",
}

OWN_LIST = "a prefect.yaml with your own experiments"

EXAMPLES = """
examples:
  darkroom experiments                       what there is to run
  darkroom run digits                        a whole experiment in a minute or two
  darkroom run my-pictures --set source.folder=holiday
                                             your own folder of class folders
  darkroom run cats-and-dogs-small --set source.archive=dogs-vs-cats.zip
  darkroom parameters my-pictures            what --set takes
  darkroom explain digits --set training.epochs=50
                                             which steps would run, and why; runs nothing
  darkroom run digits --rerun train          train again although nothing changed
  darkroom classify my-pictures new.jpg      use the model: a picture, a folder or a zip
  darkroom serve my-pictures                 answer HTTP requests with it

Results go to $DARKROOM_HOME (default ./workspace). Runs show up in Prefect: start `prefect server
start` and set PREFECT_API_URL to watch them; without it each run starts a server of its own.
"""


CLASSIFY_EXAMPLES = """
Where a picture's name or folder names a class, as in pikachu_1.png, the label is called correct or
incorrect. What cannot be read gets a line with the reason.

examples:
  darkroom classify my-pictures new.jpg album holiday.zip --table labels.csv --drawn seen
  darkroom classify cats-and-dogs-small dogs-vs-cats.zip --only test1/ --submission submission.csv
"""


def parser() -> argparse.ArgumentParser:
    """The words of the command."""
    top = Words(
        prog="darkroom",
        description="Develop raw pictures into an evaluated image classifier.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--debug", action="store_true", help="show the traceback of a failure")
    top.add_argument("--version", action=Version, nargs=0, help="which Darkroom this is")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    _experiment_commands(commands)
    _model_commands(commands)
    report = commands.add_parser(
        "report", help="list reports, open one, compare two, take a model back"
    )
    report.add_argument("action", choices=("list", "open", "compare", "take-back"))
    report.add_argument(
        "names", metavar="NAME", nargs="*",
        help="an experiment, EXPERIMENT/RUN or a report's folder; two for compare, for list none "
        "or an experiment",
    )  # fmt: skip
    cache = commands.add_parser("cache", help="what is stored: list it, check it, free space")
    cache.add_argument(
        "action", choices=("list", "verify", "gc", "drop"),
        help="sizes; damage; remove what nothing needs; forget an experiment",
    )  # fmt: skip
    cache.add_argument("name", metavar="EXPERIMENT", nargs="?", help="for drop")
    cache.add_argument("--yes", action="store_true", help="gc, drop: remove without asking")
    for command in commands.choices.values():  # there too, where people put it
        command.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
    return top


def _model_commands(commands: Any) -> None:
    a_model = "a model.keras, its folder, or an experiment"
    classify = commands.add_parser(
        "classify", help="use a model on pictures", epilog=CLASSIFY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    classify.add_argument("model", metavar="MODEL", help=a_model)
    classify.add_argument(
        "pictures", metavar="PATH", nargs="+", type=Path,
        help="a picture, a folder with all pictures in it, or a zip or tar",
    )  # fmt: skip
    _choices_and_outputs(classify)
    classify.add_argument("--json", action="store_true", help="print one JSON object last")
    serve = commands.add_parser("serve", help="answer HTTP requests with a model")
    serve.add_argument("model", metavar="MODEL", help=a_model)
    serve.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    serve.add_argument("--port", type=int, default=8000, help="default 8000; 0 takes a free one")
    serve.add_argument(
        "--max-bytes", type=int, default=MAX_BYTES, metavar="N",
        help=f"of one request's body; default {MAX_BYTES:,}",
    )  # fmt: skip


def _choices_and_outputs(classify: argparse.ArgumentParser) -> None:
    classify.add_argument(
        "--only", metavar="PREFIX", default="",
        help="of folders and archives, what lies at paths that begin so, as in test1/",
    )  # fmt: skip
    classify.add_argument(
        "--table", metavar="FILE", type=Path,
        help="write every picture's probabilities to this .csv or .parquet",
    )  # fmt: skip
    classify.add_argument(
        "--drawn", metavar="FOLDER", type=Path,
        help="write the pictures here, each with its label drawn on it",
    )  # fmt: skip
    classify.add_argument(
        "--submission", metavar="FILE", type=Path,
        help="write id,label for Kaggle: of 17.jpg the id is 17, the label a class's probability; "
        "0.5 where a picture cannot be read",
    )  # fmt: skip
    classify.add_argument(
        "--of", metavar="CLASS",
        help="the class whose probability a submission holds; default the model's second one, of "
        "cat and dog the dog",
    )  # fmt: skip
    classify.add_argument(
        "--clip", metavar="SHARE", type=float,
        help=f"keep a submission's probabilities this far from 0 and 1 (default {CLIP}), since log "
        "loss punishes certainty without bound where it is wrong; 0 keeps them as they are",
    )  # fmt: skip


def _experiment_commands(commands: Any) -> None:
    listing = commands.add_parser("experiments", help="list the experiments")
    listing.add_argument("--file", type=Path, default=DEPLOYMENTS, help=OWN_LIST)
    _parameters_command(commands)
    for name, text in (
        ("run", "run an experiment"),
        ("explain", "say what a run would do, and why"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "name", metavar="NAME", help="an experiment: see `darkroom experiments`"
        )
        command.add_argument(
            "--set", dest="settings", metavar="NAME=VALUE", action="append", default=[],
            help="change a parameter, as in split.seed=7; may be given again; `darkroom "
            "parameters` lists them",
        )  # fmt: skip
        command.add_argument(
            "--rerun", metavar="STEP", choices=STEPS, action="append", default=[],
            help=f"run this step even if nothing changed: {', '.join(STEPS)}",
        )  # fmt: skip
        command.add_argument("--json", action="store_true", help="print one JSON object last")
        command.add_argument(
            "--file",
            type=Path,
            default=DEPLOYMENTS,
            help=OWN_LIST,
        )
    commands.choices["run"].add_argument(
        "--retry", choices=("failed",), help="take up downloads that failed and may succeed now"
    )
    commands.choices["run"].add_argument(
        "--until", metavar="STEP", choices=STEPS, help="stop after this step"
    )


def _parameters_command(commands: Any) -> None:
    listing = commands.add_parser("parameters", help="list what --set takes")
    listing.add_argument(
        "name", metavar="EXPERIMENT", nargs="?",
        help="show its values; without one, the defaults of every kind of source and model",
    )  # fmt: skip
    listing.add_argument("--file", type=Path, default=DEPLOYMENTS, help=OWN_LIST)


def run(words: argparse.Namespace) -> None:
    """`darkroom run`."""
    from flows.experiments import load, read_from

    experiment = load(words.name, words.settings, words.file)
    from flows import runs

    show = json.dumps if words.json else said
    # Ended by `kill` or `timeout`, it stops its server as it does at Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with read_from(words.file, words.name):
        result = runs.run(
            experiment, rerun=tuple(words.rerun), until=words.until, retry=words.retry
        ).summary
    print(show(result))
    if result["gate"] is not None:
        raise GateClosed(result["gate"])


def said(result: dict[str, Any]) -> str:
    """A run's result for people."""
    steps = ", ".join(f"{step['name']} {step['seconds']:.1f}" for step in result["steps"])
    lines = [
        f"{result['experiment']}: done in {result['seconds']:.1f} s",
        f"{'seconds':>10} {steps}",
    ]
    counts = result["counts"]
    if counts["images"] is not None:
        left_out = f", {counts['left_out']} left out of the split" if counts["left_out"] else ""
        turned_down = f"{counts['rejected']} turned down"
        lines.append(f"{'pictures':>10} {counts['images']} usable{left_out}, {turned_down}")
    metrics = result["metrics"] or {}
    for name, part in metrics.items():
        accuracy = part["accuracy"]
        lines.append(
            f"{name:>10} accuracy {accuracy['mean']:.4f}  "
            f"(95 % interval {accuracy['low']:.4f} to {accuracy['high']:.4f}, "
            f"{part['images']} pictures)"
        )
    lines += [f"{'model':>10} {result['model']}"] if result["model"] else []
    for name in ("features", "predictions"):
        lines += [f"{name:>10} {result[name]}"] if result[name] else []
    lines += [f"{'report':>10} {Path(result['report']).as_uri()}"] if result["report"] else []
    if result["published"] is not None:
        lines.append(f"{'published':>10} {result['published']}")
    return "\n".join(lines)


def explain(words: argparse.Namespace) -> None:
    """`darkroom explain`."""
    from flows.experiments import load

    experiment = load(words.name, words.settings, words.file)
    from flows.steps import foretell

    outcomes = foretell(experiment, words.rerun)
    if words.json:
        steps = [outcome.model_dump(exclude={"seconds"}) for outcome in outcomes]
        print(json.dumps({"experiment": experiment.experiment, "steps": steps}))
        return
    for outcome in outcomes:
        print(f"{outcome.name:>9}  {outcome.state:<8}  {outcome.why}")


def experiments(words: argparse.Namespace) -> None:
    """`darkroom experiments`."""
    from flows.experiments import deployments

    for name, deployment in deployments(words.file).items():
        print(f"{name:<24} {' '.join(deployment.get('description', '').split())}")


def parameters(words: argparse.Namespace) -> None:
    """`darkroom parameters`."""
    from flows import listing
    from flows.experiments import load

    experiment = load(words.name, [], words.file) if words.name else None
    for line in listing.lines(experiment, shutil.get_terminal_size((100, 24)).columns):
        print(line)


def classify(words: argparse.Namespace) -> None:
    """`darkroom classify`."""
    from flows.use import use

    used = use(
        words.model,
        words.pictures,
        only=words.only,
        table=words.table,
        drawn=words.drawn,
        submission=words.submission,
        of=words.of,
        clip=words.clip,
    )
    for line in used.lines:
        print(line, file=sys.stderr if words.json else sys.stdout)
    for sentence in used.sentences:
        print(f"darkroom: {sentence}", file=sys.stderr)
    if words.json:
        print(json.dumps({"model": words.model, "images": used.rows}))
    used.require_readable()


def serve(words: argparse.Namespace) -> None:
    """`darkroom serve`."""
    if words.max_bytes < 1:
        raise ParameterError(f"--max-bytes takes 1 or more, found {words.max_bytes}")
    from flows.serve import serve as answer

    answer(model=words.model, host=words.host, port=words.port, max_bytes=words.max_bytes)


def report(words: argparse.Namespace) -> None:
    """`darkroom report`."""
    from storage import publications, records
    from storage.workspace import Workspace
    from tasks.publish.page import lookup

    workspace = Workspace.current()
    least, most = REPORT_NAMES[words.action]
    if not least <= len(words.names) <= most:
        wanted = f"{least} or {most}" if least < most else most
        raise ParameterError(f"report {words.action} takes {wanted} NAME, found {len(words.names)}")
    if words.action == "list":
        for line in lookup.listed(workspace, *words.names):
            print(line)
        return
    if words.action == "open":
        print(lookup.open_page(lookup.find(workspace, words.names[0])))
    elif words.action == "compare":
        print(lookup.compare(workspace, *words.names).text)
    else:
        back = publications.take_back(workspace, words.names[0], records.now())
        print(f"{back.experiment}: published is again {workspace.root / back.model}")


def cache(words: argparse.Namespace) -> None:
    """`darkroom cache`."""
    from flows import housekeeping

    if (words.name is not None) != (words.action == "drop"):
        raise ParameterError("cache drop takes an EXPERIMENT, the other actions take none")
    if words.action == "list":
        housekeeping.show()
    elif words.action == "verify":
        housekeeping.verify()
    elif words.action == "drop":
        housekeeping.drop(words.name, ask=not words.yes)
    else:
        housekeeping.collect(ask=not words.yes)


# How many names each action of `darkroom report` takes, at least and at most.
REPORT_NAMES = {"list": (0, 1), "open": (1, 1), "compare": (2, 2), "take-back": (1, 1)}

COMMANDS = {
    "run": run,
    "explain": explain,
    "experiments": experiments,
    "parameters": parameters,
    "classify": classify,
    "serve": serve,
    "report": report,
    "cache": cache,
}


def main(arguments: list[str] | None = None) -> int:
    """Do what the words say; 0 done, 1 failed, 2 wrong words, 130 interrupted."""
    top = parser()
    words = top.parse_args(arguments)
    if words.command is None:
        top.error(f"a COMMAND is needed: one of {', '.join(COMMANDS)}")
    for name, value in PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    if words.debug:
        os.environ["PREFECT_LOGGING_LEVEL"] = "DEBUG"
    else:
        # Prefect's background threads remark at exit that they are not quite done, under this name.
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)
    try:
        COMMANDS[words.command](words)
        sys.stdout.flush()
    except ParameterError as error:
        return _failed(error, WRONG_WORDS, debug=words.debug)
    except DarkroomError as error:
        return _failed(error, FAILED, debug=words.debug)
    except BrokenPipeError:  # whoever read, as in `| head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        again = "; run the same again to go on where it was" if words.command == "run" else ""
        print(f"stopped{again}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _failed(error, FAILED, debug=words.debug)
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


if __name__ == "__main__":
    sys.exit(main())
