"""The hooks that a plugin may implement; each returns descriptions of what the plugin offers.

A plugin is a module. It is found through the entry-point group ``oasis_gan``, or named with
``--plugin FILE``. Hooks collect, plain objects act: a hook is called once when the tool starts, and
must not import TensorFlow. The examples below are complete plugins, and tests run them.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ..image.label_sets import LABEL_SETS, names_of
from ..image.labels import LabelSet
from .datasets import Dataset
from .discovery import PROJECT
from .exporters import Exporter
from .hook_kind import HookKind
from .models import ModelKind

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def oasis_gan_datasets() -> Iterable[Dataset]:
    """Return the readers of this plugin.

    Example:
        A reader of NumPy files whose voxels lie 1 mm apart::

            import numpy as np
            from functools import partial
            from oasis_gan import Dataset, Geometry, OasisGanError, Scan, Subject, Volume, hookimpl

            def read(path, max_voxels):
                voxels = np.load(path, mmap_mode="r", allow_pickle=False)
                if voxels.size > max_voxels:
                    expected = f"at most {max_voxels} voxels"
                    raise OasisGanError(
                        path, expected=expected, found=f"{voxels.size}", remedy="raise --max-voxels"
                    )
                return Volume(np.array(voxels), Geometry(voxels.shape, np.eye(4)))

            def subjects(selection):
                root = selection.root
                ending = selection.source_suffix or ".npy"
                paths = [root] if root.is_file() else sorted(root.rglob(f"*{ending}"))
                if not paths:
                    raise OasisGanError(
                        root, expected=f"*{ending} files", found="none", remedy="check the path"
                    )
                for path in paths:
                    name = str(path.relative_to(root.parent).with_suffix(""))
                    yield Subject(name, Scan(path, partial(read, max_voxels=selection.max_voxels)))

            @hookimpl
            def oasis_gan_datasets():
                yield Dataset(
                    name="numpy",
                    summary="NumPy arrays, 1 mm",
                    open=subjects,
                    recognises=lambda path: path.suffix == ".npy",
                )
    """
    raise NotImplementedError


@hookspec
def oasis_gan_models() -> Iterable[ModelKind]:
    """Return the kinds of model of this plugin.

    Example:
        A model that paints each tissue of a label map in one grey, and needs no training::

            import numpy as np
            from pathlib import Path
            from oasis_gan import (
                OASIS,
                Canvas,
                ModelCard,
                ModelKind,
                Plane,
                Window,
                hookimpl,
                plane_option,
                slicewise,
            )

            GREYS = np.array([0.30, 0.55, 0.75], np.float32)
            PLANES = tuple(Plane)
            CARD = ModelCard(
                name="paint",
                version="1",
                sources={"labels": OASIS},
                target=Window((0, 1000), (0, 1)),
                output="paint",
                options=(plane_option(PLANES),),
            )

            def predict(slices, mask):
                return slices @ GREYS[:, np.newaxis]

            def load(folder, plane="auto"):
                canvas = Canvas(spacing=1.0, size=1, multiple=1)
                return slicewise(predict, CARD, planes=PLANES, canvas=canvas, plane=plane)

            @hookimpl
            def oasis_gan_models():
                yield ModelKind(
                    name="paint",
                    summary="One grey a tissue",
                    card=lambda folder: CARD,
                    load=load,
                    shipped={"paint": Path()},
                )
    """
    raise NotImplementedError


@hookspec
def oasis_gan_exporters() -> Iterable[Exporter]:
    """Return the exporters of this plugin.

    Example:
        An exporter of NumPy files::

            import io
            import numpy as np
            from oasis_gan import Exporter, hookimpl, write_atomically

            def write(volume, path):
                file = io.BytesIO()
                np.save(file, volume.voxels)
                write_atomically(path, file.getvalue())

            @hookimpl
            def oasis_gan_exporters():
                yield Exporter(
                    name="numpy",
                    summary="NumPy array, no geometry",
                    suffix=".npy",
                    write=write,
                )
    """
    raise NotImplementedError


@hookspec
def oasis_gan_label_sets() -> Iterable[LabelSet]:
    """Return the label sets of this plugin: what the values of label maps mean.

    Each can be named with ``--labels``. For a model of tissues, the name of a label decides which
    tissue it counts as, or else a `Structure` says it: CSF, GM, WM or background.

    Example:
        The label maps of a study, with a label that no other set has::

            from oasis_gan import Label, LabelSet, Structure, hookimpl

            TUMOUR = LabelSet(
                name="tumour",
                labels=(
                    Label(1, "CSF"),
                    Label(2, "GM"),
                    Label(3, "WM"),
                    Structure(10, "Tumour", tissue="WM"),
                ),
            )


            @hookimpl
            def oasis_gan_label_sets():
                yield TUMOUR
    """
    raise NotImplementedError


HOOK_KINDS = (
    HookKind(
        spec=oasis_gan_datasets,
        description=Dataset,
        called="dataset",
        contract="DatasetContract",
    ),
    HookKind(
        spec=oasis_gan_models,
        description=ModelKind,
        called="model kind",
        contract="ModelContract",
    ),
    HookKind(
        spec=oasis_gan_exporters,
        description=Exporter,
        called="exporter",
        contract="ExporterContract",
    ),
    HookKind(
        spec=oasis_gan_label_sets,
        description=LabelSet,
        called="label set",
        contract="LabelSetContract",
        names_of=names_of,
        built_in=LABEL_SETS.members,
    ),
)
"""All kinds of things that plugins offer.

A new kind is a row here with its hook, a description, and a contract.
"""
