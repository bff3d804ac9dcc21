"""Initial weights depend on the seed alone."""

import random
import threading

import numpy as np

from tasks.train.networks import build_network
from tasks.train.parameters import Network
from tasks.train.randomness import start_from


def weights(seed):
    start_from(seed)
    model = build_network(Network(network="lenet5"), (32, 32, 1), 3)
    return np.concatenate([array.ravel() for array in model.get_weights()])


def test_other_threads_that_draw_change_no_weights():
    alone = weights(1)
    assert not np.array_equal(weights(2), alone)
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()

    beside = threading.Thread(target=draw)
    beside.start()
    try:
        assert all(np.array_equal(weights(1), alone) for _ in range(3))
    finally:
        stop.set()
        beside.join()


def test_the_numbers_are_those_of_pythons_generator_with_this_seed():
    from keras.src.random import seed_generator

    start_from(5)
    assert seed_generator.make_default_seed() == random.Random(5).randint(1, 10**9)
