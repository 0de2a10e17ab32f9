"""What segments outputs: a model of the registry, or a command that reads a volume and writes a label map."""

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


def load_segmenter(registry: Registry, name: str, plugin_files: tuple[Path, ...]) -> ModelSegmenter:
    """Load a model that segments.

    Args:
        registry: The installed plugins.
        name: The name of the model, or its folder.
        plugin_files: The plugin files that are in use.

    Raises:
        OasisGanError: If there is no such model, or it cannot segment an MRI.
        OSError: As the file system says.
    """
    kind, folder = choose_model(registry, name, MODEL_FLAG)
    card = read_card(kind, folder)
    with using_model(folder, kind.name):
        require_segmenter(card)
    warn_of_note(card, folder)
    files = [PluginFile.identify(file) for file in plugin_files]
    options = choose_options(card, {})
    model = ModelReference.of(kind, folder, card, options, files)
    return ModelSegmenter(model.load())


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
            raise _wrong_command(command, one_line(error)) from None
        for placeholder in (_INPUT, _OUTPUT):
            if not any(placeholder in word for word in self._words):
                raise _wrong_command(command, f"no {placeholder}")
        if shutil.which(self._words[0]) is None:
            expected = "a program that can be run"
            remedy = "check its name, and whether it is installed"
            raise OasisGanError(FLAG, expected=expected, found=self._words[0], remedy=remedy)

    def segment(self, volume: Path, role: str) -> Path:
        """Segment a volume and return the path of the result.

        Args:
            volume: The file.
            role: What it is: the next volume of that role takes the place of its result.

        Raises:
            OasisGanError: If the command fails, or writes nothing.
        """
        result = self._folder / f"{role}.nii.gz"
        result.unlink(missing_ok=True)
        paths = {_INPUT: str(volume.absolute()), _OUTPUT: str(result)}
        done = subprocess.run(  # noqa: S603 - the user's own command
            [_fill_in(word, paths) for word in self._words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise self._failure(volume, f"exit status {done.returncode}", done.stdout)
        if not result.is_file():
            raise self._failure(volume, "no file", done.stdout)
        return result

    def _failure(self, volume: Path, found: str, output: bytes) -> OasisGanError:
        lines = output.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        found = f"{found} ({last})" if last else found
        expected = f"a segmentation by {self._words[0]} in {_OUTPUT}"
        remedy = "run the command by itself to see more"
        return OasisGanError(volume, expected=expected, found=found, remedy=remedy)


def _fill_in(word: str, paths: dict[str, str]) -> str:
    """Put the paths in; what is in a path stays as it is."""
    before, placeholder, after = word.partition(_INPUT)
    parts = [before, after] if placeholder else [word]
    filled = [part.replace(_OUTPUT, paths[_OUTPUT]) for part in parts]
    return paths[_INPUT].join(filled)


def _wrong_command(command: str, found: str) -> OasisGanError:
    expected = f"a command with {_INPUT} and {_OUTPUT}"
    remedy = "for example 'mri_synthseg --i {input} --o {output}'"
    return OasisGanError(f"{FLAG} {command!r}", expected=expected, found=found, remedy=remedy)
