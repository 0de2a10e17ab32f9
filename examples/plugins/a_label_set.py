"""A label set tells what the values mean in a study whose rater also drew lesions.

Name the file, and the set, wherever label maps are read:

    oasis-gan run map.nii.gz --plugin a_label_set.py --labels lesion-study --out out
"""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Label, LabelSet, Structure, hookimpl

LESION_STUDY = LabelSet(
    name="lesion-study",
    labels=(
        Label(1, "Cortex"),
        Label(2, "White matter"),
        Label(3, "Ventricles"),
        # The tool knows no tissue of this name, so the set says which one it counts as.
        Structure(4, "Lesion", tissue="WM"),
    ),
)


@hookimpl
def oasis_gan_label_sets() -> Iterator[LabelSet]:
    """Offer the label set."""
    yield LESION_STUDY
