"""Find the label map and the real scan of an output among the subjects of a dataset plugin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OasisGanError, printable
from ..io.endings import fold_case, stem_of, strip_suffix
from ..pipeline.provenance import ScanFiles
from ..plugin.datasets import Scan, Subject
from .errors import (
    AmbiguousSourceError,
    RealScanNotFoundError,
    SourceChangedError,
    SourceMissingError,
    SourceUnknownError,
)
from .outputs import Output
from .sidecars import SourceIdentity


@dataclass(frozen=True)
class Counterparts:
    """The volumes that are compared with an output.

    Args:
        labels: The label map that it was made from.
        real: The real scan.
    """

    labels: Scan | None = None
    real: Scan | None = None


class Pairs:
    """The subjects among which the counterparts of outputs are found.

    The source of a subject is known by its name and its hash, as the sidecar of an output has them.
    A scan that stands alone is known by the name of its subject.

    Args:
        root: Where they were listed, for errors.
        subjects: The subjects as `run` and `train` list them.
        source_suffix: How the names of label maps end.
        holds_labels: Whether every subject has a label map, as in a folder of them; else there may
            be scans alone.
    """

    def __init__(
        self,
        root: Path,
        subjects: Sequence[Subject],
        source_suffix: str,
        *,
        holds_labels: bool,
    ) -> None:
        self._root = root
        self._suffix = source_suffix
        self._holds_labels = holds_labels
        self._by_file: dict[str, list[Subject]] = defaultdict(list)
        self._by_name: dict[str, list[Subject]] = defaultdict(list)
        for subject in subjects:
            file = printable(subject.source.path.name)
            self._by_file[file].append(subject)
            self._by_name[fold_case(subject.name)].append(subject)

    def find(self, output: Output) -> Counterparts:
        """Return the counterparts of an output.

        Raises:
            OasisGanError: If there are none, or several that cannot be told apart.
            OSError: If a file that may be one cannot be read.
        """
        subject = self._find_source(output)
        if subject is not None and (subject.target is not None or self._holds_labels):
            return Counterparts(subject.source, subject.target)
        if self._holds_labels:
            raise self._explain_missing_source(output)
        return Counterparts(real=self._find_scan(output))

    def find_subject(self, output: Output) -> Subject:
        """Return the subject whose translation an output is.

        Raises:
            OasisGanError: If there is none, or there are several that cannot be told apart.
            OSError: If a file that may be the source cannot be read.
        """
        subject = self._find_source(output)
        if subject is None:
            raise self._explain_missing_source(output)
        return subject

    def _find_source(self, output: Output) -> Subject | None:
        """Return the subject whose source an output was made from; None if nothing says so."""
        sidecar = output.sidecar
        if sidecar is None:
            return None
        source = sidecar.source
        candidates = self._by_file.get(source.file, [])
        matching = [subject for subject in candidates if _is_file(subject.source, source)]
        # Copies of one file differ in what goes with them.
        name = sidecar.subject
        named = [subject for subject in matching if printable(subject.name) == name]
        best = named or matching
        if len(best) > 1:
            paths = [subject.source.path for subject in best]
            raise AmbiguousSourceError(output.path, paths)
        return best[0] if best else None

    def _find_scan(self, output: Output) -> Scan:
        """Return the scan that has the name of an output's subject, and is the source of none."""
        candidates: list[Subject] = []
        for name in self._list_names(output):
            candidates += self._by_name.get(name, [])
        scans = [subject.source for subject in candidates if subject.target is None]
        if len(scans) == 1:
            return scans[0]
        paths = [scan.path for scan in scans]
        raise RealScanNotFoundError(output.path, output.name, self._root, paths)

    def _list_names(self, output: Output) -> list[str]:
        """Return what the subject of an output may be called, in small letters, each name once."""
        stem = stem_of(output.path.name)
        subject, *_ = stem.split("_synth")
        names = [output.name, subject]
        if output.sidecar is not None:
            file = output.sidecar.source.file
            names += [strip_suffix(file, self._suffix) or "", stem_of(file)]
        # Before the mark or the suffix stands a separator, as in ``sub-01_synthT1w``.
        folded = [fold_case(name.rstrip("_-.")) for name in names if name]
        return list(dict.fromkeys(folded))

    def _explain_missing_source(self, output: Output) -> OasisGanError:
        if output.sidecar is None:
            return SourceUnknownError(output.path)
        file = output.sidecar.source.file
        if self._by_file.get(file):
            return SourceChangedError(output.path, file, self._root)
        return SourceMissingError(output.path, file, self._root)


def _is_file(scan: Scan, expected: SourceIdentity) -> bool:
    """Whether a scan is read from the very files that a sidecar names."""
    found = ScanFiles(scan).identity
    found_parts = [part["sha256"] for part in found.get("parts", [])]
    expected_parts = [part.sha256 for part in expected.parts]
    return found["sha256"] == expected.sha256 and found_parts == expected_parts
