"""Experiments are deployments: their names and parameters, read from prefect.yaml."""

import contextlib
import copy
import difflib
import functools
import shlex
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flows.parameters import Experiment, FineTuned, FromScratch
from flows.settings import as_setting, experiment_of
from storage.errors import ParameterError
from tasks.running.code_fingerprint import PROJECT

PIPELINE = "pipeline"
DEPLOYMENTS = PROJECT / "deployments" / "prefect.yaml"
# Stands in a command for a file that is not known, as in a run that Prefect's worker started.
SOME_FILE = "EXPERIMENTS.yaml"
# In a setting they end a name: `source.folder=here`.
ENDS_OF_NAMES = frozenset(".=")
UNREADABLE = (
    OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError, RecursionError,
)  # fmt: skip

# The file, and the deployment's name where it is known.
_origin: ContextVar[tuple[Path, str | None]] = ContextVar("origin", default=(DEPLOYMENTS, None))


@contextlib.contextmanager
def read_from(file: Path, name: str | None = None) -> Iterator[None]:
    """What runs during the block is the deployment `name` of `file`: `command` names both.

    Without a name, that of the experiment.
    """
    token = _origin.set((file, name))
    try:
        yield
    finally:
        _origin.reset(token)


def deployments(file: Path = DEPLOYMENTS) -> dict[str, dict[str, Any]]:
    """Name -> deployment of the flow `pipeline`; its `description` is a text, '' without one."""
    try:
        text = file.read_text(encoding="utf-8")
        content = copy.deepcopy(_parsed(text, ours=file == DEPLOYMENTS))
        found = content["deployments"]
        runnable = [(str(item["name"]), _whole(item)) for item in found if _runs_pipeline(item)]
    except UNREADABLE as error:
        raise ParameterError(
            f"expected a list of deployments in {file}, found none ({error})"
        ) from error
    for name, number in Counter(name for name, _ in runnable).items():
        if number > 1:
            raise ParameterError(
                f"{file} has {number} deployments called {name!r}: give each a name of its own"
            )
    return dict(runnable)


@functools.lru_cache(maxsize=4)
def _parsed(text: str, *, ours: bool) -> Any:
    """The YAML value, parsed once: a command asks for the list again to name itself.

    Only what is `ours` by the fast parser in C: brackets in brackets would end the process.
    """
    fast = ours and yaml.__with_libyaml__
    return yaml.load(text, yaml.CSafeLoader if fast else yaml.SafeLoader)  # noqa: S506 - both safe


def _runs_pipeline(deployment: dict[str, Any]) -> bool:
    flow = str(deployment.get("entrypoint", PIPELINE)).rpartition(":")[2]
    parameters = deployment.get("parameters") or {}
    return flow == PIPELINE and ("experiment" in parameters or "source" in parameters)


def _whole(deployment: dict[str, Any]) -> dict[str, Any]:
    """With a description, and parameters that name the experiment: as the deployment, if not."""
    parameters = {"experiment": str(deployment["name"])} | deployment["parameters"]
    description = str(deployment.get("description") or "")
    return deployment | {"parameters": parameters, "description": description}


def load(name: str, settings: list[str], file: Path = DEPLOYMENTS) -> Experiment:
    """The experiment `name` with `settings` (`split.seed=7`) laid over its parameters."""
    known = deployments(file)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ParameterError(f"unknown experiment {name!r}{hint} Known: {', '.join(known)}")
    return experiment_of(known[name]["parameters"], settings)


def command(experiment: Experiment) -> str:
    """The command that runs this, with a --set for each parameter that is not the experiment's.

    Paths are absolute, so that it works wherever it is typed.
    """
    file, origin = _origin.get()
    name = origin or experiment.experiment
    words = ["darkroom", "run", name]
    own = _parameters(name, file)
    if own is None:
        return shlex.join([*words, "--file", SOME_FILE if file == DEPLOYMENTS else str(file)])
    words += [] if file == DEPLOYMENTS else ["--file", str(file)]
    now = experiment.model_dump()
    for part in now:
        for place, value in _changes(own.get(part), now[part], part):
            words += ["--set", as_setting(place, _absolute(value))]
    return shlex.join(words)


def _parameters(name: str, file: Path) -> dict[str, Any] | None:
    """All parameters of an experiment in `file`, with defaults; None if it is not there.

    Of one that is complete only with the settings it was run with, nothing but its name is known.
    """
    try:
        found = deployments(file).get(name)
    except ParameterError:  # the file went away during the run
        return None
    if found is None:
        return None
    try:
        return Experiment.model_validate(found["parameters"]).model_dump()
    except ValidationError:
        return {"experiment": name}


def _changes(before: Any, now: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Name and value of what differs, as deep in the tree as a name can say it."""
    tables = isinstance(before, dict) and isinstance(now, dict)
    if tables and before.keys() == now.keys() and ENDS_OF_NAMES.isdisjoint("".join(now)):
        for key in now:
            yield from _changes(before[key], now[key], f"{name}.{key}")
    elif before != now:
        yield name, now


def _absolute(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _absolute(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_absolute(one) for one in value]
    return value.absolute() if isinstance(value, Path) else value


def plan(experiment: Experiment) -> str:
    """What will be trained, on what, and how often, in a line."""
    model, training = experiment.model, experiment.training
    side = f"{model.extraction().image_size} pixels"
    if isinstance(model, FromScratch):
        what = f"{model.network} from scratch at {side}"
    else:
        on = f"{' and '.join(model.backbones)} at {side}"
        words = {"dense": "a dense head on", "linear": "the best of several linear heads on"}
        what = f"{words[model.head.kind]} {on}"
        if isinstance(model, FineTuned):
            what += f", tuned above {model.layer}"
        if model.views:
            what += f", {model.views} changed views of each training picture"
    if model.averaging != "none":
        what += ", seen with their mirror images"
    times = f", {training.repeats} times" if training.repeats > 1 else ""
    return f"{what}{times}; what is stored is not done again"
