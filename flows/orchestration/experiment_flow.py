"""What makes a function of an experiment a flow: one signature, one name, the same tags."""

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from prefect import Flow, flow, runtime
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from pydantic import BaseModel

from flows.orchestration.lost_runs import alive
from flows.orchestration.version import version
from flows.parameters import Experiment
from flows.settings import as_setting, experiment_of
from storage.workspace import Workspace

SET = "set"


def experiment_flow(function: Callable[..., Any]) -> Flow[..., Any]:
    """The flow that takes an experiment's groups, `set`, and what the function takes beside it.

    `set` changes single values, as `--set` does: `{"training.epochs": 5}`. The function is given
    the validated experiment. Runs are named after the experiment and the moment, and tagged with
    the experiment and the kind of its source.
    """
    own = list(inspect.signature(function).parameters.values())[1:]

    def run(**given: Any) -> Any:
        beside = {one.name: given.pop(one.name) for one in own}
        settings = [as_setting(name, value) for name, value in given.pop(SET).items()]
        _warn_of_dropped(given)
        experiment = experiment_of(_tree(given), settings)
        _tag([experiment.experiment, experiment.source.kind])
        with alive(Workspace.current().made()):
            return function(experiment, **beside)

    parameters = [*_groups(), _parameter(SET, dict[str, Any], {}), *map(_by_name, own)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(run, name, getattr(function, name))
    named = flow(flow_run_name=_run_name, version=version(), log_prints=False, retries=0)
    return named(run)


def _groups() -> Iterator[inspect.Parameter]:
    for name, field in Experiment.model_fields.items():
        default = inspect.Parameter.empty if field.is_required() else field.default
        yield _parameter(name, Experiment.__annotations__[name], default)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


def _by_name(one: inspect.Parameter) -> inspect.Parameter:
    return one.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _tree(given: dict[str, Any]) -> dict[str, Any]:
    """The groups as they were given: what is not said may still be set, or be a default."""
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, BaseModel):
        return value
    kind = {"kind": value.kind} if hasattr(value, "kind") else {}
    return value.model_dump(mode="json", exclude_unset=True) | kind


def _run_name() -> str:
    """`digits 2026-11-27 16:50:03`."""
    parameters = runtime.flow_run.parameters
    moment = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")[:19]
    return f"{parameters.get('experiment', runtime.flow_run.flow_name)} {moment}"


def _tag(tags: list[str]) -> None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    merged = {*context.flow_run.tags, *tags}
    get_client(sync_client=True).update_flow_run(context.flow_run.id, tags=sorted(merged))


def _warn_of_dropped(given: dict[str, Any]) -> None:
    """Say which of the deployment's values are gone because a group was given whole."""
    if runtime.deployment.id is None:
        return
    client = get_client(sync_client=True)
    before = client.read_deployment(runtime.deployment.id).parameters
    now = runtime.deployment.parameters
    for group in sorted(before.keys() & now.keys() & given.keys()):
        lost = sorted(_values(before[group], group).items() - _values(now[group], group).items())
        named = _values(now[group], group)
        dropped = [f"{name}={value}" for name, value in lost if name not in named]
        if dropped:
            get_run_logger().warning(
                f"{group} was given whole: {', '.join(dropped)} of the deployment no longer holds, "
                f'the defaults do. To change one value, pass set={{"{group}.NAME": VALUE}}'
            )


def _values(value: Any, name: str) -> dict[str, str]:
    if not isinstance(value, dict):
        return {name: json.dumps(value, sort_keys=True)}
    found: dict[str, str] = {}
    for key, part in value.items():
        found |= _values(part, f"{name}.{key}")
    return found
