"""What TensorFlow is measured by: the tutorial's way, ours, and the product of two matrices.

All networks are 3 channels to 3, as the tutorial's photographs are, so that every side has the same
work.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import random_model
from head import head
from numpy.typing import NDArray
from oasis_gan_keras.backend import keras, make_deterministic, start_devices, tf
from oasis_gan_pix2pix import networks
from oasis_gan_pix2pix.prediction import LinearPrediction
from oasis_gan_pix2pix.recipe import Recipe
from oasis_gan_pix2pix.trainer import Pix2PixTrainer
from oasis_gan_pix2pix.translator import StoredGenerator
from rounds import Prepared, Work

from oasis_gan import OASIS

Tensor = Any
Answers = list[NDArray[np.float32]]
CHANNELS = 3
_STEPS = 10**6  # of a training that nobody sees the end of


def prepared(work: Work) -> Prepared:
    """Return work made ready."""
    start_devices()
    keras.utils.set_random_seed(work.seed)
    makers: dict[tuple[str, str], Callable[[Work], Prepared]] = {
        ("tutorial", "inference"): _tutorial_inference,
        ("tutorial", "training"): _tutorial_training,
        ("ours", "inference"): _our_inference,
        ("ours", "training"): _our_training,
    }
    if work.what == "product":
        return _product(work)
    return makers[work.side.partition("-")[0], work.what](work)


def gflop(network: keras.Model, size: int) -> float:
    """Return the operations of a network's convolutions for one slice, in 10^9.

    The slice has ``size`` rows and columns. A multiplication and an addition are two. A convolution
    multiplies its kernel with each pixel that it gives out, a transposed one with each that it
    takes.
    """
    transposed = keras.layers.Conv2DTranspose
    layers = [
        layer for layer in network.layers if isinstance(layer, (keras.layers.Conv2D, transposed))
    ]
    seen = keras.Model(network.inputs, [layer.output for layer in layers])
    shapes = seen.compute_output_shape((1, size, size, network.inputs[0].shape[-1]))
    operations = 0
    for layer, (_, rows, columns, _) in zip(layers, shapes, strict=True):
        pixels = rows * columns // (layer.strides[0] ** 2 if isinstance(layer, transposed) else 1)
        operations += 2 * pixels * int(np.prod(layer.kernel.shape))
    return operations / 1e9


def _tutorial_inference(work: Work) -> Prepared:
    """Call the Keras model as it is, slice by slice, in training mode, as the tutorial does."""
    model, _ = _tutorial_networks(work)
    slices, _ = head(work.size)
    sources = [tf.constant(one[np.newaxis]) for one in slices]

    def call() -> Answers:
        return [model(source, training=True).numpy() for source in sources]

    return Prepared(call, len(slices), "float32", gflop(model, work.size))


def _tutorial_training(work: Work) -> Prepared:
    """Do the tutorial's step: one slice, two tapes, cross-entropy not halved, 100 times L1."""
    generator, discriminator = _tutorial_networks(work)
    generator_optimizer, discriminator_optimizer = (
        keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)
    )
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function  # type: ignore[untyped-decorator]
    def step(source: Tensor, target: Tensor) -> Tensor:
        with tf.GradientTape() as for_generator, tf.GradientTape() as for_discriminator:
            generated = generator(source, training=True)
            on_real = discriminator(tf.concat([source, target], -1), training=True)
            on_generated = discriminator(tf.concat([source, generated], -1), training=True)
            l1 = tf.reduce_mean(tf.abs(target - generated))
            generator_loss = entropy(tf.ones_like(on_generated), on_generated) + 100 * l1
            discriminator_loss = entropy(tf.ones_like(on_real), on_real)
            discriminator_loss += entropy(tf.zeros_like(on_generated), on_generated)
        gradients = for_generator.gradient(generator_loss, generator.trainable_variables)
        generator_optimizer.apply_gradients(
            zip(gradients, generator.trainable_variables, strict=True)
        )
        gradients = for_discriminator.gradient(
            discriminator_loss, discriminator.trainable_variables
        )
        discriminator_optimizer.apply_gradients(
            zip(gradients, discriminator.trainable_variables, strict=True)
        )
        return generator_loss

    source, target = (tf.constant(slices) for slices in _slices(work, 1))
    return Prepared(
        lambda: step(source, target).numpy(),
        1,
        "float32",
        _of_a_step(generator, discriminator, work.size),
    )


def _tutorial_networks(work: Work) -> tuple[keras.Model, keras.Model]:
    recipe = _preset("tensorflow-tutorial", work)
    generator = networks.build_generator(recipe.generator, CHANNELS, CHANNELS)
    return generator, networks.build_discriminator(recipe.discriminator, CHANNELS, CHANNELS)


def _our_inference(work: Work) -> Prepared:
    """Do what `oasis-gan run` does with the slices of a head, from a model folder on."""
    with tempfile.TemporaryDirectory() as folder:
        random_model.write(Path(folder), work.size, work.filters, work.levels, OASIS, work.seed)
        generator = StoredGenerator(
            Path(folder), precision="auto" if work.side == "ours-auto" else None
        )
    plain = networks.build_generator(_preset("paper", work).generator, CHANNELS, CHANNELS)
    slices, mask = head(work.size)
    if work.side.endswith("-whole"):
        mask = np.ones_like(mask)
    batches = [
        (slices[n : n + work.batch], mask[n : n + work.batch])
        for n in range(0, len(slices), work.batch)
    ]
    needed = gflop(plain, work.size)
    return Prepared(
        lambda: [generator.generate(*b) for b in batches], len(slices), generator.precision, needed
    )


def _our_training(work: Work) -> Prepared:
    """Do what `oasis-gan train` does with a batch, with the paper's networks and losses."""
    make_deterministic(work.seed)
    prediction = LinearPrediction(np.full((CHANNELS, CHANNELS), 1 / CHANNELS, np.float32), 1.0)
    precision = "float32" if work.side == "ours-float32" else "auto"
    recipe = _preset("paper", work, batch=work.batch, seed=work.seed, precision=precision)
    trainer = Pix2PixTrainer(recipe, prediction, _STEPS)
    source, target = _slices(work, work.batch)
    step = itertools.count()
    needed = _of_a_step(trainer.generator, trainer.discriminator, work.size)

    def update() -> list[float]:
        return list(trainer.update(next(step), source, target).values())

    return Prepared(update, work.batch, trainer.precision, needed)


def _product(work: Work) -> Prepared:
    """Multiply two square matrices; in GFLOP."""
    precision = work.side.partition("-")[2]
    one, other = (tf.cast(tf.random.normal((work.size, work.size)), precision) for _ in range(2))
    return Prepared(
        lambda: tf.linalg.matmul(one, other)[0, 0].numpy(), 2 * work.size**3 / 1e9, precision
    )


def _preset(name: str, work: Work, **changes: int | str) -> Recipe:
    return random_model.preset(name, work.size, work.filters, work.levels, **changes)


def _slices(work: Work, batch: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(work.seed)
    source, target = (
        rng.random((batch, work.size, work.size, CHANNELS), np.float32) for _ in range(2)
    )
    return source, target


def _of_a_step(generator: keras.Model, discriminator: keras.Model, size: int) -> float:
    """Return what an update needs for one image, in GFLOP.

    A gradient by weights costs as much as the network itself, and so does one by what it is given.
    The generator: 1 forward, 2 back. The discriminator: 2 forward, on the real and the generated
    image, 4 back, and 1 more to tell the generator.
    """
    return 3 * gflop(generator, size) + 7 * gflop(discriminator, size)
