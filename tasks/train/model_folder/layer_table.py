"""A network as plain values: what layers it has, what each gives, which feeds which."""

from collections.abc import Iterator
from typing import Any

from tasks.running.tensorflow import load_keras

Row = dict[str, Any]


def described(model: Any) -> list[Row]:
    """One row per layer from input to output, the layers of nested models in their place.

    name, kind, shape (of its output, None where it is free), parameters, trainable (how many of
    them are trained), inside (the nested models around it, outermost first) and after (numbers of
    the rows that feed it).
    """
    rows: list[Row] = []
    _open(model, (), [], rows)
    return rows


def _open(model: Any, inside: tuple[str, ...], fed_by: list[int], rows: list[Row]) -> list[int]:
    """Append the model's rows; the numbers of those that give its output."""
    keras = load_keras()
    sources = _sources(model)
    ends: dict[str, list[int]] = {}
    last: list[int] = []
    for one in _operations(model):
        before = [number for name in sources[one.name] for number in ends.get(name, [])]
        if inside and isinstance(one, keras.layers.InputLayer):
            last = fed_by
        elif isinstance(one, keras.Model):
            last = _open(one, (*inside, one.name), before or fed_by, rows)
        else:
            rows.append(_row(one, inside, before or fed_by))
            last = [len(rows) - 1]
        ends[one.name] = last
    return last


def _operations(model: Any) -> list[Any]:
    """Layers, and the arithmetic between them where Keras keeps a graph."""
    return list(getattr(model, "operations", model.layers))


def _sources(model: Any) -> dict[str, list[str]]:
    """By name, what feeds each layer; the one before it where Keras keeps no graph."""
    names = [one.name for one in _operations(model)]
    if not hasattr(model, "operations"):
        return {name: names[max(0, place - 1) : place] for place, name in enumerate(names)}
    calls = {one["name"]: one["inbound_nodes"] for one in model.get_config()["layers"]}
    return {name: list(dict.fromkeys(_fed_by(calls.get(name)))) for name in names}


def _fed_by(node: Any) -> Iterator[str]:
    """The layers named by the tensors in serialised calls."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield node["keras_history"][0]
        for value in node.values():
            yield from _fed_by(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _fed_by(value)


def _row(one: Any, inside: tuple[str, ...], after: list[int]) -> Row:
    return {
        "name": one.name,
        "kind": type(one).__name__,
        "shape": _shape(one),
        "parameters": _count(getattr(one, "weights", [])),
        "trainable": _count(getattr(one, "trainable_weights", [])),
        "inside": list(inside),
        "after": after,
    }


def _shape(one: Any) -> list[int | None]:
    outputs = load_keras().tree.flatten(getattr(one, "output", None))
    return list(outputs[0].shape) if outputs and outputs[0] is not None else []


def _count(weights: list[Any]) -> int:
    total = 0
    for weight in weights:
        size = 1
        for side in weight.shape:
            size *= side
        total += size
    return total
