"""Run a training: update the networks, save checkpoints, and resume after an interruption."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from oasis_gan import Histogram, TrainingRequest, rename_settings, write_atomically

from . import checkpoints
from .changes import Change, find_changes, format_as_comment
from .checkpoints import Checkpoint
from .errors import NotFiniteError
from .metrics import Metrics
from .model import Preparation, TrainableModel, TrainedModel
from .observer import Observer
from .paired_slices import Batch, PairedSlices
from .precision import TrainingPrecision
from .replicas import Replicas
from .trainer import Arrays
from .training_settings import TrainingSettings

RECIPE = "recipe.toml"
BEST = "best"
_BEST_WEIGHTS = "best/"  # the prefix of their names in a checkpoint
_SOFTWARE = ("oasis-gan", "tensorflow", "keras", "numpy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """The data that a training run has.

    Args:
        pairs: The slices to train on.
        held_out: The slices to validate on; there may be none.
        histogram: The distribution to match outputs to, if the recipe asks for it.
    """

    pairs: PairedSlices
    held_out: PairedSlices
    histogram: Histogram | None


class Run:
    """One training run, which starts at the first step or is resumed at a later one.

    Args:
        request: The model folder, and the functions that take log lines and progress.
        recipe: The validated settings.
        model: The kind of model.
        data: The slices to train and to validate on.
        replicas: The devices that train together.
        precision: The precision to compute in.
    """

    def __init__(
        self,
        request: TrainingRequest,
        recipe: TrainingSettings,
        model: TrainableModel,
        data: Data,
        replicas: Replicas,
        precision: TrainingPrecision,
    ) -> None:
        self._request = request
        self._recipe = recipe
        self._model = model
        self._data = data
        self._replicas = replicas
        self._precision = precision
        pairs = data.pairs
        self._steps = recipe.total_steps(len(pairs))
        preparation = Preparation(
            pairs=pairs,
            steps=self._steps,
            replicas=replicas,
            precision=precision.chosen,
        )
        self._trainer = model.build(preparation)
        validate_every = recipe.validate_every or recipe.updates_per_epoch(len(pairs))
        sample = data.held_out.sample() if data.held_out else None
        self._observer = Observer(
            request,
            recipe,
            self._trainer,
            steps=self._steps,
            validate_every=validate_every,
            sample=sample,
        )
        self._begun_at = 0
        self._done = 0
        self._saved = 0
        self._stopped_improving = False
        self._changes: list[Change] = []

    def resume(self, checkpoint: Checkpoint | None) -> None:
        """Continue from the newest checkpoint, which only the chief has.

        Raises:
            WrongShapeError: If the checkpoint comes from other networks.
            OtherLossesError: If the checkpoint comes from a training with other losses.
        """
        self._done = self._ask_chief(checkpoint.step if checkpoint else 0)
        if not self._done:
            self._request.report("no checkpoint yet: starting from the beginning")
            return
        arrays = dict(checkpoint.arrays) if checkpoint else self._trainer.state()
        best = {}
        for name in list(arrays):
            if name.startswith(_BEST_WEIGHTS):
                best[name.removeprefix(_BEST_WEIGHTS)] = arrays.pop(name)
        self._observer.best.weights = best
        self._trainer.restore(arrays, self._checkpoint_folder)
        if checkpoint:
            self._restore_metadata(checkpoint)
        self._begun_at = self._done
        self._saved = self._done
        self._request.report(f"resumed after step {self._done}")

    def train(self) -> None:
        """Do the remaining updates; the chief validates and writes the files."""
        if self._replicas.is_chief:
            self._open()
        self._update_until_stopped()
        if self._replicas.is_chief:
            self._close()

    @property
    def finished(self) -> bool:
        """Whether all updates are done, or nothing improved any more."""
        return self._done >= self._steps or self._stopped_improving

    def state(self) -> Arrays:
        """Return everything that changes in the networks during training, by name."""
        return self._trainer.state()

    @property
    def _checkpoint_folder(self) -> Path:
        return self._request.out / checkpoints.FOLDER

    def _restore_metadata(self, checkpoint: Checkpoint) -> None:
        """Continue the metrics and the list of changed settings from a checkpoint."""
        if not checkpoint.verified:
            self._request.report(
                "the checkpoint is of an earlier version and has no checksum, "
                "so it cannot be verified"
            )
        self._observer.restore(checkpoint.metadata, self._checkpoint_folder)
        self._record_changes(checkpoint.metadata)

    def _record_changes(self, metadata: Mapping[str, Any]) -> None:
        """Record the settings that were changed; the first versions did not store any."""
        renamed = self._recipe.renamed
        for change in metadata.get("changes", []):
            setting = renamed.get(change["setting"], change["setting"])
            self._changes.append(Change(**{**change, "setting": setting}))
        if "recipe" not in metadata:
            return
        # Settings that did not exist when the training began had, in effect, their defaults.
        defaults = type(self._recipe)()
        changes = find_changes(
            self._done,
            before=rename_settings(metadata["recipe"], renamed),
            after=self._dump_settings(),
            defaults=defaults,
        )
        self._changes += changes
        for change in changes:
            self._request.report(str(change))

    def _update_until_stopped(self) -> None:
        """Do updates until all are done, nothing improves, or a signal asks to stop."""
        self._stopped_improving = self._has_lost_patience()
        steps = range(self._done, self._steps)
        for step, batch in _prefetch(self._data.pairs, steps, self._replicas):
            if self._stopped_improving:
                last = self._observer.best.step
                self._request.report(f"step {self._done}: no improvement since step {last}")
                break
            if self._replicas.any_true(self._request.stop_requested()):
                break
            metrics = self._trainer.update(step, *batch)
            self._done = step + 1
            self._require_finite(metrics)
            if self._replicas.is_chief:
                self._record(metrics)
            if self._observer.is_validation_due(self._done):
                self._stopped_improving = self._has_lost_patience()

    def _has_lost_patience(self) -> bool:
        """Whether the chief has lost patience.

        A worker that decided alone would leave the others waiting.
        """
        return bool(self._ask_chief(self._observer.has_lost_patience(self._done)))

    def _ask_chief(self, number: int) -> int:
        """Return the chief's number on every worker."""
        question = np.array(number, np.int64)
        (answer,) = self._replicas.broadcast([question])
        return int(answer)

    def _open(self) -> None:
        """Write the recipe with every setting, and open the table of losses."""
        out = self._request.out
        if not self._done:
            # Remove the best model of an earlier attempt that saved no checkpoint.
            for name in self._model.files:
                (out / BEST / name).unlink(missing_ok=True)
        settings = self._recipe.model_dump(mode="json", exclude_none=True)
        text = format_as_comment(self._changes) + tomli_w.dumps(settings)
        write_atomically(out / RECIPE, text.encode())
        self._observer.open(self._done, self._changes)

    def _close(self) -> None:
        """Save what is not saved yet, and report the result of a finished training."""
        if self._done > self._saved:
            self._save_checkpoint()
        elif self._done:
            self._write_models()
        if not self.finished:
            return
        curves = self._observer.curves
        if self._done == self._begun_at:
            hint = "to train further, raise steps"
            self._request.report(
                f"already finished after {self._done} steps; {hint}; curves: {curves}"
            )
            return
        summary = self._observer.summarise()
        self._request.report(f"finished after {self._done} steps; {summary}; curves: {curves}")

    def _record(self, metrics: Metrics) -> None:
        """Record an update, and save the best model and a checkpoint when they are due."""
        if self._observer.observe(self._done, metrics):
            self._write_best_model()
        is_last = self._done == self._steps
        if is_last or self._done % self._recipe.checkpoint_every == 0:
            self._save_checkpoint()

    def _require_finite(self, metrics: Metrics) -> None:
        """Raise `NotFiniteError` if a loss or a gradient is not finite."""
        for name, value in metrics.items():
            # In float16 a gradient may overflow: then the loss scale is lowered and that update is
            # skipped.
            may_overflow = self._trainer.precision == "float16" and name in self._trainer.gradients
            if not math.isfinite(value) and not may_overflow:
                raise NotFiniteError(
                    step=self._done,
                    name=name,
                    value=value,
                    saved=self._saved,
                )

    def _save_checkpoint(self) -> None:
        """Save the state of the run, and the current model."""
        arrays = self._trainer.state()
        for name, array in self._observer.best.weights.items():
            arrays[f"{_BEST_WEIGHTS}{name}"] = array
        metadata = {
            **self._observer.metadata(),
            "precision": self._precision.metadata(),
            "recipe": self._dump_settings(),
            "changes": self._describe_changes(),
        }
        checkpoint = Checkpoint(self._done, arrays, metadata)
        checkpoints.write(self._checkpoint_folder, checkpoint, self._recipe.keep_checkpoints)
        self._saved = self._done
        self._write_models()

    def _write_models(self) -> None:
        """Write the current model and, after the training, the best one again as finished."""
        best = self._observer.best
        chosen = best.weights if self._recipe.select == "best" else {}
        weights = chosen or self._trainer.weights()
        self._write_model(self._request.out, weights, self._done)
        if self.finished and best.weights:
            self._write_best_model()

    def _write_best_model(self) -> None:
        """Write the best weights so far as a model of their own."""
        best = self._observer.best
        self._write_model(self._request.out / BEST, best.weights, best.step)

    def _write_model(self, folder: Path, weights: Arrays, step: int) -> None:
        """Write a model folder with the weights of a step."""
        trained = TrainedModel(
            folder=folder,
            weights=weights,
            snapshots=self._trainer.snapshots,
            target=self._data.pairs.target_encoding,
            histogram=self._data.histogram,
            training=self._describe(step),
            software={name: importlib.metadata.version(name) for name in _SOFTWARE},
        )
        self._model.write(trained)

    def _describe(self, step: int) -> dict[str, object]:
        """Describe how the model of a step was trained."""
        pairs = self._data.pairs
        return {
            "step": step,
            "steps": self._steps,
            "finished": self.finished,
            "subjects": pairs.names,
            "held_out": self._data.held_out.names,
            "slices": len(pairs),
            "precision": self._precision.text,
            "recipe": self._dump_settings(),
            "changes": self._describe_changes(),
        }

    def _dump_settings(self) -> dict[str, Any]:
        return self._recipe.model_dump(mode="json")

    def _describe_changes(self) -> list[dict[str, Any]]:
        return [asdict(change) for change in self._changes]


def _prefetch(
    pairs: PairedSlices,
    steps: range,
    replicas: Replicas,
) -> Iterator[tuple[int, Batch]]:
    """Yield this worker's part of each batch, and draw the next batch during the update."""
    share = (replicas.index, replicas.workers)
    with ThreadPoolExecutor(1) as pool:
        upcoming = [pool.submit(pairs.batch, step, share) for step in steps[:1]]
        for step in steps:
            batch = upcoming.pop().result()
            if step + 1 < steps.stop:
                upcoming.append(pool.submit(pairs.batch, step + 1, share))
            yield step, batch
