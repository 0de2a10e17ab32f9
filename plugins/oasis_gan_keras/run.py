"""A training run: updates, checkpoints on the way, and going on after an interruption."""

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

from oasis_gan import Histogram, OasisGanError, TrainingRequest, write_atomically

from . import checkpoints
from .changes import Change, find_changes, format_as_comment
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
_BEST_WEIGHTS = "best/"  # what their names begin with in a checkpoint
_SOFTWARE = ("oasis-gan", "tensorflow", "keras", "numpy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """What a run learns from, and what it is measured on.

    Args:
        pairs: The slices to learn from.
        held_out: Those to measure on; None if there are none.
        histogram: What outputs are brought to, if the recipe says so.
    """

    pairs: PairedSlices
    held_out: PairedSlices | None
    histogram: Histogram | None


class Run:
    """One training run, from its first or from any other step.

    Args:
        request: What was asked for.
        recipe: Its settings, checked.
        model: The kind of model.
        data: What to learn from.
        replicas: The devices that learn together.
        precision: To compute in.
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
            pairs=pairs, steps=self._steps, replicas=replicas, precision=precision.chosen
        )
        self._trainer = model.build(preparation)
        validate_every = recipe.validate_every or max(len(pairs) // recipe.batch, 1)
        sample = data.held_out.sample() if data.held_out else None
        self._observer = Observer(
            request, recipe, self._trainer, self._steps, validate_every, sample
        )
        self._done = 0
        self._saved = 0
        self._stopped_improving = False
        self._changes: list[Change] = []

    def resume(self, checkpoint: checkpoints.Checkpoint | None) -> None:
        """Take up the newest checkpoint: that of the chief, the only one that has it.

        Raises:
            OasisGanError: If it is of other networks or other losses.
        """
        folder = self._request.out / checkpoints.FOLDER
        self._done = self._agreed(checkpoint.step if checkpoint else 0)
        if not self._done:
            self._request.report("no checkpoint yet: begun anew")
            return
        arrays = dict(checkpoint.arrays) if checkpoint else self._trainer.state()
        best = [name for name in arrays if name.startswith(_BEST_WEIGHTS)]
        self._observer.best.weights = {
            name.removeprefix(_BEST_WEIGHTS): arrays.pop(name) for name in best
        }
        self._trainer.restore(arrays, folder)
        if checkpoint:
            if not checkpoint.verified:
                self._request.report(
                    "the checkpoint is of an earlier version and has no checksum: taken as it is"
                )
            self._observer.restore(checkpoint.metadata, folder)
            self._take_changes(checkpoint.metadata)
        self._saved = self._done
        self._request.report(f"resumed after step {self._done}")

    def go(self) -> None:
        """Do the updates that are left; the chief measures, watches and writes."""
        if self._replicas.chief:
            self._open()
        begun_at = self._done
        self._update_until_stopped()
        if self._replicas.chief:
            self._close(begun_at)

    @property
    def finished(self) -> bool:
        """Whether all updates are done, or nothing gets better any more."""
        return self._done >= self._steps or self._stopped_improving

    def state(self) -> Arrays:
        """Return all that changes in the networks while training, by name."""
        return self._trainer.state()

    def _take_changes(self, metadata: Mapping[str, Any]) -> None:
        """Note which settings are others than so far; the first versions did not remember any."""
        self._changes = [Change(**change) for change in metadata.get("changes", [])]
        if "recipe" in metadata:
            # A setting that there was not yet had, in effect, its default.
            changes = find_changes(
                self._done, metadata["recipe"], self._settings(), type(self._recipe)()
            )
            self._changes += changes
            for change in changes:
                self._request.report(str(change))

    def _update_until_stopped(self) -> None:
        """Do updates until all are done, nothing gets better, or a signal asks to stop."""
        self._stopped_improving = self._has_lost_patience()
        for step, batch in _prefetched(
            self._data.pairs, range(self._done, self._steps), self._replicas
        ):
            if self._stopped_improving:
                last = self._observer.best.step
                self._request.report(f"step {self._done}: no better since step {last}")
                break
            if self._replicas.any_true(self._request.stop_requested()):
                break
            metrics = self._trainer.update(step, *batch)
            self._done = step + 1
            self._require_finite(metrics)
            if self._replicas.chief:
                self._note(metrics)
            if self._observer.validates(self._done):
                self._stopped_improving = self._has_lost_patience()

    def _has_lost_patience(self) -> bool:
        """Return whether the chief has: a worker that decided for itself would leave the others waiting."""
        return bool(self._agreed(self._observer.has_lost_patience(self._done)))

    def _agreed(self, number: int) -> int:
        """Return what the chief says."""
        return int(self._replicas.broadcast([np.array(number, np.int64)])[0])

    def _open(self) -> None:
        """Write down every setting, the recipe to train the same model with, and open the books."""
        out = self._request.out
        if not self._done:
            # Of an attempt that came to no checkpoint.
            for name in self._model.files:
                (out / BEST / name).unlink(missing_ok=True)
        settings = self._recipe.model_dump(mode="json", exclude_none=True)
        text = format_as_comment(self._changes) + tomli_w.dumps(settings)
        write_atomically(out / RECIPE, text.encode())
        self._observer.open(self._done, self._changes)

    def _close(self, begun_at: int) -> None:
        """Save what is not saved yet, and say of a training that is finished how it went."""
        if self._done > self._saved:
            self._checkpoint()
        elif self._done:
            self._write_models()
        if not self.finished:
            return
        curves = self._observer.curves
        if self._done == begun_at:
            more = "to train on, raise steps"
            self._request.report(
                f"finished already, after {self._done} steps; {more}; curves: {curves}"
            )
            return
        summary = self._observer.summary()
        self._request.report(f"finished after {self._done} steps; {summary}; curves: {curves}")

    def _note(self, metrics: Metrics) -> None:
        """Show and keep what came of an update."""
        best = self._observer.best
        if self._observer.see(self._done, metrics):
            self._write_model(self._request.out / BEST, best.weights, best.step)
        if self._done % self._recipe.checkpoint_every == 0 or self._done == self._steps:
            self._checkpoint()

    def _require_finite(self, metrics: Metrics) -> None:
        """Raise `OasisGanError` if a loss or a gradient is not finite."""
        for name, value in metrics.items():
            # With float16 a gradient may overflow: the loss scale is lowered, and that update left out.
            may_overflow = self._trainer.precision == "float16" and name in self._trainer.gradients
            if math.isfinite(value) or may_overflow:
                continue
            last = (
                f"the last good checkpoint is that of step {self._saved}"
                if self._saved
                else "none is saved yet"
            )
            remedy = f"lower the learning rate and resume; {last}"
            where = f"step {self._done}"
            raise OasisGanError(
                where,
                expected="finite losses and gradients",
                found=f"{name} {value}",
                remedy=remedy,
            )

    def _checkpoint(self) -> None:
        """Save the state of the run, and the model as it is."""
        best = self._observer.best.weights
        arrays = self._trainer.state() | {
            f"{_BEST_WEIGHTS}{name}": array for name, array in best.items()
        }
        metadata = {
            **self._observer.metadata(),
            "precision": self._precision.metadata(),
            "recipe": self._settings(),
            "changes": self._describe_changes(),
        }
        folder = self._request.out / checkpoints.FOLDER
        checkpoints.write(
            folder, checkpoints.Checkpoint(self._done, arrays, metadata), self._recipe.keep
        )
        self._saved = self._done
        self._write_models()

    def _write_models(self) -> None:
        """Write the model as it is, and once the training is finished the best one again, which says so too."""
        best = self._observer.best
        chosen = best.weights if self._recipe.select == "best" else {}
        self._write_model(self._request.out, chosen or self._trainer.weights(), self._done)
        if self.finished and best.weights:
            self._write_model(self._request.out / BEST, best.weights, best.step)

    def _write_model(self, folder: Path, weights: Arrays, step: int) -> None:
        """Write a model folder with the weights after a step."""
        trained = TrainedModel(
            folder=folder,
            weights=weights,
            snapshots=self._trainer.snapshots,
            target=self._data.pairs.target_contrast,
            histogram=self._data.histogram,
            training=self._describe(step),
            software={name: importlib.metadata.version(name) for name in _SOFTWARE},
        )
        self._model.write(trained)

    def _describe(self, step: int) -> dict[str, object]:
        """Return how the model after a step was trained."""
        pairs = self._data.pairs
        held_out = self._data.held_out
        return {
            "step": step,
            "steps": self._steps,
            "finished": self.finished,
            "subjects": pairs.names,
            "held_out": held_out.names if held_out else [],
            "slices": len(pairs),
            "precision": self._precision.text,
            "recipe": self._settings(),
            "changes": self._describe_changes(),
        }

    def _settings(self) -> dict[str, Any]:
        return self._recipe.model_dump(mode="json")

    def _describe_changes(self) -> list[dict[str, Any]]:
        return [asdict(change) for change in self._changes]


def _prefetched(
    pairs: PairedSlices, steps: range, replicas: Replicas
) -> Iterator[tuple[int, Batch]]:
    """Yield this worker's part of the batches of all steps, the next being drawn while one is learnt from."""
    share = replicas.index, replicas.workers
    with ThreadPoolExecutor(1) as pool:
        upcoming = [pool.submit(pairs.batch, step, share) for step in steps[:1]]
        for step in steps:
            batch = upcoming.pop().result()
            if step + 1 < steps.stop:
                upcoming.append(pool.submit(pairs.batch, step + 1, share))
            yield step, batch
