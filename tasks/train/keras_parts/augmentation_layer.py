"""Pictures changed at random while a network trains: a Keras layer in the input pipeline."""

from typing import Any

from tasks.pictures.parameters import FillMode
from tasks.running.tensorflow import load_keras


def warping(fill_mode: FillMode) -> Any:
    """A Keras layer: (n, side, side, channels) pictures and (n, 2, 3) maps to changed pictures.

    The maps are those of `tasks.pictures.augmentation`; what comes out is float32.
    """
    keras = load_keras()
    ops = keras.ops

    class Warping(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """One interpolation, however many changes a map is made of."""

        def call(self, pictures: Any, maps: Any) -> Any:
            flat = ops.concatenate(
                [ops.reshape(maps, (-1, 6)), ops.zeros((ops.shape(maps)[0], 2))], axis=1
            )
            # On uint8 the interpolation would cut off instead of rounding, and take twice as long.
            return ops.image.affine_transform(
                ops.cast(pictures, "float32"), flat, interpolation="bilinear", fill_mode=fill_mode
            )

    return Warping(autocast=False, name="warping")
