"""Train a slice translator: check the request, read the data, and start or resume the run."""

from __future__ import annotations

from oasis_gan import TrainingRequest

from . import checkpoints, slice_cache
from .backend import make_deterministic, start_devices
from .checkpoints import Checkpoint
from .errors import BatchSizeError, FolderInUseError, NoCheckpointError, OtherSourcesError
from .model import TrainableModel
from .paired_slices import PairedSlices
from .precision import TrainingPrecision
from .replicas import Replicas
from .run import Data, Run
from .slice_cache import SliceCache
from .training_settings import TrainingSettings


def train(request: TrainingRequest, recipe: TrainingSettings, model: TrainableModel) -> None:
    """Train a model on subjects, and write its folder.

    On one machine with the same number of threads, the same request gives the same model bit for
    bit, whether or not the training was interrupted.

    Args:
        request: The data, the folder, and the functions that take log lines and progress.
        recipe: The validated settings.
        model: The kind of model to train.

    Raises:
        OasisGanError: If the recipe or the data cannot be used, or a loss or gradient is no longer
            finite.
        OSError: If a file cannot be read or written.
    """
    make_deterministic(recipe.seed)
    replicas = Replicas.from_environment()
    start_devices()
    if recipe.batch % replicas.devices:
        raise BatchSizeError(recipe.batch, replicas.devices)
    _require_named_sources(request, recipe)
    if replicas.is_chief:
        _require_usable_folder(request, model)
    # Read first: a training that cannot be resumed writes nothing.
    checkpoint = _read_checkpoint(request) if replicas.is_chief else None
    cache = _open_cache(request)
    request.out.mkdir(parents=True, exist_ok=True)
    data = _read_data(request, recipe, cache, replicas)
    with replicas.worker_failures_as_errors("start all workers again with `resume`"):
        precision = TrainingPrecision.agree(
            recipe.precision,
            checkpoint,
            replicas,
            where=request.out,
        )
        request.report(precision.line)
        run = Run(request, recipe, model, data, replicas, precision)
        if request.resume:
            run.resume(checkpoint)
        run.train()
    if run.finished and request.cache is None:
        cache.remove()


def _read_checkpoint(request: TrainingRequest) -> Checkpoint | None:
    """Return the checkpoint to resume from, if there is one."""
    if not request.resume:
        return None
    return checkpoints.read_last(request.out / checkpoints.FOLDER)


def _require_named_sources(request: TrainingRequest, recipe: TrainingSettings) -> None:
    """Raise `OtherSourcesError` unless the recipe and the data name the same further sources."""
    in_data: set[str] = set()
    for subject in (*request.subjects, *request.validation):
        # A subject that lacks one of its sources is left out when it is read.
        in_data.update(subject.further)
    _, *in_recipe = recipe.named_sources
    if in_data != set(in_recipe):
        raise OtherSourcesError(sorted(in_data), in_recipe)


def _require_usable_folder(request: TrainingRequest, model: TrainableModel) -> None:
    """Raise `OasisGanError` if there is a training to keep, or no checkpoint to resume from."""
    out = request.out
    folder = out / checkpoints.FOLDER
    has_checkpoints = checkpoints.exist(folder)
    if has_checkpoints and not request.resume:
        raise FolderInUseError(out)
    has_model = (out / model.files[0]).exists()
    if request.resume and has_model and not has_checkpoints:
        raise NoCheckpointError(folder)


def _open_cache(request: TrainingRequest) -> SliceCache:
    """Return the cache of the training: the one that the user names, or one of its own."""
    return SliceCache(
        request.cache or request.out / slice_cache.FOLDER,
        request.report,
        subjects=len(request.subjects + request.validation),
    )


def _read_data(
    request: TrainingRequest,
    recipe: TrainingSettings,
    cache: SliceCache,
    replicas: Replicas,
) -> Data:
    """Read all subjects whose slices are not in the cache yet."""
    pairs = PairedSlices(
        request.subjects,
        recipe,
        request.report,
        store=cache.find_or_make,
        first=len(request.subjects) * replicas.index // replicas.workers,
    )
    data = Data(
        pairs=pairs,
        held_out=_read_held_out(request, recipe, cache),
        histogram=pairs.histogram,
    )
    names = ", ".join(pairs.names)
    request.report(f"{len(pairs)} slices of {names}")
    return data


def _read_held_out(
    request: TrainingRequest,
    recipe: TrainingSettings,
    cache: SliceCache,
) -> PairedSlices:
    """Return the held-out slices: none if no subject is held out, or none of them can be used."""
    pairs = PairedSlices(
        request.validation,
        recipe,
        request.report,
        required=False,
        store=cache.find_or_make,
    )
    if request.validation and not pairs:
        request.report("no held-out subject can be used: there will be no validation")
    return pairs
