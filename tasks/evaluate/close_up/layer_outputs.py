"""What a layer gives while a model runs, however deep in nested models it lies."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tasks.running.tensorflow import load_keras


@contextlib.contextmanager
def watched(layer: Any, note: Callable[[Any], object]) -> Iterator[None]:
    """`note` is handed each output of `layer` as it is computed, before any other layer has it.

    Keras has no hooks, and the tensors of a nested model are not those of the model around it.
    """
    call = layer.call

    def noting(*given: Any, **options: Any) -> Any:
        output = call(*given, **options)
        note(output)
        return output

    layer.call = noting
    try:
        yield
    finally:
        layer.call = call


def layers_with_maps(model: Any) -> list[Any]:
    """Layers that give (n, height, width, channels), nested models opened, in their order."""
    keras = load_keras()
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += layers_with_maps(layer)
        elif gives_maps(layer):
            found.append(layer)
    return found


def gives_maps(layer: Any) -> bool:
    """Whether a layer gives (n, height, width, channels); an input computes nothing."""
    if isinstance(layer, load_keras().layers.InputLayer):
        return False
    output = getattr(layer, "output", None)
    return output is not None and not isinstance(output, list) and len(output.shape) == 4
