from .augmentation_settings import AugmentationSettings
from .changes import check_resume
from .hardware import (
    ChosenPrecision,
    Precision,
    RequestedPrecision,
    choose_precision,
    compute_in,
    describe_computation,
)
from .limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, find_largest_canvas
from .loss_inputs import LossInputs
from .losses import LOSSES, LossFunction, compute_loss, loss
from .model import Preparation, TrainableModel, TrainedModel
from .onednn import prefer_onednn, return_memory
from .optimizers import ConsecutiveSchedules, ConstantThenLinear, FusedAdam
from .paired_slices import Batch, PairedSlices
from .renamed_settings import RENAMED_SETTINGS
from .rendezvous import find_workers
from .replicas import Replicas
from .sentences import describe_wrong_file
from .setting_types import SourceName
from .settings import (
    Fraction,
    Settings,
    one_of,
    parse_settings,
    require_unique_planes,
    setting_error,
)
from .trainable import (
    Losses,
    TrainableNetwork,
)
from .trainer import (
    Arrays,
    Trainer,
)
from .training import train
from .training_settings import HistogramSettings, TrainingSettings
from .variables import assign, read_variables, read_weights, require_shapes

__all__ = [
    "LOSSES",
    "MAX_CONTEXT",
    "MAX_NAME",
    "MAX_OUTPUT",
    "RENAMED_SETTINGS",
    "Arrays",
    "AugmentationSettings",
    "Batch",
    "ChosenPrecision",
    "ConsecutiveSchedules",
    "ConstantThenLinear",
    "Fraction",
    "FusedAdam",
    "HistogramSettings",
    "LossFunction",
    "LossInputs",
    "Losses",
    "PairedSlices",
    "Precision",
    "Preparation",
    "Replicas",
    "RequestedPrecision",
    "Settings",
    "SourceName",
    "TrainableModel",
    "TrainableNetwork",
    "TrainedModel",
    "Trainer",
    "TrainingSettings",
    "assign",
    "check_resume",
    "choose_precision",
    "compute_in",
    "compute_loss",
    "describe_computation",
    "describe_wrong_file",
    "find_largest_canvas",
    "find_workers",
    "loss",
    "one_of",
    "parse_settings",
    "prefer_onednn",
    "read_variables",
    "read_weights",
    "require_shapes",
    "require_unique_planes",
    "return_memory",
    "setting_error",
    "train",
]
