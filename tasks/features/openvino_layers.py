"""Operations of OpenVINO, as efficientnet_lite.py asks for them: the same names as Keras's layers.

Inside channels come before rows and columns, as OpenVINO has them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tasks.running.openvino import load_openvino

SAME = {"pads_begin": [0, 0], "pads_end": [0, 0], "dilations": [1, 1], "auto_pad": "same_upper"}


class OpenVinoLayers:
    """Each method gives a node; its weights, as Keras has them, are the next of `arrays`.

    `nodes` are those that there are by now, by name.
    """

    def __init__(self, arrays: Iterator[np.ndarray]) -> None:
        self.arrays = arrays
        self.nodes: dict[str, Any] = {}
        load_openvino()
        from openvino import opset15

        self.operations: Any = opset15

    def filters(self, x: Any) -> int:
        """How many channels `x` has."""
        return int(x.get_output_partial_shape(0)[1].get_length())

    def convolved(self, x: Any, name: str, filters: int, kernel: int, stride: int) -> Any:
        """A convolution without a bias."""
        weights = next(self.arrays).transpose(3, 2, 0, 1)
        assert weights.shape[0] == filters and weights.shape[2] == kernel, name  # noqa: PT018
        found = self.operations.convolution(
            x, self._constant(weights), strides=[stride, stride], **SAME
        )
        return self._named(found, name)

    def convolved_by_channel(self, x: Any, name: str, kernel: int, stride: int) -> Any:
        """Each channel by itself, without a bias."""
        weights = next(self.arrays).transpose(2, 3, 0, 1)[:, :, None]
        assert weights.shape[-1] == kernel, name
        found = self.operations.group_convolution(
            x, self._constant(weights), strides=[stride, stride], **SAME
        )
        return self._named(found, name)

    def normal(self, x: Any, name: str, epsilon: float) -> Any:
        """Batch normalisation."""
        scale, offset, mean, variance = (self._constant(next(self.arrays)) for _ in range(4))
        found = self.operations.batch_norm_inference(x, scale, offset, mean, variance, epsilon)
        return self._named(found, name)

    def active(self, x: Any, name: str) -> Any:
        """Cut off below 0 and above 6."""
        return self._named(self.operations.clamp(x, 0.0, 6.0), name)

    def total(self, x: Any, y: Any, name: str) -> Any:
        """Of two tensors of the same shape."""
        return self._named(self.operations.add(x, y), name)

    def logits(self, x: Any, classes: int) -> Any:
        """The averages of the channels, then a dense layer."""
        weights, offset = next(self.arrays), next(self.arrays)
        assert weights.shape[1] == classes
        axes = np.array([2, 3])
        average = self._named(self.operations.reduce_mean(x, axes, keep_dims=False), "average")
        product = self.operations.matmul(
            average, self._constant(weights), transpose_a=False, transpose_b=False
        )
        return self._named(self.operations.add(product, self._constant(offset)), "logits")

    def _constant(self, values: np.ndarray) -> Any:
        return self.operations.constant(np.ascontiguousarray(values, np.float32))

    def _named(self, node: Any, name: str) -> Any:
        node.set_friendly_name(name)
        self.nodes[name] = node
        return node
