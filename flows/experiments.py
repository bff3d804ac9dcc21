"""Experiments are deployments: their names and parameters, read from prefect.yaml."""

import difflib
import json
import shlex
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flows.parameters import Experiment
from storage.errors import ParameterError
from tasks.code import PROJECT

PIPELINE = "pipeline"
DEPLOYMENTS = PROJECT / "deployments" / "prefect.yaml"


def deployments(file: Path = DEPLOYMENTS) -> dict[str, dict[str, Any]]:
    """Name -> deployment of the flow `pipeline`."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = content["deployments"]
        return {item["name"]: item for item in found if _runs_pipeline(item)}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(
            f"expected a list of deployments in {file}, found none ({error})"
        ) from error


def _runs_pipeline(deployment: dict[str, Any]) -> bool:
    flow = str(deployment.get("entrypoint", PIPELINE)).rpartition(":")[2]
    return flow == PIPELINE and "experiment" in deployment.get("parameters", {})


def load(name: str, settings: list[str], file: Path = DEPLOYMENTS) -> Experiment:
    """The experiment `name` with `settings` (`split.seed=7`) laid over its parameters."""
    known = deployments(file)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ParameterError(f"unknown experiment {name!r}{hint} Known: {', '.join(known)}")
    tree = known[name]["parameters"]
    for setting in settings:
        _lay_over(tree, setting)
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        raise ParameterError(explained(error)) from error


def _lay_over(tree: dict[str, Any], setting: str) -> None:
    path, sign, text = setting.partition("=")
    if not sign or not path:
        raise ParameterError(f"--set takes NAME=VALUE, as in split.seed=7; found {setting!r}")
    *parents, last = path.split(".")
    for parent in parents:
        inner = tree.setdefault(parent, {})
        if not isinstance(inner, dict):
            inner = tree[parent] = {}
        tree = inner
    try:
        tree[last] = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2024-13-45 is no day
        raise ParameterError(f"--set {path}: {text!r} is not a value that YAML can read") from error


def _path(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    # Pydantic names the source's kind as well, but no parameter is called source.archive.archive.
    return (place[0], *place[2:]) if place[:1] == ("source",) else place


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
    known = deployments()
    words = ["darkroom", "run", experiment.experiment]
    if experiment.experiment not in known:
        return shlex.join([*words, "--file", "EXPERIMENTS.yaml"])
    own = Experiment.model_validate(known[experiment.experiment]["parameters"])
    before, now = (one.model_dump(mode="json") for one in (own, experiment))
    if before["source"]["kind"] != now["source"]["kind"]:
        words += ["--set", f"source={json.dumps(now['source'])}"]
        before["source"] = now["source"]
    before, now = _flat(before), _flat(now)
    for name in (name for name in now if now[name] != before.get(name)):
        words += ["--set", f"{name}={json.dumps(now[name])}"]
    return shlex.join(words)


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        inner = _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {}
        leaves.update(inner or {f"{prefix}{name}": value})
    return leaves
