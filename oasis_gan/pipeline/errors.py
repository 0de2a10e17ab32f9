"""What can go wrong between a subject and its output: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import OasisGanError

_ANOTHER_NAME = "use `overwrite`, or another `out`"
_NAME_ALL_SOURCES = "name a file for each source of the model"
_FLOAT32 = "use `dtype` float32"


class MissingSourceError(OasisGanError):
    """A subject lacks one of the sources of a model."""

    def __init__(self, where: object, source: str) -> None:
        super().__init__(
            where,
            expected=f"a {source} beside it",
            found="none",
            remedy=_NAME_ALL_SOURCES,
        )


class SourceNotGivenError(OasisGanError):
    """A model is called without the volume of one of its sources."""

    def __init__(self, where: object, source: str, model: str) -> None:
        super().__init__(
            where,
            expected=f"the source {source} of {model}",
            found="none",
            remedy=_NAME_ALL_SOURCES,
        )


class WrongAnswerError(OasisGanError):
    """A model answers with something that is not what its card promises.

    Args:
        model: The name of the model.
        expected: What it should answer with.
        found: What it answers with.
    """

    def __init__(self, model: str, expected: str, found: str) -> None:
        super().__init__(
            f"model {model}",
            expected=expected,
            found=found,
            remedy="fix the model, or its plugin",
        )


class NotFiniteError(OasisGanError):
    """The answer of a model holds NaN or infinity."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="finite voxels from the model",
            found="NaN or Inf",
            remedy="train it again",
        )


class UnknownPlaneError(OasisGanError):
    """A model of slices is asked for a plane that it does not have.

    Args:
        model: The name of the model.
        planes: The planes that it has.
        plane: The plane that was asked for.
    """

    def __init__(self, model: str, planes: str, plane: str) -> None:
        super().__init__(
            f"model {model}",
            expected=f"plane: {planes}",
            found=plane,
            remedy="name a plane that the model was trained in",
        )


class NoUncertaintyError(OasisGanError):
    """A model is asked for its uncertainty, and has nothing that could tell it.

    Args:
        where: The model, or the volume.
        expected: What is needed.
        found: What there is.
    """

    def __init__(self, where: object, expected: str, found: str) -> None:
        super().__init__(
            where,
            expected=expected,
            found=found,
            remedy="leave `uncertainty` out",
        )


class NoMirrorImageError(OasisGanError):
    """A model is asked for the mirror image of a head, and tells left from right.

    Args:
        model: The name of the model.
    """

    def __init__(self, model: str) -> None:
        super().__init__(
            f"model {model}",
            expected="sources and a target without sides for `flip`",
            found="labels of the left or the right side, or labels without names",
            remedy="leave `flip` out",
        )


class UnusableCanvasError(OasisGanError):
    """Slices on the canvas of a model do not fit into memory.

    Args:
        model: The name of the model.
        expected: The canvases that fit.
        found: The canvas of the model.
    """

    def __init__(self, model: str, expected: str, found: str) -> None:
        super().__init__(
            f"model {model}",
            expected=expected,
            found=found,
            remedy="choose another model",
        )


class DatatypeRangeError(OasisGanError):
    """The voxels of an output exceed the range of an integer datatype.

    Args:
        where: The subject.
        datatype: The datatype.
        limits: The smallest and the largest number that it can hold.
        voxels: The smallest and the largest voxel.
    """

    def __init__(
        self,
        where: object,
        datatype: str,
        limits: tuple[int, int],
        voxels: tuple[float, float],
    ) -> None:
        super().__init__(
            where,
            expected=f"voxels from {limits[0]} to {limits[1]} for {datatype}",
            found=f"{voxels[0]:g} to {voxels[1]:g}",
            remedy=_FLOAT32,
        )


class RoundingLossError(OasisGanError):
    """Rounding to whole numbers would change the intensities of an output too much.

    Args:
        where: The subject.
        datatype: The integer datatype.
        span: The largest voxel minus the smallest.
        loss: The largest change of a voxel by rounding.
    """

    def __init__(self, where: object, datatype: str, span: float, loss: float) -> None:
        super().__init__(
            where,
            expected=f"intensities that differ as whole numbers for {datatype}",
            found=f"a range of {span:.3g}, and a voxel {loss:.2g} from the nearest",
            remedy=_FLOAT32,
        )


class NothingWrittenError(OasisGanError):
    """An exporter returns without having written its file."""

    def __init__(self, name: str, exporter: str) -> None:
        super().__init__(
            name,
            expected=f"the exporter {exporter} to write it",
            found="nothing",
            remedy="fix the plugin",
        )


class DifferentOutputError(OasisGanError):
    """An output that is there already was made in another way.

    Args:
        path: The output.
        differences: What was different, such as ``weights``.
    """

    def __init__(self, path: Path, differences: Sequence[str]) -> None:
        super().__init__(
            path,
            expected="a free name",
            found=f"one with another {', '.join(differences)}",
            remedy=_ANOTHER_NAME,
        )


class NoFreeNameError(OasisGanError):
    """Other subjects have all the names that an output may take."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a free name",
            found="other subjects under all of them",
            remedy=_ANOTHER_NAME,
        )


class FileChangedError(OasisGanError):
    """A file changed while it was being read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a file that stays the same while it is read",
            found="one that changed",
            remedy="wait until it is copied completely, and run again",
        )


class NoContrastError(OasisGanError):
    """The outputs of a model have no contrast that a reference scan could replace.

    Args:
        model: The name of the model.
        output: What the model makes.
    """

    def __init__(self, model: str, output: str) -> None:
        super().__init__(
            model,
            expected="a model that makes images",
            found=output,
            remedy="omit `like`",
        )


class LabelsAsReferenceError(OasisGanError):
    """A label map is given where a reference scan is needed."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="a scan to take the contrast from",
            found="a label map",
            remedy="give the scan, and its label map as `like_labels`",
        )


class EmptyReferenceError(OasisGanError):
    """A reference scan shows nothing."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="a scan of a brain",
            found="nothing but background",
            remedy="give another scan",
        )


class SkullInReferenceError(OasisGanError):
    """A reference scan shows more than a brain, so that intensities do not show its tissues.

    Args:
        where: The file of the scan.
        sign: What shows that there is a skull.
    """

    def __init__(self, where: object, sign: str) -> None:
        super().__init__(
            where,
            expected="a skull-stripped scan, whose intensities show the tissues",
            found=sign,
            remedy="give a skull-stripped scan, or its tissue map as `like_labels`",
        )
