"""Write the curves and pictures of a training for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import util
from pathlib import Path

from .errors import NoTensorBoardError


class TensorBoardWriter:
    """A folder of events that ``tensorboard --logdir`` reads.

    A resumed training writes to a new file beside the old one. TensorBoard shows the old file up to
    the step at which the new one begins.

    Args:
        folder: The folder to write to; it is created if needed.

    Raises:
        NoTensorBoardError: If the extra ``tensorboard`` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if util.find_spec("tensorboard") is None:
            raise NoTensorBoardError
        from .backend import tf

        self._tf = tf
        self._writer = tf.summary.create_file_writer(str(folder))

    def add_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        with self._writer.as_default(step):
            for name, value in values.items():
                self._tf.summary.scalar(name, value)
        self._writer.flush()

    def add_picture(self, step: int, name: str, png: bytes) -> None:
        """Add a picture."""
        pixels = self._tf.io.decode_png(png, channels=3)
        with self._writer.as_default(step):
            self._tf.summary.image(name, pixels[self._tf.newaxis])
        self._writer.flush()
