"""Read the map of the uncertainty that ``run --uncertainty`` writes beside an output."""

from __future__ import annotations

from pathlib import Path

from ..evaluation.label_maps import place_on_grid
from ..image.volume import Volume, Voxels
from ..io.endings import ending_of
from ..pipeline.further_maps import is_map_of
from ..pipeline.places import OutputFiles
from ..plugin.models import UNCERTAINTY
from ..plugin.registry import Registry
from .opening import open_scan


def read_uncertainty(registry: Registry, path: Path, output: Volume) -> Voxels | None:
    """Return the uncertainty of an output in each voxel; None if there is no map of it.

    Args:
        registry: The installed plugins.
        path: The file of the output.
        output: The output.

    Raises:
        OasisGanError: If the map cannot be read, or lies on another grid than the output.
        OSError: If the file system fails.
    """
    files = OutputFiles(path, ending_of(path.name))
    if not is_map_of(files.map_sidecar(UNCERTAINTY), path):
        return None
    # A map of few values could be taken for a label map.
    scan = open_scan(registry, files.further_map(UNCERTAINTY), "image").with_content("image")
    return place_on_grid(output, scan.read(), scan.path).voxels
