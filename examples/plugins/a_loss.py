"""Define a loss in one file: generated slices get the edges of the real ones, at the same places.

Train with it by naming the file and giving the loss a weight:

    oasis-gan train heads/ --out model --plugin a_loss.py --set loss.terms.edges=10
"""

from typing import Any

from oasis_gan_keras import LossInputs, loss

Tensor = Any  # TensorFlow has no types of its own


@loss("edges")
def edges(inputs: LossInputs) -> Tensor:
    """Return the mean difference of the gradients of both images (arXiv 1511.05440, eq. 6)."""
    # Here and not above: this file is loaded by every command that names it.
    from oasis_gan_keras.backend import tf

    real_down, real_across = tf.image.image_gradients(inputs.real)
    down, across = tf.image.image_gradients(inputs.generated)
    difference = tf.abs(down - real_down) + tf.abs(across - real_across)
    return tf.reduce_mean(difference * inputs.mask, axis=(1, 2, 3))
