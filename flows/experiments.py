"""Experiments are deployments: their names and parameters, read from prefect.yaml."""

import contextlib
import difflib
import json
import re
import shlex
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flows.parameters import Experiment
from storage.errors import ParameterError
from tasks.code import PROJECT

PIPELINE = "pipeline"
DEPLOYMENTS = PROJECT / "deployments" / "prefect.yaml"
# Stands in a command for a file that is not known, as in a run that Prefect's worker started.
SOME_FILE = "EXPERIMENTS.yaml"
# Pydantic names the kind as well in these, but no parameter is called source.archive.archive.
OF_SEVERAL_KINDS = ("source", "model")
WANTS_TEXT = frozenset({"string_type", "path_type"})
SHOWN = 60
# What YAML refuses to read, or takes for the end of a line, unless it is escaped.
ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
# In a setting they end a name: `source.folder=here`.
ENDS_OF_NAMES = frozenset(".=")
UNREADABLE = (
    OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError,
)  # fmt: skip

Place = tuple[int | str, ...]

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
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = content["deployments"]
        return {str(item["name"]): _described(item) for item in found if _runs_pipeline(item)}
    except UNREADABLE as error:
        raise ParameterError(
            f"expected a list of deployments in {file}, found none ({error})"
        ) from error


def _runs_pipeline(deployment: dict[str, Any]) -> bool:
    flow = str(deployment.get("entrypoint", PIPELINE)).rpartition(":")[2]
    return flow == PIPELINE and "experiment" in deployment.get("parameters", {})


def _described(deployment: dict[str, Any]) -> dict[str, Any]:
    return deployment | {"description": str(deployment.get("description") or "")}


def load(name: str, settings: list[str], file: Path = DEPLOYMENTS) -> Experiment:
    """The experiment `name` with `settings` (`split.seed=7`) laid over its parameters."""
    known = deployments(file)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ParameterError(f"unknown experiment {name!r}{hint} Known: {', '.join(known)}")
    tree: dict[str, Any] = known[name]["parameters"]
    texts: dict[str, Any] = {}
    for setting in settings:
        path, value, written = _read(setting)
        _lay_over(tree, path, value)
        _lay_over(texts, path, written)
    return _validated(tree, texts)


def _read(setting: str) -> tuple[str, Any, Any]:
    """A setting's path and its value: as YAML has it, and with every number left as text."""
    path, sign, text = setting.partition("=")
    if not sign or not path:
        raise ParameterError(f"--set takes NAME=VALUE, as in split.seed=7; found {setting!r}")
    try:
        # BaseLoader makes texts, lists and tables, and nothing else.
        return path, yaml.safe_load(text), yaml.load(text, yaml.BaseLoader)  # noqa: S506
    # ValueError: 2024-13-45 is no day. RecursionError: a thousand brackets.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        shown = repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
        raise ParameterError(f"--set {path}: {shown} is not a value that YAML can read") from error


def _lay_over(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        inner = tree.setdefault(parent, {})
        if not isinstance(inner, dict):
            inner = tree[parent] = {}
        tree = inner
    tree[last] = value


def _validated(tree: dict[str, Any], texts: dict[str, Any]) -> Experiment:
    """The experiment; where it wants text, `2024` is what was written and not a number."""
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        for place in _wanting_text(error):
            _keep_text(tree, texts, place)
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        raise ParameterError(explained(error)) from error


def _wanting_text(error: ValidationError) -> list[Place]:
    problems = error.errors(include_url=False)
    return [
        _path(one["loc"])
        for one in problems
        if one["type"] in WANTS_TEXT and one["input"] is not None
    ]


def _keep_text(tree: Any, texts: Any, place: Place) -> None:
    # A key that is no text: the whole table is taken as it was written.
    *parents, last = place[:-2] if place[-1] == "[key]" else place
    with contextlib.suppress(KeyError, IndexError, TypeError):  # it was not given with --set
        for name in parents:
            tree, texts = tree[name], texts[name]
        tree[last] = texts[last]


def _path(place: Place) -> Place:
    return (place[0], *place[2:]) if place[:1] and place[0] in OF_SEVERAL_KINDS else place


def explained(error: ValidationError) -> str:
    """All that is wrong, one line each: where, what was found, what is expected."""
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(map(str, _path(problem["loc"]))) or "the experiment"
        found = problem["input"]
        shown = "" if isinstance(found, dict) else f" (found {found!r})"
        lines.append(f"{where}: {problem['msg']}{shown}")
    return "\n".join(lines)


def command(experiment: Experiment) -> str:
    """The command that runs this, with a --set for each parameter that is not the experiment's."""
    file, origin = _origin.get()
    name = origin or experiment.experiment
    words = ["darkroom", "run", name]
    own = _parameters(name, file)
    if own is None:
        return shlex.join([*words, "--file", SOME_FILE if file == DEPLOYMENTS else str(file)])
    words += [] if file == DEPLOYMENTS else ["--file", str(file)]
    now = experiment.model_dump(mode="json")
    for part in now:
        for place, value in _changes(own.get(part), now[part], part):
            words += ["--set", f"{place}={_as_yaml(value)}"]
    return shlex.join(words)


def _as_yaml(value: Any) -> str:
    """JSON that YAML reads the same: it would take an escaped emoji for two halves of one."""
    text = json.dumps(value, ensure_ascii=False)
    return ESCAPED.sub(lambda hit: f"\\u{ord(hit[0]):04x}", text)


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
        return Experiment.model_validate(found["parameters"]).model_dump(mode="json")
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
