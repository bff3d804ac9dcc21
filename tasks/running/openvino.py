"""The one door to OpenVINO: imported when something is computed with it, and not before."""

import functools
import itertools
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from storage.errors import MissingLibrary
from tasks.running.tensorflow import load_tensorflow

# What is used here has been the same since then.
OLDEST = 2025
TYPES = {"float32": "f32", "bfloat16": "bf16"}
INSTALL = "install it with `pip install openvino`, or set model.runtime=tensorflow"


@functools.cache
def load_openvino() -> Any:
    """The module openvino. MissingLibrary where it is missing, broken or too old."""
    # It would report each import to its makers over the network; without this package it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise MissingLibrary(
            f"OpenVINO cannot start ({str(error)[:200]}): expected the package openvino; {INSTALL}"
        ) from error
    if int(openvino.__version__.partition(".")[0]) < OLDEST:
        raise MissingLibrary(
            f"expected OpenVINO {OLDEST} or later, found {openvino.__version__}; {INSTALL}"
        )
    # Its two tables of types are made when first used. Two threads that do so at once may wait for
    # each other for ever: one makes the table and wants Python's lock, which the other holds.
    openvino.Type.f32.to_dtype()
    openvino.Type(np.float32)
    return openvino


@functools.cache
def core() -> Any:
    """OpenVINO's entrance, one for the process: with the last one its plugins would be unloaded,
    while threads of theirs may still be at work.
    """
    return load_openvino().Core()


def compiled(model: Any, precision: str, *, streams: int) -> Any:
    """A model of OpenVINO's, compiled.

    It computes in `precision`, `streams` requests at once, each on one core where there are
    several. MissingLibrary where OpenVINO cannot compile it for this processor.
    """
    options = {
        "INFERENCE_PRECISION_HINT": TYPES[precision],
        "NUM_STREAMS": str(streams),
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
    }
    try:
        return core().compile_model(model, "CPU", options)
    except RuntimeError as error:
        raise MissingLibrary(
            f"OpenVINO cannot compile the network for this processor ({_first_line(error)}): set "
            "model.runtime=tensorflow"
        ) from error


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().partition("\n")[0][:200]


def of_keras(model: Any, shape: tuple[int | None, ...]) -> Any:
    """OpenVINO's form of a Keras model for one input of `shape`, in float32.

    MissingLibrary where OpenVINO does not know one of its layers.
    """
    tf = load_tensorflow()
    groups = (model.trainable_variables, model.non_trainable_variables)
    weights = [[np.asarray(one) for one in variables] for variables in groups]
    # Weights are inputs of the graph, so that it stays small, and become constants of the network.
    inputs = [tf.TensorSpec(shape, tf.float32, "pictures")]
    inputs += [tf.TensorSpec(one.shape, one.dtype) for one in itertools.chain(*weights)]
    first = len(weights[0])
    function = tf.function(
        lambda x, *w: model.stateless_call(w[:first], w[first:], x, training=False)[0],
        input_signature=inputs,
        autograph=False,
    )
    traced = function.get_concrete_function()
    # What layers hold beside their weights (a mean, a variance) are the last inputs.
    held = [*itertools.chain(*weights), *map(np.asarray, traced.captured_inputs)]
    graph = traced.graph
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.pb"
        path.write_bytes(graph.as_graph_def().SerializeToString())
        try:
            network = core().read_model(path)
        except RuntimeError as error:
            raise MissingLibrary(
                f"OpenVINO cannot read the network {model.name} ({_first_line(error)}): set "
                "model.runtime=tensorflow"
            ) from error
    names = [one.name for one in graph.inputs[1:]]
    _bind(network, dict(zip(names, held, strict=True)))
    return network


def _bind(network: Any, values: dict[str, np.ndarray]) -> None:
    """Put constants in the place of the inputs of these names."""
    load_openvino()
    from openvino import opset15, passes

    for result in network.get_results():
        if result.input_value(0).get_node().get_type_name() == "Parameter":
            network.remove_result(result)  # a weight that nothing uses
    for parameter in network.get_parameters():
        name = parameter.get_friendly_name()
        if name in values:
            constant = opset15.constant(values[name])
            constant.set_friendly_name(name)
            parameter.output(0).replace(constant.output(0))
            network.remove_parameter(parameter)
    # Weights are turned round for OpenVINO once, here, and not whenever it loads them.
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(network)


def one_by_one(network: Any, kind: type = np.float32) -> Callable[[np.ndarray], np.ndarray]:
    """A function of one picture, (height, width, 3) float32, for any thread; it gives `kind`.

    Each thread has a request of its own: as many run at once as the network has streams.
    """
    own = threading.local()

    def compute(pixels: np.ndarray) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = network.create_infer_request()
        (output,) = own.request.infer(pixels[None], share_inputs=True).values()
        return np.array(output[0], kind)

    return compute
