"""Follow a training while it runs: log lines, curves, pictures, and the best weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from oasis_gan import TrainingRequest

from .changes import Change
from .metrics import (
    VALIDATION_L1,
    VALIDATION_METRICS,
    VALIDATION_PSNR,
    BestWeights,
    Metrics,
    RunningMeans,
    measure,
)
from .paired_slices import Batch, Slices
from .trainer import Trainer
from .training_log import CURVES, TrainingLog
from .training_settings import TrainingSettings

_ROW_EVERY = 100  # steps
_PICTURED_SLICES = 4


class Observer:
    """Records every update, and validates on held-out slices when that is due.

    Args:
        request: The model folder, and the functions that take log lines and progress.
        recipe: Whether to write for TensorBoard, and how patient the training is.
        trainer: The trainer to observe.
        steps: The number of updates.
        validate_every: The number of steps between validations.
        sample: Held-out slices; None if there are none.
    """

    def __init__(
        self,
        request: TrainingRequest,
        recipe: TrainingSettings,
        trainer: Trainer,
        steps: int,
        validate_every: int,
        sample: Batch | None,
    ) -> None:
        self._request = request
        self._recipe = recipe
        self._trainer = trainer
        self._steps = steps
        self._validate_every = validate_every
        self._sample = sample
        self._means = RunningMeans(trainer.metrics)
        self._measured: Metrics = {}
        self._log: TrainingLog | None = None
        self.best = BestWeights()

    def open(self, step: int, changes: Sequence[Change]) -> None:
        """Open the table and the pictures, and drop those of later steps."""
        columns = ("step", *self._trainer.metrics, *VALIDATION_METRICS)
        changed_at = sorted({change.step for change in changes})
        out = self._request.out
        self._log = TrainingLog(
            out,
            columns,
            resumed_at=step,
            tensorboard=self._recipe.tensorboard,
            changed_at=changed_at,
        )

    def observe(self, step: int, metrics: Metrics) -> bool:
        """Record the metrics of an update; return whether its weights are the best so far."""
        self._means.add(metrics)
        headline = self._trainer.headline
        self._request.progress(step, self._steps, f"{headline} {metrics[headline]:.4f}")
        if self._is_due(step, _ROW_EVERY) or self.is_validation_due(step):
            return self._write_row(step)
        return False

    def is_validation_due(self, step: int) -> bool:
        """Whether a validation is due after so many updates."""
        return self._is_due(step, self._validate_every)

    def has_lost_patience(self, step: int) -> bool:
        """Whether too many validations have passed without an improvement."""
        patience = self._recipe.patience
        if patience is None:
            return False
        return step - self.best.step >= patience * self._validate_every

    def summarise(self) -> str:
        """Describe the result of a finished training in a line."""
        if not self._measured:
            return "no subject was held out to validate on"
        l1 = self._measured[VALIDATION_L1]
        psnr = self._measured[VALIDATION_PSNR]
        summary = f"held out: L1 {l1:.4f}, PSNR {psnr:.2f} dB"
        if self.best.weights:
            summary += f" (best L1 {self.best.value:.4f} at step {self.best.step})"
        return summary

    @property
    def curves(self) -> object:
        """The file that shows the curves of the losses."""
        return self._request.out / CURVES

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to store, apart from the best weights."""
        return self._means.metadata() | self.best.metadata()

    def restore(self, metadata: Mapping[str, Any], where: object) -> None:
        """Continue from the metadata of a checkpoint.

        Raises:
            OtherLossesError: If the checkpoint comes from a training with other losses.
        """
        self._means.restore(metadata, where)
        self.best.restore(metadata)

    def _is_due(self, step: int, every: int) -> bool:
        return step % every == 0 or step == self._steps

    def _write_row(self, step: int) -> bool:
        """Write a row about the updates since the last one, and validate if that is due."""
        if self._log is None:
            raise RuntimeError("observer: expected to be opened first")
        values = self._means.take()
        line = "  ".join(f"{name} {values[name]:.4f}" for name in self._trainer.reported)
        is_better = False
        if self._sample is not None and self.is_validation_due(step):
            is_better = self._validate(step, self._log, self._sample)
            values |= self._measured
            line += f"  held out: L1 {self._measured[VALIDATION_L1]:.4f}"
        self._log.add_row(step, values)
        self._log.draw_curves()
        self._request.report(f"step {step}/{self._steps}  {line}")
        return is_better

    def _validate(self, step: int, log: TrainingLog, sample: Batch) -> bool:
        """Validate on held-out slices, and draw some; return whether the weights are the best."""
        source, target = sample
        generated = self._trainer.generate(source)
        places = (np.arange(_PICTURED_SLICES) + 0.5) * len(source) // _PICTURED_SLICES
        shown = places.astype(int)
        columns = self._arrange(
            source[shown],
            generated[shown],
            target[shown],
        )
        log.draw_samples(step, columns)
        self._measured = measure(generated, target, self._trainer.find_mask(source))
        is_better = self.best.is_beaten_by(self._measured)
        if is_better:
            self.best.replace(self._measured, step, self._trainer.weights())
        return is_better

    def _arrange(
        self,
        source: Slices,
        generated: Slices,
        real: Slices,
    ) -> list[tuple[str, Slices]]:
        """Return the columns of a picture: sources without neighbours, output and target."""
        columns = []
        for name, channels in self._recipe.middle_channels.items():
            caption = name if self._recipe.sources else "Source"
            columns.append((caption, source[..., channels]))
        return [*columns, ("Generated", generated), ("Real", real)]
