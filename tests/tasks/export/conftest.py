"""A real Keras model that tells pictures by their colour, as a training leaves it."""

from tests.tasks.classify.conftest import model_folder

__all__ = ["model_folder"]
