"""What is seen of a training while it runs: log lines, a table, curves, pictures, and the best weights so far."""

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

_OBSERVE_EVERY = 100  # steps
_SHOWN = 4  # slices in a picture


class Observer:
    """Looks at every update, and measures on held-out slices where that is due.

    Args:
        request: The folder, and who takes lines and progress.
        recipe: Whether TensorBoard is asked for, and how patient the training is.
        trainer: What is trained.
        steps: How many updates there will be.
        validate_every: Steps between two validations.
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
        """Open table and pictures, and drop what is there of later steps."""
        columns = ("step", *self._trainer.metrics, *VALIDATION_METRICS)
        changed_at = sorted({change.step for change in changes})
        out = self._request.out
        self._log = TrainingLog(out, columns, step, self._recipe.tensorboard, changed_at)

    def see(self, step: int, metrics: Metrics) -> bool:
        """Take in what an update reports; return whether the weights after it are the best so far."""
        self._means.add(metrics)
        headline = self._trainer.headline
        self._request.progress(step, self._steps, f"{headline} {metrics[headline]:.4f}")
        if self._is_due(step, _OBSERVE_EVERY) or self.validates(step):
            return self._write_row(step)
        return False

    def validates(self, step: int) -> bool:
        """Whether a validation is due after so many updates."""
        return self._is_due(step, self._validate_every)

    def has_lost_patience(self, step: int) -> bool:
        """Whether too many validations have passed without a better one."""
        patience = self._recipe.patience
        return patience is not None and step - self.best.step >= patience * self._validate_every

    def summary(self) -> str:
        """Return what a finished training came to."""
        if not self._measured:
            return "nobody was held out to measure on"
        l1 = self._measured[VALIDATION_L1]
        psnr = self._measured[VALIDATION_PSNR]
        best = (
            f" (best L1 {self.best.value:.4f} at step {self.best.step})"
            if self.best.weights
            else ""
        )
        return f"held out: L1 {l1:.4f}, PSNR {psnr:.2f} dB{best}"

    @property
    def curves(self) -> object:
        """The file that shows how the training went."""
        return self._request.out / CURVES

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to remember, but for the best weights."""
        return self._means.metadata() | self.best.metadata()

    def restore(self, metadata: Mapping[str, Any], where: object) -> None:
        """Go on from what a checkpoint remembers.

        Raises:
            OasisGanError: If it is of a training with other losses.
        """
        self._means.restore(metadata, where)
        self.best.restore(metadata)

    def _is_due(self, step: int, every: int) -> bool:
        return step % every == 0 or step == self._steps

    def _write_row(self, step: int) -> bool:
        """Write down what the updates since the last row were like, and validate where that is due."""
        if self._log is None:
            raise RuntimeError("observer: expected to be opened first")
        values = self._means.take()
        line = "  ".join(f"{name} {values[name]:.4f}" for name in self._trainer.reported)
        better = False
        if self._sample is not None and self.validates(step):
            better = self._validate(step, self._log, self._sample)
            values |= self._measured
            line += f"  held out: L1 {self._measured[VALIDATION_L1]:.4f}"
        self._log.row(step, values)
        self._log.draw_curves()
        self._request.report(f"step {step}/{self._steps}  {line}")
        return better

    def _find_pictures(
        self, source: Slices, generated: Slices, real: Slices
    ) -> list[tuple[str, Slices]]:
        """Return what is drawn side by side, with captions: each source without its neighbours, and both targets."""
        places = self._recipe.middle_channels
        sources = [
            (name if self._recipe.sources else "Source", source[..., place])
            for name, place in places.items()
        ]
        return [*sources, ("Generated", generated), ("Real", real)]

    def _validate(self, step: int, watch: TrainingLog, sample: Batch) -> bool:
        """Measure on held-out slices, and draw some; return whether the weights are the best so far."""
        source, target = sample
        generated = self._trainer.generate(source)
        shown = ((np.arange(_SHOWN) + 0.5) * len(source) // _SHOWN).astype(int)
        watch.samples(step, self._find_pictures(source[shown], generated[shown], target[shown]))
        self._measured = measure(generated, target, self._trainer.find_inside(source))
        better = self.best.is_beaten_by(self._measured)
        if better:
            self.best.replace(self._measured, step, self._trainer.weights())
        return better
