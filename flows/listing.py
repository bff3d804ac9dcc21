"""`darkroom parameters`: what `--set` takes, read off the models of an experiment's parameters."""

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flows.parameters import Experiment

# The field that says which of several models a group is.
KIND = "kind"
TABLE = "table or null"
REQUIRED = ", required"
WORDS = {
    bool: "true | false",
    int: "integer",
    float: "number",
    str: "text",
    Path: "path",
    NoneType: "null",
}
SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
# Where explanations begin: nearly all names and values end before it.
COLUMN = 47
NARROWEST = 80

Table = type[BaseModel]


class Parameter(NamedTuple):
    """One name for `--set`; `value` is YAML, None where it must be given or is a table."""

    name: str
    value: str | None
    takes: str
    about: str


class Section(NamedTuple):
    """The parameters of a group, or of one of the kinds it may be."""

    heading: str
    parameters: tuple[Parameter, ...]


def lines(experiment: Experiment | None, width: int) -> Iterator[str]:
    """What the command prints, in lines of `width`; only a value is never broken."""
    width = max(width, NARROWEST)
    for section in sections(experiment):
        if section.heading:
            yield ""
            yield from textwrap.wrap(section.heading, width)
        for parameter in section.parameters:
            yield from _written(parameter, width)


def sections(experiment: Experiment | None = None) -> Iterator[Section]:
    """The experiment's values group by group; without one, the defaults, of every kind."""
    for group, field in Experiment.model_fields.items():
        value = _value(experiment, group, field)
        kinds = _tables(field.annotation)
        if not kinds:
            yield Section("", (_parameter(group, field, value),))
        for table in kinds:
            if experiment is None or isinstance(value, table):
                yield _section(group, table, value, kinds)


def kinds(group: str) -> dict[str, Table]:
    """The kinds that a group may be of, and their models; none where there is but one."""
    field = Experiment.model_fields.get(group)
    tables = _tables(field.annotation) if field else ()
    return {_kind(table): table for table in tables} if len(tables) > 1 else {}


def kinds_with(name: str) -> list[str]:
    """The kinds that have a parameter or a table of this name: ["archive", "web_archive"]."""
    group, _, rest = name.partition(".")
    field = rest.partition(".")[0]
    return [kind for kind, table in kinds(group).items() if field in table.model_fields]


def names() -> list[str]:
    """All parameters there are, each once."""
    within = chain.from_iterable(section.parameters for section in sections())
    return list(dict.fromkeys(parameter.name for parameter in within))


def _section(group: str, table: Table, value: Any, kinds: tuple[Table, ...]) -> Section:
    parameters = tuple(_walk(table, value, f"{group}."))
    if len(kinds) == 1:
        return Section(f"{group}: {_summary(table)}", parameters)
    first = Parameter(f"{group}.{KIND}", _kind(table), " | ".join(map(_kind, kinds)), "")
    others = (parameter for parameter in parameters if parameter.name != first.name)
    return Section(f"{group}, kind {first.value}: {_summary(table)}", (first, *others))


def _walk(table: Table, values: Any, prefix: str) -> Iterator[Parameter]:
    """The parameters of a table and of the tables in it; defaults where `values` is no such one."""
    values = values if isinstance(values, table) else None
    for name, field in table.model_fields.items():
        value = _value(values, name, field)
        inner = _tables(field.annotation)
        for one in inner:
            if NoneType in get_args(field.annotation):
                text = "null" if value is None else None
                yield Parameter(prefix + name, text, TABLE, field.description or _summary(one))
            yield from _walk(one, value, f"{prefix}{name}.")
        # What can only be null is there for the code.
        if not inner and field.annotation is not NoneType:
            yield _parameter(prefix + name, field, value)


def _value(values: BaseModel | None, name: str, field: FieldInfo) -> Any:
    if values is None:
        return field.get_default(call_default_factory=True, validated_data={})
    return getattr(values, name)


def _parameter(name: str, field: FieldInfo, value: Any) -> Parameter:
    takes = _takes(field.annotation, field.metadata)
    if value is PydanticUndefined:
        return Parameter(name, None, takes + REQUIRED, field.description or "")
    return Parameter(name, _as_yaml(value), takes, field.description or "")


def _as_yaml(value: Any) -> str:
    """A value on one line, as `--set` reads it; a list's items without what they have anyway."""
    plain = TypeAdapter(Any).dump_python(value, mode="json", exclude_defaults=True)
    text = yaml.safe_dump(
        plain, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return text.removesuffix("...\n").strip()


def _tables(annotation: Any) -> tuple[Table, ...]:
    """The models that a value may be."""
    if get_origin(annotation) is Annotated:
        return _tables(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(chain.from_iterable(map(_tables, get_args(annotation))))
    return (annotation,) if _is_table(annotation) else ()


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind(table: Table) -> str:
    (kind,) = get_args(table.model_fields[KIND].annotation)
    return str(kind)


def _summary(table: Table) -> str:
    paragraph, _, _ = (inspect.getdoc(table) or "").partition("\n\n")
    return " ".join(paragraph.split())


def _takes(annotation: Any, marks: Sequence[Any] = ()) -> str:
    """What fits, in a few words: `number >= 0 and < 1`, `best | last`, `path or null`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _takes(parts[0], list(chain.from_iterable(map(_marks, parts[1:]))))
    if origin in (Union, UnionType):
        return " or ".join(map(_takes, parts))
    if origin is Literal:
        return " | ".join(map(str, parts))
    if origin is tuple:
        return f"list of {_takes(parts[0])}"
    if origin is dict:
        return f"table of {_takes(parts[1])}"
    return _fields(annotation) if _is_table(annotation) else _bounded(WORDS[annotation], marks)


def _marks(mark: Any) -> list[Any]:
    return mark.metadata if isinstance(mark, FieldInfo) else [mark]


def _fields(table: Table) -> str:
    fields = table.model_fields.items()
    takes = (f"{name}: {_takes(field.annotation, field.metadata)}" for name, field in fields)
    return f"{{{', '.join(takes)}}}"


def _bounded(word: str, marks: Sequence[Any]) -> str:
    bounds = [
        f"{sign} {getattr(mark, name):,}"
        for name, sign in SIGNS.items()
        for mark in marks
        if hasattr(mark, name)
    ]
    return f"{word} {' and '.join(bounds)}".strip()


def _written(parameter: Parameter, width: int) -> list[str]:
    left = "  " + parameter.name + ("" if parameter.value is None else f"={parameter.value}")
    right = f"({parameter.takes}) {parameter.about}"
    indent = " " * COLUMN
    wrapped = textwrap.wrap(
        right, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    if len(left) + 2 > COLUMN:
        return [left, *wrapped]
    return [left.ljust(COLUMN) + wrapped[0].lstrip(), *wrapped[1:]]
