"""Keras's Adam, each weight's step in one pass over memory."""

import functools
from typing import Any

from tasks.running.tensorflow import load_keras, load_tensorflow


@functools.cache
def fused_adam() -> Any:
    """A `keras.optimizers.Adam` with the same rule, variables and names, computed by one kernel.

    Keras writes the rule (Kingma and Ba, 2015, its "epsilon hat" form) as a dozen operations, each
    of which goes over all weights and moments: a third of the time of a network with large dense
    layers. TensorFlow's ResourceApplyAdam goes over them once.
    """
    tf = load_tensorflow()

    class FusedAdam(load_keras().optimizers.Adam):  # type: ignore[misc]
        """Without amsgrad, on the TensorFlow backend."""

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(variable)
            step = tf.cast(self.iterations.value + 1, tf.float32)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=tf.pow(self.beta_1, step),
                beta2_power=tf.pow(self.beta_2, step),
                lr=tf.cast(learning_rate, tf.float32),
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )

    return FusedAdam
