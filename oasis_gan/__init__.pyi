from .choices import Plane
from .datasets import Dataset, Scan, Selection, Subject
from .errors import OasisGanError
from .exporters import Exporter
from .files import write_atomically
from .histogram import Histogram
from .hookspecs import hookimpl
from .intensity import ANCHORS, Percentiles, Window
from .label_sets import (
    FREESURFER,
    FREESURFER_APARC,
    FSL_FAST,
    LABEL_SETS,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
    convert,
)
from .labels import Label, LabelSet
from .models import ModelCard, ModelKind, TrainingRequest, Translator
from .nifti import is_nifti_name, read_nifti
from .pair import is_pair_name, pair_scan, read_pair
from .resampling import Canvas, Fit, linear_weights
from .slicing import SliceStack, cut, join
from .translation import translate
from .volume import Assumed, Geometry, Mended, SpatialHeader, Volume

__all__ = [
    "ANCHORS",
    "FREESURFER",
    "FREESURFER_APARC",
    "FSL_FAST",
    "LABEL_SETS",
    "NEURITE_SEG4",
    "NEURITE_SEG35",
    "OASIS",
    "Assumed",
    "Canvas",
    "Dataset",
    "Exporter",
    "Fit",
    "Geometry",
    "Histogram",
    "Label",
    "LabelSet",
    "Mended",
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
    "convert",
    "cut",
    "hookimpl",
    "is_nifti_name",
    "is_pair_name",
    "join",
    "linear_weights",
    "pair_scan",
    "read_nifti",
    "read_pair",
    "translate",
    "write_atomically",
]
