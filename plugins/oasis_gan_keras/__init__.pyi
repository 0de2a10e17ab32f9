from .changes import check_resume
from .hardware import (
    ChosenPrecision,
    Precision,
    RequestedPrecision,
    choose_precision,
    computing_in,
    engine_versions,
    thread_count,
)
from .limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, largest_canvas
from .loss_inputs import LossInputs
from .losses import LOSSES, LossFunction, compute_loss, loss
from .model import Preparation, TrainableModel, TrainedModel
from .onednn import prefer_onednn
from .optimizers import ConstantThenLinear, FusedAdam, InTurn
from .pairs import Batch, Pairs
from .rendezvous import find_workers
from .sentences import describe_expected, find_field
from .settings import Fraction, Settings, at_odds, named_in, parse_settings, require_each_once
from .team import Team
from .trainer import Arrays, Losses, TrainableNetwork, Trainer
from .training import train
from .training_settings import AugmentationSettings, HistogramSettings, SourceName, TrainingSettings
from .variables import assign, read, require_shapes, weights

__all__ = [
    "LOSSES",
    "MAX_CONTEXT",
    "MAX_NAME",
    "MAX_OUTPUT",
    "Arrays",
    "AugmentationSettings",
    "Batch",
    "ChosenPrecision",
    "ConstantThenLinear",
    "Fraction",
    "FusedAdam",
    "HistogramSettings",
    "InTurn",
    "LossFunction",
    "LossInputs",
    "Losses",
    "Pairs",
    "Precision",
    "Preparation",
    "RequestedPrecision",
    "Settings",
    "SourceName",
    "Team",
    "TrainableModel",
    "TrainableNetwork",
    "TrainedModel",
    "Trainer",
    "TrainingSettings",
    "assign",
    "at_odds",
    "check_resume",
    "choose_precision",
    "compute_loss",
    "computing_in",
    "describe_expected",
    "engine_versions",
    "find_field",
    "find_workers",
    "largest_canvas",
    "loss",
    "named_in",
    "parse_settings",
    "prefer_onednn",
    "read",
    "require_each_once",
    "require_shapes",
    "thread_count",
    "train",
    "weights",
]
