"""Training: updates, what is measured and kept on the way, and going on after an interruption."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from oasis_gan_keras import checkpoints
from oasis_gan_keras.backend import deterministic, start_devices
from oasis_gan_keras.changes import Change, as_comment, find_changes
from oasis_gan_keras.pairs import Batch, Pairs
from oasis_gan_keras.precision import TrainingPrecision
from oasis_gan_keras.team import Team
from oasis_gan_keras.variables import weights
from oasis_gan_keras.watching import CURVES, VALIDATION, Watch

from oasis_gan import Histogram, OasisGanError, TrainingRequest, write_atomically

from . import store
from .prediction import LinearPrediction
from .recipe import Recipe, parse_recipe
from .trainer import FIGURES, Arrays, Trainer

RECIPE, CHECKPOINTS, BEST = "recipe.toml", checkpoints.FOLDER, "best"
_OBSERVE_EVERY = 100  # steps
_SAMPLE = 48  # slices to validate on
_SHOWN = 4  # of them
_VALIDATION = (f"{VALIDATION}L1", f"{VALIDATION}PSNR")


def train(request: TrainingRequest) -> None:
    """Train on ``request.subjects`` and write the model folder ``request.out``.

    The same request gives the same model to the bit, on one machine with the same number of threads, whether it was
    interrupted or not.

    Raises:
        OasisGanError: If the recipe or the data do not do, or a loss or a gradient is no longer finite.
        OSError: As the file system says.
    """
    recipe = parse_recipe(request.recipe)
    deterministic(recipe.seed)
    team = Team.assembled()
    start_devices()
    if recipe.batch % team.devices:
        expected = f"a multiple of the {team.devices} devices"
        raise OasisGanError("recipe: batch", expected=expected, found=str(recipe.batch), remedy="fix the recipe")
    if team.chief and not request.resume and checkpoints.exist(request.out / CHECKPOINTS):
        remedy = "go on with it by --resume, or name another folder"
        raise OasisGanError(request.out, expected="a new folder", found="one with checkpoints", remedy=remedy)
    if team.chief and request.resume:
        _require_checkpoint(request.out)
    request.out.mkdir(parents=True, exist_ok=True)
    pairs = Pairs(request.subjects, recipe, request.report)
    held_out = _take_held_out(request, recipe)
    histogram = pairs.histogram
    request.report(f"{len(pairs)} slices of {', '.join(pairs.names)}")
    with team.speaking_of_the_lost("start all workers again with --resume"):
        checkpoint = checkpoints.read_last(request.out / CHECKPOINTS) if request.resume and team.chief else None
        precision = TrainingPrecision.agreed(recipe.precision, checkpoint, team, request.out)
        request.report(precision.line)
        run = _Run(request, recipe, pairs, held_out, histogram, team, precision)
        if request.resume:
            run.resume(checkpoint)
        run.go()


def _require_checkpoint(out: Path) -> None:
    """Raise `OasisGanError` if there is a model and nothing to go on from: beginning anew would replace it."""
    if (out / store.CARD).exists() and not checkpoints.exist(out / CHECKPOINTS):
        expected, remedy = "a checkpoint to go on from", "restore it, or train anew into another folder"
        raise OasisGanError(out / CHECKPOINTS, expected=expected, found="none beside the model", remedy=remedy)


def _take_held_out(request: TrainingRequest, recipe: Recipe) -> Pairs | None:
    """Return what to measure on; nothing if nobody is held out, or nobody of them can be used."""
    if not request.validation:
        return None
    pairs = Pairs(request.validation, recipe, request.report, needed=False)
    if len(pairs):
        return pairs
    request.report("nobody is left to measure on: there will be no held-out figures")
    return None


class _Run:
    """One training run, from its first or from any other step."""

    def __init__(
        self,
        request: TrainingRequest,
        recipe: Recipe,
        pairs: Pairs,
        held_out: Pairs | None,
        histogram: Histogram | None,
        team: Team,
        precision: TrainingPrecision,
    ) -> None:
        self._precision = precision
        self._request, self._recipe, self._pairs, self._held_out, self._team = request, recipe, pairs, held_out, team
        self._histogram = histogram
        self._steps = recipe.total_steps(len(pairs))
        self._validate_every = recipe.validate_every or max(len(pairs) // recipe.batch, 1)
        prediction = LinearPrediction.of(pairs.sample(_SAMPLE))
        self._trainer = Trainer(recipe, prediction, self._steps, team, precision.chosen)
        self._sample = held_out.sample(_SAMPLE) if held_out else None
        self._done, self._saved = 0, 0
        self._sums, self._summed = np.zeros(len(FIGURES)), 0
        self._best, self._best_step, self._best_weights = math.inf, 0, Arrays()
        self._stopped_improving = False
        self._measured: dict[str, float] = {}
        self._changes: list[Change] = []

    def resume(self, checkpoint: checkpoints.Checkpoint | None) -> None:
        """Take up the newest checkpoint: that of the chief, the only one that has it."""
        folder = self._request.out / CHECKPOINTS
        self._done = self._agreed(checkpoint.step if checkpoint else 0)
        if not self._done:
            self._request.report("no checkpoint yet: begun anew")
            return
        arrays = dict(checkpoint.arrays) if checkpoint else self._trainer.state()
        self._best_weights = {name[5:]: arrays.pop(name) for name in list(arrays) if name.startswith("best/")}
        self._trainer.restore(arrays, folder)
        if checkpoint:
            if not checkpoint.verified:
                self._request.report("the checkpoint is of an earlier version and has no checksum: taken as it is")
            facts = checkpoint.facts
            self._sums, self._summed = np.array(facts["sums"]), facts["summed"]
            self._best, self._best_step = facts["best"] or math.inf, facts["best_step"]
            self._take_changes(facts)
        self._saved = self._done
        self._request.report(f"resumed after step {self._done}")

    def _take_changes(self, facts: Mapping[str, Any]) -> None:
        """Note which settings are others than so far; the first versions did not remember any."""
        self._changes = [Change(**change) for change in facts.get("changes", [])]
        if "recipe" in facts:
            changes = find_changes(self._done, facts["recipe"], self._recipe.model_dump(mode="json"))
            self._changes += changes
            for change in changes:
                self._request.report(str(change))

    def go(self) -> None:
        """Do the updates that are left; the chief measures, watches and writes."""
        if self._team.chief:
            self._open()
        begun_at = self._done
        self._update_until_stopped()
        if self._team.chief:
            self._close(begun_at)

    def _update_until_stopped(self) -> None:
        """Do updates until all are done, nothing gets better, or a signal asks to stop."""
        self._stopped_improving = bool(self._agreed(self._stale()))
        for step, batch in _prefetched(self._pairs, range(self._done, self._steps), self._team):
            if self._stopped_improving:
                self._request.report(f"step {self._done}: no better since step {self._best_step}")
                break
            if self._team.any_says(self._request.stop_requested()):
                break
            figures = self._trainer.update(step, *batch)
            self._done = step + 1
            self._require_finite(figures)
            if self._team.chief:
                self._note(figures)
            if self._due(self._validate_every):
                self._stopped_improving = bool(self._agreed(self._stale()))

    @property
    def _finished(self) -> bool:
        return self._done >= self._steps or self._stopped_improving

    def _open(self) -> None:
        """Write down every setting, the recipe to train the same model with, and open the books."""
        if not self._done:
            # Of an attempt that came to no checkpoint.
            for name in (store.CARD, store.WEIGHTS):
                (self._request.out / BEST / name).unlink(missing_ok=True)
        resolved = tomli_w.dumps(self._recipe.model_dump(mode="json", exclude_none=True))
        write_atomically(self._request.out / RECIPE, (as_comment(self._changes) + resolved).encode())
        columns = ("step", *FIGURES, *_VALIDATION)
        changed_at = sorted({change.step for change in self._changes})
        self._watch = Watch(self._request.out, columns, self._done, self._recipe.tensorboard, changed_at)

    def _close(self, begun_at: int) -> None:
        """Save what is not saved yet, and say of a training that is finished how it went."""
        if self._done > self._saved:
            self._checkpoint()
        elif self._done:
            self._write_models()
        if not self._finished:
            return
        curves = self._request.out / CURVES
        if self._done == begun_at:
            more = "to train on, raise --set steps"
            self._request.report(f"finished already, after {self._done} steps; {more}; curves: {curves}")
            return
        measured = "nobody was held out to measure on"
        if self._measured:
            l1, psnr = (self._measured[name] for name in _VALIDATION)
            measured = f"held out: L1 {l1:.4f}, PSNR {psnr:.2f} dB"
        if self._best_weights:
            measured += f" (best L1 {self._best:.4f} at step {self._best_step})"
        self._request.report(f"finished after {self._done} steps; {measured}; curves: {curves}")

    def _note(self, figures: NDArray[np.float32]) -> None:
        self._sums += figures
        self._summed += 1
        self._request.progress(self._done, self._steps, f"L1 {figures[0]:.4f}")
        if self._due(_OBSERVE_EVERY) or self._due(self._validate_every):
            self._observe()
        if self._due(self._recipe.checkpoint_every):
            self._checkpoint()

    def _agreed(self, number: int) -> int:
        """Return what the chief says: a worker that decided for itself would leave the others waiting."""
        return int(self._team.from_chief([np.array(number, np.int64)])[0])

    def _due(self, every: int) -> bool:
        return self._done % every == 0 or self._done == self._steps

    def _require_finite(self, figures: NDArray[np.float32]) -> None:
        # With float16 a gradient may overflow: the loss scale is lowered, and that update left out.
        watched = len(FIGURES) - (2 if self._trainer.precision == "float16" else 0)
        for name, figure in zip(FIGURES[:watched], figures, strict=False):
            if not np.isfinite(figure):
                last = f"the last good checkpoint is that of step {self._saved}" if self._saved else "none is saved yet"
                remedy = f"lower the learning rate and resume; {last}"
                where = f"step {self._done}"
                raise OasisGanError(
                    where, expected="finite losses and gradients", found=f"{name} {figure}", remedy=remedy
                )

    def _observe(self) -> None:
        """Put down what the updates since the last time were like, and validate where that is due."""
        values = dict(zip(FIGURES, (self._sums / max(self._summed, 1)).tolist(), strict=True))
        self._sums, self._summed = np.zeros(len(FIGURES)), 0
        line = "  ".join(f"{name} {values[name]:.4f}" for name in self._losses_in_use())
        if self._sample is not None and self._due(self._validate_every):
            values |= self._validated(self._sample)
            line += f"  held out: L1 {values[_VALIDATION[0]]:.4f}"
        self._watch.row(self._done, values)
        self._watch.draw_curves()
        self._request.report(f"step {self._done}/{self._steps}  {line}")

    def _losses_in_use(self) -> list[str]:
        """Return the losses that are not 0 because the recipe leaves them out."""
        loss = self._recipe.loss
        names = {"L1": True, "texture": bool(loss.texture_weight)}
        names |= {"adversarial": loss.adversarial, "discriminator": loss.adversarial}
        return [name for name, in_use in names.items() if in_use]

    def _validated(self, sample: Batch) -> dict[str, float]:
        source, target = sample
        generated = self._trainer.generate(source)
        inside = source.max(-1) > 0
        errors = (generated - target)[inside]
        shown = (np.arange(_SHOWN) + 0.5) * len(source) // _SHOWN
        self._watch.samples(self._done, *(slices[shown.astype(int)] for slices in (source, generated, target)))
        l1 = float(np.abs(errors).mean())
        if l1 < self._best:
            self._best, self._best_step = l1, self._done
            self._best_weights = weights(self._trainer.kept)
            self._write_model(self._request.out / BEST, self._best_weights, self._best_step)
        psnr = -10 * math.log10(max(float((errors**2).mean()), 1e-12))
        self._measured = dict(zip(_VALIDATION, (l1, psnr), strict=True))
        return self._measured

    def _stale(self) -> bool:
        patience = self._recipe.patience
        return patience is not None and self._done - self._best_step >= patience * self._validate_every

    def _checkpoint(self) -> None:
        """Save the state of the run, and the model as it is."""
        arrays = self._trainer.state() | {f"best/{name}": array for name, array in self._best_weights.items()}
        facts = {
            "sums": self._sums.tolist(),
            "summed": self._summed,
            "best": self._best if self._best_weights else None,
            "best_step": self._best_step,
            "precision": self._precision.facts(),
            "recipe": self._recipe.model_dump(mode="json"),
            "changes": [asdict(change) for change in self._changes],
        }
        folder = self._request.out / CHECKPOINTS
        checkpoints.write(folder, checkpoints.Checkpoint(self._done, arrays, facts), self._recipe.keep)
        self._saved = self._done
        self._write_models()

    def _write_models(self) -> None:
        """Write the model as it is, and once the training is finished the best one again, which says so too."""
        best = self._recipe.select == "best" and self._best_weights
        self._write_model(self._request.out, self._best_weights if best else weights(self._trainer.kept), self._done)
        if self._finished and self._best_weights:
            self._write_model(self._request.out / BEST, self._best_weights, self._best_step)

    def _write_model(self, folder: Path, learnt: Arrays, step: int) -> None:
        recipe, held_out = self._recipe, self._held_out
        store.write_model(
            folder,
            learnt,
            self._trainer.smooth_end,
            texture=recipe.smooth.texture if self._trainer.smooth_end else None,
            name=recipe.name,
            version=recipe.version,
            output=recipe.output,
            source=recipe.source_contrast,
            target=self._pairs.target_contrast,
            planes=recipe.planes,
            histogram=self._histogram,
            canvas=recipe.canvas,
            generator=recipe.generator,
            training={
                "step": step,
                "steps": self._steps,
                "finished": self._finished,
                "subjects": self._pairs.names,
                "held_out": held_out.names if held_out else [],
                "slices": len(self._pairs),
                "precision": self._precision.text,
                "recipe": recipe.model_dump(mode="json"),
                "changes": [asdict(change) for change in self._changes],
            },
            software={name: importlib.metadata.version(name) for name in ("oasis-gan", "tensorflow", "keras", "numpy")},
        )


def _prefetched(pairs: Pairs, steps: range, team: Team) -> Iterator[tuple[int, Batch]]:
    """Yield this worker's part of the batches of all steps, the next being drawn while one is learnt from."""
    share = team.index, team.workers
    with ThreadPoolExecutor(1) as pool:
        upcoming = [pool.submit(pairs.batch, step, share) for step in steps[:1]]
        for step in steps:
            batch = upcoming.pop().result()
            if step + 1 < steps.stop:
                upcoming.append(pool.submit(pairs.batch, step + 1, share))
            yield step, batch
