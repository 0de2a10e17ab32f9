"""Segment outputs with a model of the registry, or with a command of the user."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from ..errors import OasisGanError, one_line
from ..evaluation.segmenting import ModelSegmenter, require_segmenter
from ..plugin.foreign import using_model
from ..plugin.model_references import ModelReference
from ..plugin.plugin_files import PluginFile
from ..plugin.registry import Registry
from .choosing import choose_model, choose_options, read_card, warn_of_note

FLAG = "--segment"
MODEL_FLAG = "--segmenter"
_INPUT = "{input}"
_OUTPUT = "{output}"


def load_segmenter(
    registry: Registry,
    name: str,
    plugin_files: tuple[Path, ...],
) -> ModelSegmenter:
    """Load a model that segments.

    Args:
        registry: The installed plugins.
        name: The name of the model, or its folder.
        plugin_files: The plugin files that are in use.

    Raises:
        OasisGanError: If there is no such model, or it cannot segment an MRI.
        OSError: If the file system fails.
    """
    kind, folder = choose_model(registry, name, MODEL_FLAG)
    card = read_card(kind, folder)
    # Checked before the weights are loaded, which takes seconds.
    with using_model(folder, kind.name):
        require_segmenter(card)
    warn_of_note(card, folder)
    files = [PluginFile.identify(file) for file in plugin_files]
    options = choose_options(card, {})
    model = ModelReference.of(kind, folder, card, options, files)
    return ModelSegmenter(model.load())


class WrongCommandError(OasisGanError):
    """The command of a user cannot segment volumes, because it does not name both files."""

    def __init__(self, command: str, found: str) -> None:
        super().__init__(
            f"{FLAG} {command!r}",
            expected=f"a command with {_INPUT} and {_OUTPUT}",
            found=found,
            remedy="for example 'mri_synthseg --i {input} --o {output}'",
        )


class NoSuchProgramError(OasisGanError):
    """The program that a command names cannot be run."""

    def __init__(self, program: str) -> None:
        super().__init__(
            FLAG,
            expected="a program that can be run",
            found=program,
            remedy="check its name, and whether it is installed",
        )


class SegmenterFailedError(OasisGanError):
    """The command of a user has not segmented a volume.

    Args:
        volume: The volume.
        program: The program.
        outcome: What it did instead.
        last_line: The last line that it printed; empty if it printed none.
    """

    def __init__(
        self,
        volume: Path,
        program: str,
        outcome: str,
        last_line: str,
    ) -> None:
        super().__init__(
            volume,
            expected=f"a segmentation by {program} in {_OUTPUT}",
            found=f"{outcome} ({last_line})" if last_line else outcome,
            remedy="run the command by itself to see more",
        )


class CommandSegmenter:
    """Runs a command for one volume after the other; no shell is involved.

    Args:
        command: What to run, with ``{input}`` and ``{output}`` for the paths of the two files.
        folder: An empty folder for results.

    Raises:
        OasisGanError: If the command does not name both files, or its program is not there.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self._folder = folder
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise WrongCommandError(command, one_line(error)) from None
        for placeholder in (_INPUT, _OUTPUT):
            if not any(placeholder in word for word in self._words):
                raise WrongCommandError(command, f"no {placeholder}")
        # Reported once here, and not for every volume.
        if shutil.which(self._program) is None:
            raise NoSuchProgramError(self._program)

    def segment(self, volume: Path, role: str) -> Path:
        """Segment a volume and return the path of the result.

        Args:
            volume: The file.
            role: What it is: the next volume of that role takes the place of its result.

        Raises:
            OasisGanError: If the command fails, or writes nothing.
        """
        result = self._folder / f"{role}.nii.gz"
        # Otherwise the result of another volume could be taken for that of this one.
        result.unlink(missing_ok=True)
        done = self._run(volume, result)
        if done.returncode:
            outcome = f"exit status {done.returncode}"
        elif not result.is_file():
            outcome = "no file"
        else:
            return result
        last_line = _find_last_line(done.stdout)
        raise SegmenterFailedError(volume, self._program, outcome, last_line)

    @property
    def _program(self) -> str:
        return self._words[0]

    def _run(self, volume: Path, result: Path) -> subprocess.CompletedProcess[bytes]:
        paths = {_INPUT: str(volume.absolute()), _OUTPUT: str(result)}
        command = [_fill_in(word, paths) for word in self._words]
        return subprocess.run(  # noqa: S603 - the user's own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )


def _fill_in(word: str, paths: dict[str, str]) -> str:
    """Put the paths in; what is in a path stays as it is."""
    # Split first: the path of the input may hold "{output}" itself.
    before, placeholder, after = word.partition(_INPUT)
    parts = [before, after] if placeholder else [word]
    filled = [part.replace(_OUTPUT, paths[_OUTPUT]) for part in parts]
    return paths[_INPUT].join(filled)


def _find_last_line(output: bytes) -> str:
    """Return the last line that a program has printed, which tends to say what went wrong."""
    text = output.decode(errors="replace").strip()
    _, _, last_line = text.rpartition("\n")
    return last_line.strip()
