from .anatomy import lies_with_other_data, prefer_anatomy
from .choices import Plane
from .datasets import Dataset, Scan, Selection, Subject
from .endings import VOLUME_ENDINGS, NameLookup, caseless, has_suffix, is_volume_name, stem_of, without_suffix
from .errors import OasisGanError, one_line
from .exporters import Exporter
from .files import write_atomically, write_whole
from .folders import walk_files, walk_folders
from .foreign import foreign_code
from .formats import refuse_content, require_content
from .histogram import Histogram
from .hookspecs import hookimpl
from .intensity import ANCHORS, Percentiles, Window
from .label_conversion import convert
from .label_meaning import LabelSetFinder, find_label_set
from .label_sets import (
    BIDS,
    FREESURFER,
    FREESURFER_A2009S,
    FREESURFER_APARC,
    FSL_FAST,
    LABEL_SETS,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
)
from .labels import Label, LabelSet
from .mgh import is_mgh_name, read_mgh
from .models import Computation, ModelCard, ModelKind, TrainingRequest, Translator
from .nifti import is_nifti_name, read_nifti
from .pair import is_pair_name, read_pair
from .resampling import MAX_PIXELS, Canvas, Fit, linear_weights
from .scans import pair_scan, unreadable, volume_scan
from .slicing import SliceStack, cut, join
from .strict_json import require_unique_keys
from .translation import translate
from .volume import Assumed, Geometry, Mended, SpatialHeader, Volume
from .volume_files import read_volume

__all__ = [
    "ANCHORS",
    "BIDS",
    "FREESURFER",
    "FREESURFER_A2009S",
    "FREESURFER_APARC",
    "FSL_FAST",
    "LABEL_SETS",
    "MAX_PIXELS",
    "NEURITE_SEG4",
    "NEURITE_SEG35",
    "OASIS",
    "VOLUME_ENDINGS",
    "Assumed",
    "Canvas",
    "Computation",
    "Dataset",
    "Exporter",
    "Fit",
    "Geometry",
    "Histogram",
    "Label",
    "LabelSet",
    "LabelSetFinder",
    "Mended",
    "ModelCard",
    "ModelKind",
    "NameLookup",
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
    "caseless",
    "convert",
    "cut",
    "find_label_set",
    "foreign_code",
    "has_suffix",
    "hookimpl",
    "is_mgh_name",
    "is_nifti_name",
    "is_pair_name",
    "is_volume_name",
    "join",
    "lies_with_other_data",
    "linear_weights",
    "one_line",
    "pair_scan",
    "prefer_anatomy",
    "read_mgh",
    "read_nifti",
    "read_pair",
    "read_volume",
    "refuse_content",
    "require_content",
    "require_unique_keys",
    "stem_of",
    "translate",
    "unreadable",
    "volume_scan",
    "walk_files",
    "walk_folders",
    "without_suffix",
    "write_atomically",
    "write_whole",
]
