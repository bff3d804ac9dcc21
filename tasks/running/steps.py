"""What a step is: a function with a name, and a key made of all that its result depends on.

A step's key is made of its name, the digests of its inputs, its parameters and a fingerprint of its
code (docs/explanation/caching-and-keys.md). Nothing here needs Prefect, which runs steps as tasks
(prefect_tasks.py): `darkroom explain` asks for keys alone.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from storage import digests
from storage.references import Reference
from tasks.running import code_fingerprint

CODE = "code"
# A step's own group of parameters; its fields are named after the step, as `--set` names them.
OWN = "parameters"


@dataclass(frozen=True)
class Step:
    """One of the pipeline's steps; called, it does its work and returns a reference.

    `without_effect` names inputs (`again`), or fields of inputs (`source.per_host_rate`), that
    change how a step is done, never what comes out.
    """

    name: str
    fn: Callable[..., Any]
    without_effect: frozenset[str] = frozenset()

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What the function gives, computed here and now."""
        return self.fn(*inputs, **named)

    @property
    def package(self) -> str:
        """The package whose code the key covers: `tasks.train`."""
        return self.fn.__module__.rpartition(".")[0]


def step(*, without_effect: Iterable[str] = ()) -> Callable[[Callable[..., Any]], Step]:
    """Make a function of `tasks/<step>/step.py` the step that is called so."""
    return lambda fn: Step(fn.__name__, fn, frozenset(without_effect))


def key_parts(step: Step, inputs: dict[str, Any]) -> dict[str, str]:
    """Everything that the result of a step depends on, as one flat table of texts.

    Inputs that are not given count with their defaults, those without effect do not count.
    Parameters have the names that `--set` takes.
    """
    bound = inspect.signature(step.fn).bind(**inputs)
    bound.apply_defaults()
    parts = {CODE: code_fingerprint.fingerprint(step.package)}
    for name, value in bound.arguments.items():
        if name not in step.without_effect:
            parts.update(_flat(step.name if name == OWN else name, value))
    return {name: text for name, text in parts.items() if name not in step.without_effect}


def _flat(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, Reference):
        return {name: value.digest}
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return {
            k: v for key, part in value.items() for k, v in _flat(f"{name}.{key}", part).items()
        }
    if isinstance(value, list | tuple):
        plain = [
            item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in value
        ]
        return {name: digests.as_text(plain)}
    return {name: digests.as_text(value)}


def key_of(step_name: str, parts: dict[str, str]) -> str:
    """The cache key: letters, digits and one dash (other separators are unsafe in Prefect)."""
    return f"{step_name}-{digests.of_value(parts)[:40]}"
