from .errors import OasisGanError, one_line
from .image.canvas import MAX_PIXELS, Canvas, CanvasTransform, make_interpolation_matrix
from .image.choices import Plane
from .image.encoding import Encoding, FittedEncoding
from .image.histogram import Histogram
from .image.intensity import ANCHORS, Percentiles, Window
from .image.label_advice import LabelAdvice
from .image.label_conversion import convert
from .image.label_sets import (
    BIDS,
    FREESURFER,
    FREESURFER_A2009S,
    FREESURFER_APARC,
    FSL_FAST,
    LABEL_SETS,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
    LabelSets,
)
from .image.label_sides import is_mirror_symmetric
from .image.labels import Label, LabelSet, Structure
from .image.slicing import SliceStack, cut, join
from .image.volume import (
    AssumptionNote,
    Channels,
    CleanVolume,
    Geometry,
    Mask,
    RepairNote,
    SpatialHeader,
    Volume,
    Voxels,
)
from .io.anatomy import lies_with_other_data, prefer_anatomy
from .io.dicom import holds_dicom
from .io.dicom_header import is_dicom
from .io.endings import (
    VOLUME_ENDINGS,
    NameLookup,
    fold_case,
    has_suffix,
    is_volume_name,
    stem_of,
    strip_suffix,
)
from .io.files import write_atomically, write_whole
from .io.folders import walk_files, walk_folders
from .io.formats import refuse_content, require_content
from .io.itk import import_simpleitk
from .io.marks import SYNTHETIC_MARK
from .io.mgh import is_mgh_name, read_mgh
from .io.nifti import is_nifti_name, read_nifti
from .io.pair import is_pair_name, read_pair
from .io.strict_json import describe_fault, require_unique_keys
from .io.volume_files import read_volume
from .pipeline.slice_options import (
    ALL_PLANES,
    AUTO_PLANE,
    flip_option,
    plane_option,
    uncertainty_option,
)
from .pipeline.slicewise import FurtherWeights, SlicewiseTranslator, slicewise
from .pipeline.translation import translate
from .plugin.datasets import Dataset, Scan, Selection, Subject
from .plugin.exporters import Exporter
from .plugin.foreign import foreign_code
from .plugin.hookspecs import hookimpl
from .plugin.label_meaning import LabelSetFinder, find_label_set
from .plugin.models import (
    FLIP,
    UNCERTAINTY,
    VOLUME,
    Computation,
    ModelCard,
    ModelKind,
    Progress,
    TrainingRequest,
    Translation,
    Translator,
    ignore_progress,
)
from .plugin.options import Option
from .plugin.renaming import rename_settings
from .plugin.scan_identity import identify_scan
from .plugin.scans import pair_scan, unreadable, volume_scan
from .plugin.training_data import TrainingData

__api_version__: int

__all__ = [
    "ALL_PLANES",
    "ANCHORS",
    "AUTO_PLANE",
    "BIDS",
    "FLIP",
    "FREESURFER",
    "FREESURFER_A2009S",
    "FREESURFER_APARC",
    "FSL_FAST",
    "LABEL_SETS",
    "MAX_PIXELS",
    "NEURITE_SEG4",
    "NEURITE_SEG35",
    "OASIS",
    "SYNTHETIC_MARK",
    "UNCERTAINTY",
    "VOLUME",
    "VOLUME_ENDINGS",
    "AssumptionNote",
    "Canvas",
    "CanvasTransform",
    "Channels",
    "CleanVolume",
    "Computation",
    "Dataset",
    "Encoding",
    "Exporter",
    "FittedEncoding",
    "FurtherWeights",
    "Geometry",
    "Histogram",
    "Label",
    "LabelAdvice",
    "LabelSet",
    "LabelSetFinder",
    "LabelSets",
    "Mask",
    "ModelCard",
    "ModelKind",
    "NameLookup",
    "OasisGanError",
    "Option",
    "Percentiles",
    "Plane",
    "Progress",
    "RepairNote",
    "Scan",
    "Selection",
    "SliceStack",
    "SlicewiseTranslator",
    "SpatialHeader",
    "Structure",
    "Subject",
    "TrainingData",
    "TrainingRequest",
    "Translation",
    "Translator",
    "Volume",
    "Voxels",
    "Window",
    "convert",
    "cut",
    "describe_fault",
    "find_label_set",
    "flip_option",
    "fold_case",
    "foreign_code",
    "has_suffix",
    "holds_dicom",
    "hookimpl",
    "identify_scan",
    "ignore_progress",
    "import_simpleitk",
    "is_dicom",
    "is_mgh_name",
    "is_mirror_symmetric",
    "is_nifti_name",
    "is_pair_name",
    "is_volume_name",
    "join",
    "lies_with_other_data",
    "make_interpolation_matrix",
    "one_line",
    "pair_scan",
    "plane_option",
    "prefer_anatomy",
    "read_mgh",
    "read_nifti",
    "read_pair",
    "read_volume",
    "refuse_content",
    "rename_settings",
    "require_content",
    "require_unique_keys",
    "slicewise",
    "stem_of",
    "strip_suffix",
    "translate",
    "uncertainty_option",
    "unreadable",
    "volume_scan",
    "walk_files",
    "walk_folders",
    "write_atomically",
    "write_whole",
]
