"""What `--set` says, laid over an experiment's parameters, and what is wrong with them."""

import contextlib
import difflib
import json
import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flows import listing
from flows.parameters import Experiment
from storage.errors import ParameterError

WANTS_TEXT = frozenset({"string_type", "path_type"})
SHOWN = 60
DEEPEST = 5  # names of parameters are not longer
# What YAML refuses to read, or takes for the end of a line, unless it is escaped.
ESCAPED = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")

Place = tuple[int | str, ...]


def as_setting(name: str, value: Any) -> str:
    """`name=value` as `--set` takes it and reads it again; a path becomes its text.

    JSON that YAML reads the same: it would take an escaped emoji for two halves of one.
    """
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{name}=" + ESCAPED.sub(lambda hit: f"\\u{ord(hit[0]):04x}", text)


def experiment_of(tree: dict[str, Any], settings: Sequence[str]) -> Experiment:
    """The experiment of a tree with `settings` (`split.seed=7`) laid over it.

    Where a setting makes the source or the model one of another kind, what the tree says that this
    kind does not have is left out. ParameterError, a line for each, at what is wrong.
    """
    texts: dict[str, Any] = {}
    read = [_read(setting) for setting in settings]
    for path, value, _ in read:
        _leave_other_kinds(tree, path, value)
    for path, value, written in read:
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
    # ValueError: 2024-13-45 is no day. AttributeError: nor is !!timestamp x. LookupError: !!bool x.
    # RecursionError: a thousand brackets.
    except (yaml.YAMLError, ValueError, AttributeError, LookupError, RecursionError) as error:
        shown = _shortened(repr(text))
        raise ParameterError(f"--set {path}: {shown} is not a value that YAML can read") from error


def _leave_other_kinds(tree: dict[str, Any], path: str, value: Any) -> None:
    """Drop what only the kind before has, where `path` sets another one (`source.kind`)."""
    group, _, name = path.partition(".")
    before = tree.get(group)
    if name != listing.KIND or not isinstance(value, str) or not isinstance(before, dict):
        return
    kind = listing.kinds(group).get(value)
    if kind is not None:
        fields = kind.model_fields
        tree[group] = {field: given for field, given in before.items() if field in fields}


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
    """Where something is, as `--set` says it: Pydantic names the kind as well."""
    named = place[:1] and listing.kinds(str(place[0]))
    return (place[0], *place[2:]) if named else place


def explained(error: ValidationError) -> str:
    """All that is wrong, one line each: where, what was found, what is expected."""
    return "\n".join(map(_line, error.errors(include_url=False)))


def _line(problem: ErrorDetails) -> str:
    place, found = _path(problem["loc"]), problem["input"]
    unknown = problem["type"] == "extra_forbidden"
    while unknown and isinstance(found, dict) and len(found) == 1 and len(place) < DEEPEST:
        ((name, found),) = found.items()
        place = (*place, name)
    where = _shortened(".".join(map(str, place))) or "the experiment"
    shown = "" if isinstance(found, dict) else f" (found {_shortened(repr(found))})"
    text = _unknown(where, problem["loc"]) if unknown else problem["msg"]
    text = f"is needed: --set {where}=…" if problem["type"] == "missing" else text
    return f"{where}: {text}{shown}"


def _unknown(where: str, loc: Place) -> str:
    """That there is no such name here, and which one may have been meant."""
    of_other_kinds = listing.kinds_with(where)
    if of_other_kinds:
        return f"only for kind {' or '.join(of_other_kinds)}, this is of kind {loc[1]}"
    known = listing.names()
    last = where.rpartition(".")[2]
    close = [name for name in known if name.rpartition(".")[2] == last]
    close = difflib.get_close_matches(where, known, n=1, cutoff=0.8) or close
    hint = f"; did you mean {close[0]}?" if close else ", see `darkroom parameters`"
    return f"no such parameter{hint}"


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
