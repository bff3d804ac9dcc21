"""Keras layers and an optimiser of our own, where Keras's are slower or missing."""
