"""A model for other runtimes: written by Keras, and compared with itself before anybody uses it."""
