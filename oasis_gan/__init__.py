"""oasis-gan: translate whole brain volumes between label maps and MRI, or between contrasts.

These names are what plugins build on; how to write one is told in `oasis_gan.hookspecs`.
"""

from .datasets import Dataset, Scan, Selection, Subject
from .errors import OasisGanError
from .exporters import Exporter
from .files import write_atomically
from .hookspecs import hookimpl
from .intensity import ANCHORS, LABEL_SETS, OASIS, Label, LabelSet, Percentiles, Window
from .models import ModelCard, ModelKind, TrainingRequest, Translator
from .nifti import is_nifti_name, read_nifti
from .resampling import Canvas, Fit, linear_weights
from .slicing import Plane, SliceStack, cut, join
from .translation import translate
from .volume import Geometry, SpatialHeader, Volume

__all__ = [
    "ANCHORS",
    "LABEL_SETS",
    "OASIS",
    "Canvas",
    "Dataset",
    "Exporter",
    "Fit",
    "Geometry",
    "Label",
    "LabelSet",
    "ModelCard",
    "ModelKind",
    "OasisGanError",
    "Percentiles",
    "Plane",
    "Scan",
    "Selection",
    "SliceStack",
    "SpatialHeader",
    "Subject",
    "TrainingRequest",
    "Translator",
    "Volume",
    "Window",
    "cut",
    "hookimpl",
    "is_nifti_name",
    "join",
    "linear_weights",
    "read_nifti",
    "translate",
    "write_atomically",
]
