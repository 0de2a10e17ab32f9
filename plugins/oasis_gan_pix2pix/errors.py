"""What can go wrong with a model of Pix2Pix: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from oasis_gan import OasisGanError

_WHOLE_COPY = "copy the whole model folder again, or train it again"
_PACKAGES = ("onnx", "onnxruntime", "tf2onnx")


class ModelFolderError(OasisGanError):
    """A file of a model folder is missing, damaged, or not what it should be."""

    def __init__(self, path: Path, *, expected: str, found: str) -> None:
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy=_WHOLE_COPY,
        )


class NotFiniteWeightsError(OasisGanError):
    """A trained model has weights that are not finite."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="finite weights",
            found="NaN or Inf",
            remedy="lower the learning rate and train again",
        )


class CanvasNotDivisibleError(OasisGanError):
    """The canvas of a model cannot be halved as often as its generator needs."""

    def __init__(self, path: Path, multiple: int, levels: int) -> None:
        super().__init__(
            path,
            expected=f"canvas.multiple divisible by {2**levels} for {levels} levels",
            found=str(multiple),
            remedy="retrain the model",
        )


class ImpossibleWeightsError(OasisGanError):
    """The weights of a model cannot be those of its generator."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            path,
            expected="the weights of this architecture",
            found=found,
            remedy="use settings and weights of the same model",
        )


class TooLargeWeightError(OasisGanError):
    """A weight is too large for float32 once it is folded."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(
            path,
            expected="weights that float32 holds",
            found=f"{name} too large",
            remedy=_WHOLE_COPY,
        )


class DeviceMemoryError(OasisGanError):
    """The memory of a device does not hold a single slice."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(
            "device",
            expected=f"memory for a slice of {rows} x {columns}",
            found="too little",
            remedy="free some memory, or hide the GPU: CUDA_VISIBLE_DEVICES=",
        )


class NoOnnxError(OasisGanError):
    """A package of the extra ``onnx`` is not installed."""

    def __init__(self, package: str | None) -> None:
        super().__init__(
            "ONNX",
            expected="the packages of the extra onnx",
            found=f"no {package}",
            remedy="pip install 'oasis-gan[onnx]'",
        )


class OnnxFailedError(OasisGanError):
    """A package of the extra ``onnx`` failed; neither the model nor the user is to blame."""

    def __init__(self, error: Exception) -> None:
        versions = [f"{name} {version(name)}" for name in _PACKAGES]
        super().__init__(
            "ONNX",
            expected=f"an export by {', '.join(versions)}",
            found=_first_line(f"{type(error).__name__}: {error}"),
            remedy="export it as savedmodel, or try other versions of these packages",
        )


class NotInOnnxError(OasisGanError):
    """ONNX has no operations for a generator."""

    def __init__(self, folder: Path, error: Exception) -> None:
        super().__init__(
            folder,
            expected="a generator that ONNX supports",
            found=_first_line(str(error)),
            remedy="export it as savedmodel",
        )


class SavedModelNotWrittenError(OasisGanError):
    """TensorFlow could not write a SavedModel."""

    def __init__(self, out: Path, message: str) -> None:
        # Up to the last semicolon the message names temporary files, which mean nothing to the
        # user.
        _, _, reason = message.rpartition("; ")
        super().__init__(
            out.name,
            expected="room for a SavedModel",
            found=reason,
            remedy="free some space, and check the permissions",
        )


class DifferentExportError(OasisGanError):
    """An export does not compute what the generator computes.

    Args:
        folder: The model folder.
        tolerance: The largest difference that is allowed.
        difference: The largest difference that was found.
        shape: The shape of the slices for which it was found.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tolerance: float,
        difference: float,
        shape: tuple[int, ...],
    ) -> None:
        super().__init__(
            folder,
            expected=f"an export within {tolerance} of the generator",
            found=f"{difference:.2g} at {shape}",
            remedy="nothing was written; report this",
        )


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


class DifferentModelError(OasisGanError):
    """A model cannot answer together with another one, because they differ in more than weights."""

    def __init__(self, folder: Path, field: str, first: Path) -> None:
        super().__init__(
            folder,
            expected=f"the same {field} as in {first}",
            found="another",
            remedy="combine models that differ in their seed only",
        )


class NotOneNetworkError(OasisGanError):
    """A model folder does not hold the weights of exactly one network whose training is finished.

    Args:
        folder: The model folder.
        found: What it holds.
        remedy: What to do.
    """

    def __init__(self, folder: Path, found: str, remedy: str) -> None:
        super().__init__(
            folder,
            expected="the weights of one trained network",
            found=found,
            remedy=remedy,
        )


class TooFewModelsError(OasisGanError):
    """There are too few models, or too many, to combine."""

    def __init__(self, most: int, found: int) -> None:
        super().__init__(
            "ensemble",
            expected=f"from 2 to {most} models",
            found=str(found),
            remedy="name the folders of the models",
        )
