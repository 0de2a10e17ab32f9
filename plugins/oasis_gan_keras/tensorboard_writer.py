"""What TensorBoard shows of a training."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from oasis_gan import OasisGanError


class TensorBoardWriter:
    """A folder of events that ``tensorboard --logdir`` reads.

    A training that is taken up again goes on in a new file beside the old one. TensorBoard shows what the old one
    says up to the step the new one begins with.

    Args:
        folder: Made if needed.

    Raises:
        OasisGanError: If the extra ``tensorboard`` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            remedy = "pip install 'oasis-gan[tensorboard]'"
            raise OasisGanError(
                "tensorboard", expected="TensorBoard", found="no such package", remedy=remedy
            )
        from .backend import tf

        self._tf, self._writer = tf, tf.summary.create_file_writer(str(folder))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        with self._writer.as_default(step):
            for name, value in values.items():
                self._tf.summary.scalar(name, value)
        self._writer.flush()

    def picture(self, step: int, name: str, png: bytes) -> None:
        """Add a picture."""
        with self._writer.as_default(step):
            self._tf.summary.image(name, self._tf.io.decode_png(png, channels=3)[self._tf.newaxis])
        self._writer.flush()
