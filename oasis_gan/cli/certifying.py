"""``oasis-gan run --evaluate``: a certificate for each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OasisGanError, one_line
from ..evaluation.certificates import CertificateTable, read_certificate, write_certificate
from ..evaluation.evaluating import evaluate
from ..evaluation.libraries import require_libraries
from ..evaluation.outputs import Output
from ..evaluation.pairing import Pairs
from ..evaluation.reading import Task
from ..evaluation.segmenting import ModelSegmenter, require_segmenter
from ..evaluation.sidecars import read_sidecar
from ..plugin.datasets import Subject
from ..plugin.foreign import foreign_code
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .choosing import read_card
from .flags import with_flags
from .opening import open_scan
from .progress import reporting
from .segmenting import MODEL_FLAG, load_segmenter

_FLAG = "--evaluate"


class NothingToCertifyError(OasisGanError):
    """A model makes no MRI of a label map, so that there is nothing to compare a segmentation with."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(
            _FLAG,
            expected="a model that makes an MRI of a label map",
            found=f"{card.name}, which makes {card.target.content} of {card.source.content}",
            remedy="leave it out, or evaluate the outputs against real scans afterwards",
        )


class SegmenterUnusedError(OasisGanError):
    """A user names a segmenter, and nothing is to be segmented."""

    def __init__(self) -> None:
        super().__init__(
            MODEL_FLAG,
            expected=f"{_FLAG} beside it",
            found="none",
            remedy=f"add {_FLAG}",
        )


class NoSegmenterInstalledError(OasisGanError):
    """No installed model can segment an MRI."""

    def __init__(self) -> None:
        super().__init__(
            _FLAG,
            expected="a model that makes labels of an MRI",
            found="none installed",
            remedy=f"install a plugin that brings one, or name a model folder with {MODEL_FLAG}",
        )


@dataclass(frozen=True, eq=False)
class Certifier:
    """Evaluates outputs of a run by segmenting them again.

    Args:
        registry: The installed plugins.
        segmenter: The model that segments.
    """

    registry: Registry
    segmenter: ModelSegmenter

    def certify_all(self, outputs: Sequence[Path], subjects: Sequence[Subject], out: Path) -> bool:
        """Write a certificate for each output that has none yet; return whether all have one then.

        Args:
            outputs: The volumes.
            subjects: The subjects that they were made from.
            out: The output folder.
        """
        pairs = Pairs(out, subjects, "", holds_labels=True)
        table = CertificateTable(out)
        complete = True
        with reporting("evaluating", len(outputs)) as reporter:
            for index, output in enumerate(outputs):
                reporter.advance(index, len(outputs), f"evaluating {output.name}")
                try:
                    with foreign_code(output):
                        self._certify(output, pairs, table)
                # Readers and models may be anybody's.
                except Exception as error:  # noqa: BLE001
                    message = with_flags(one_line(error))
                    reporter.say(f"{output.name}: not evaluated - {message}")
                    complete = False
        return complete

    def _certify(self, output: Path, pairs: Pairs, table: CertificateTable) -> None:
        certificate = read_certificate(output, self.segmenter.name)
        if certificate is None:
            task = self._make_task(output, pairs)
            evaluation = evaluate(task)
            certificate = write_certificate(output, evaluation, self.segmenter.name)
        table.add(certificate)

    def _make_task(self, path: Path, pairs: Pairs) -> Task:
        sidecar = read_sidecar(path)
        name = sidecar.subject if sidecar else path.name
        found = pairs.find(Output(name, path, sidecar))
        labels = found.labels.holding("labels") if found.labels else None
        scan = open_scan(self.registry, path, "image").holding("image")
        return Task(name, scan, sidecar, None, labels, segmenter=self.segmenter)


def make_certifier(
    registry: Registry,
    card: ModelCard,
    segmenter: str | None,
    plugin_files: tuple[Path, ...],
) -> Certifier:
    """Load the model that segments the outputs of a run.

    Args:
        registry: The installed plugins.
        card: Of the model whose outputs are evaluated.
        segmenter: The name or the folder of the model that segments; by default the first that can.
        plugin_files: The plugin files that are in use.

    Raises:
        OasisGanError: If outputs of that model cannot be evaluated, or a package or a model is
            missing.
        OSError: As the file system says.
    """
    require_libraries()
    if (card.source.content, card.target.content) != ("labels", "image"):
        raise NothingToCertifyError(card)
    name = segmenter or _find_default(registry)
    return Certifier(registry, load_segmenter(registry, name, plugin_files))


def _find_default(registry: Registry) -> str:
    """Return the name of the first model that can segment an MRI."""
    for name, model in registry.trained.offers.items():
        try:
            require_segmenter(read_card(model.kind, model.folder))
        except (OasisGanError, OSError):
            continue
        return name
    raise NoSegmenterInstalledError
