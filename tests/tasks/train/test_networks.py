"""Networks from scratch: as published, to the last parameter."""

import numpy as np
import pytest

from tasks.running.tensorflow import load_keras
from tasks.train.networks import NETWORKS, build_network
from tasks.train.parameters import Network


def network(name, side, classes, channels=3, **options):
    return build_network(Network(network=name, **options), (side, side, channels), classes)


@pytest.mark.parametrize(
    ("name", "side", "channels", "classes", "parameters"),
    [
        # Published by the tutorial.
        ("baseline_convnet", 150, 3, 2, 3_453_121),
        # 896 + 9,248 + 18,496 of convolutions, 18 x 18 x 64 flattened to 64, softmax of 2.
        ("small_convnet", 150, 3, 2, 28_640 + (18 * 18 * 64 + 1) * 64 + 130),
        # One column with 1,000 outputs has 62,378,344; the tutorial adds a softmax behind them.
        ("alexnet", 227, 3, 2, 62_378_344 + 2_002),
        # LeCun et al. 1998, with full connections from S2 to C3 and a softmax.
        ("lenet5", 32, 1, 10, 61_706),
        # Five convolutions, batch normalisation (4 per channel), 8 x 8 x 128 flattened to 1,024.
        ("smaller_vgg", 96, 3, 5, 277_760 + 4 * 416 + 8_389_632 + 4 * 1_024 + 5_125),
    ],
)
def test_parameters_are_as_published(name, side, channels, classes, parameters):
    assert network(name, side, classes, channels).count_params() == parameters


def shapes(model, *names):
    return [model.get_layer(name).output.shape[1:] for name in names]


def test_feature_maps_of_the_baseline_have_the_published_sizes():
    model = network("baseline_convnet", 150, 2)
    names = ("conv_1", "pool_1", "conv_2", "pool_2", "conv_3", "pool_3", "conv_4", "pool_4")
    sides = [(148, 32), (74, 32), (72, 64), (36, 64), (34, 128), (17, 128), (15, 128), (7, 128)]
    assert shapes(model, *names) == [(side, side, maps) for side, maps in sides]
    assert model.output_shape == (None, 1)


def test_feature_maps_of_alexnet_have_the_published_sizes():
    model = network("alexnet", 227, 2)
    names = ("conv_1", "pool_1", "conv_2", "pool_2", "conv_3", "conv_4", "conv_5", "pool_5")
    sides = [(55, 96), (27, 96), (27, 256), (13, 256), (13, 384), (13, 384), (13, 256), (6, 256)]
    assert shapes(model, *names) == [(side, side, maps) for side, maps in sides]
    assert shapes(model, "dense_6", "dense_7", "dense_8") == [(4096,), (4096,), (1000,)]


def test_feature_maps_of_lenet5_have_the_published_sizes():
    model = network("lenet5", 32, 10, channels=1)
    assert shapes(model, "c1", "s2", "c3", "s4", "c5", "f6") == [
        (28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (120,), (84,)
    ]  # fmt: skip


def test_smaller_vgg_has_the_published_layers():
    model = network("smaller_vgg", 96, 5)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == 5
    assert kinds.count("BatchNormalization") == 6
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.25] * 3 + [0.5]
    assert shapes(model, "pool_1", "pool_2", "pool_3") == [(32, 32, 32), (16, 16, 64), (8, 8, 128)]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_sum_to_one_or_are_one_sigmoid(name, classes):
    side = 72 if name == "alexnet" else 48
    model = network(name, side, classes)
    out = np.asarray(model(np.random.default_rng(1).uniform(0, 255, (2, side, side, 3))))
    if out.shape[1] == 1:
        assert (classes, name) == (2, "baseline_convnet")
        assert ((out > 0) & (out < 1)).all()
    else:
        assert out.shape == (2, classes)
        assert out.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["small_convnet", "baseline_convnet", "alexnet"])
def test_dropout_is_an_option_that_adds_no_parameter(name):
    side = 72 if name == "alexnet" else 48
    plain, dropped = network(name, side, 2), network(name, side, 2, dropout=0.4)
    assert plain.count_params() == dropped.count_params()
    rates = [layer.rate for layer in dropped.layers if type(layer).__name__ == "Dropout"]
    assert 0.4 in rates


def test_local_response_normalisation_is_that_of_the_paper(tmp_path):
    model = network("alexnet", 72, 2, local_response_normalisation=True)
    assert model.count_params() == network("alexnet", 72, 2).count_params()
    keras = load_keras()
    given = np.random.default_rng(1).uniform(0, 255, (1, 72, 72, 3)).astype(np.float32)
    after = model.get_layer("pool_1").input
    before = np.asarray(keras.Model(model.input, model.get_layer("conv_1").output)(given))
    found = np.asarray(keras.Model(model.input, after)(given))
    import tensorflow as tf

    theirs = tf.nn.local_response_normalization(before, 2, bias=2.0, alpha=1e-4, beta=0.75)
    assert found == pytest.approx(theirs.numpy(), rel=1e-4, abs=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert np.asarray(again(given)) == pytest.approx(np.asarray(model(given)), abs=1e-5)


def test_bfloat16_keeps_weights_and_probabilities_in_float32():
    model = network("baseline_convnet", 48, 2, precision="bfloat16")
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    assert model.get_layer("conv_2").compute_dtype == "bfloat16"
    assert model.output.dtype == "float32"
    assert load_keras().config.dtype_policy().name == "float32"


def test_the_same_network_has_the_same_names_every_time():
    first, second = (network("smaller_vgg", 48, 3) for _ in range(2))
    assert first.get_config() == second.get_config()
