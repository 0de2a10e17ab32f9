"""A file that is not a volume is recognised, and the message says what to do about it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import unicodedata
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import OasisGanError, Selection, read_volume
from oasis_gan.cli.choosing import list_subjects
from oasis_gan.plugin.registry import Registry

IMAGE = nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4))
NIFTI: bytes = IMAGE.to_bytes()
# Without the time, so that tests have the same names in every process.
TWICE = gzip.compress(gzip.compress(NIFTI, mtime=0), mtime=0)
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>" + bytes(999)


def refusal(path: Path) -> str:
    with pytest.raises(OasisGanError) as caught:
        read_volume(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert str(caught.value).isprintable()
    return str(caught.value).removeprefix(f"{path}: ")


def answer(path: Path) -> str:
    """Return what `run` and `check` say of a path for which no reader is named."""
    subjects, broken = list_subjects(Registry.discover(), [Selection(path)], None)
    assert not subjects
    (outcome,) = broken
    assert "nothing of the kind" not in outcome.message
    return outcome.message


# Content that is elsewhere

ANNEX = "../.git/annex/objects/3K/8v/MD5E-s12--abc.nii.gz/MD5E-s12--abc.nii.gz"


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mgz", "a.hdr"])
def test_a_link_whose_content_has_not_been_fetched_says_how_to_fetch_it(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).symlink_to(ANNEX)
    said = refusal(tmp_path / name)
    remedy = "fetch it with datalad get or git annex get"
    assert f"found a link to content that has not been fetched; {remedy}" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"/annex/objects/MD5E-s12--abc.nii.gz\n", "fetch it with datalad get or git annex get"),
        (ANNEX.encode(), "fetch it with datalad get or git annex get"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "fetch it with git lfs pull",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgz", "a.hdr"])
def test_a_pointer_file_says_how_to_fetch_what_it_stands_for(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert f"the content has not been fetched; {said}" in refusal(tmp_path / name)


def test_any_other_dangling_link_is_reported_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.nii").symlink_to("gone.nii")
    assert (
        "found a link that leads nowhere (gone.nii); fetch the file, or correct the link"
        in refusal(tmp_path / "a.nii")
    )
    (tmp_path / "b.nii").symlink_to("b.nii")
    assert "found a link that leads nowhere" in refusal(tmp_path / "b.nii")


def test_fetched_files_of_a_dataset_are_read_and_the_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "fetched.nii").write_bytes(NIFTI)
    (tmp_path / "linked.nii").symlink_to(ANNEX)
    (tmp_path / "pointer.nii").write_bytes(b"/annex/objects/MD5E-s12--abc.nii\n")
    subjects, broken = list_subjects(Registry.discover(), [Selection(tmp_path)], None)
    assert [subject.name for subject in subjects] == ["fetched", "linked", "pointer"]
    assert not broken
    subjects[0].source.read()
    for subject in subjects[1:]:
        with pytest.raises(OasisGanError, match="has not been fetched"):
            subject.source.read()


# Other formats under the name of a volume


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bz2.compress(NIFTI), "found a file compressed with bzip2; unpack it with bunzip2"),
        (lzma.compress(NIFTI), "found a file compressed with xz; unpack it with unxz"),
        (b"PK\x03\x04" + bytes(999), "found an archive; unpack it"),
        (TWICE, "found a file that is compressed twice; unpack it once with gunzip"),
        (HTML, "found a web page, perhaps that of a login; download the file again, signed in"),
        (b"\n  <HTML>please log in", "found a web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(999), "found a PNG picture, which has no place in space"),
        (b"\xff\xd8\xff\xe0" + bytes(999), "found a JPEG picture, which has no place in space"),
        (
            bytes(128) + b"DICM" + bytes(999),
            "found a DICOM file; convert the series to .nii.gz with dcm2niix",
        ),
        (
            b"\x93NUMPY\x01\0" + bytes(999),
            "found a NumPy array, which does not say where its voxels lie",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.nii.gz", "a.mgz", "a.hdr"])
def test_a_file_of_another_format_named_like_a_volume_is_recognised(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal(tmp_path / name)


# Formats next door


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"NRRD0004\n", "found an NRRD file; give it a name that ends in .nrrd"),
        (b"ObjectType = Image\n", "found a MetaImage file; give it a name that ends in .mha"),
    ],
)
@pytest.mark.parametrize("name", ["a.hdr", "a.xyz"])
def test_a_volume_under_the_name_of_another_kind_says_how_to_call_it(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    found = refusal(tmp_path / name) if name == "a.hdr" else answer(tmp_path / name)
    assert said in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.gipl", "a GIPL file"),
        ("a.JPG", "a JPEG picture"),
        ("a.tif", "a TIFF picture"),
        ("a.dcm", "dcm2niix"),
        ("a.mnc.gz", "gunzip"),
        ("a.npy", "nibabel"),
        ("a.nii.bz2", "bunzip2"),
        ("a.nii.xz", "unxz"),
        ("a.tar.gz", "an archive"),
        ("a.BRIK", "an AFNI file"),
        ("lh.white.gii", "a surface"),
        ("pairs.csv", "save it as .tsv, with tabs between the columns source and target"),
        ("pairs.txt", "save it as .tsv, with tabs between the columns source and target"),
        ("a.xyz", "a file of an unknown kind; convert it to .nii.gz"),
    ],
)
def test_a_file_of_a_known_format_is_named_with_a_way_to_convert_it(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / name).write_bytes(b"anything")
    assert said in answer(tmp_path / name)


def test_a_gzip_file_whose_name_says_nothing_of_a_volume_is_not_called_damaged(
    tmp_path: Path,
) -> None:
    (tmp_path / "seg.nii (1).gz").write_bytes(gzip.compress(NIFTI))
    said = (
        "found a gzip file of another name; "
        "give it a name that ends in .nii.gz, if it holds a NIfTI volume"
    )
    assert said in answer(tmp_path / "seg.nii (1).gz")


def test_reading_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xyz")
    assert "a file of an unknown kind" in answer(tmp_path / "a.xyz")


def test_a_dicom_file_without_an_ending_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM" + bytes(999))
    (subject,), broken = list_subjects(Registry.discover(), [Selection(tmp_path / "IM0001")], None)
    assert not broken
    with pytest.raises(OasisGanError, match="IM0001: expected pixels that GDCM can decode"):
        subject.source.read()


@pytest.mark.parametrize(
    ("ending", "said"),
    [("dcm", "a DICOM file"), ("jpg", "a JPEG picture"), ("gipl", "a GIPL file")],
)
def test_a_folder_of_another_format_says_what_is_in_it(
    tmp_path: Path, ending: str, said: str
) -> None:
    for number in range(3):
        (tmp_path / f"head{number}.{ending}").touch()
    (tmp_path / "notes.txt").touch()
    assert f"found 3 files such as head0.{ending} ({said}" in answer(tmp_path)


def test_a_folder_with_nothing_in_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert "found no files; check the folder" in answer(tmp_path / "in")
    (tmp_path / "in" / "README").touch()
    assert "found other files, such as README" in answer(tmp_path / "in")


# Names


def test_a_source_is_found_whichever_way_its_accents_are_written_and_not_in_another_case(
    tmp_path: Path,
) -> None:
    (tmp_path / unicodedata.normalize("NFD", "Zoë_seg.nii")).write_bytes(NIFTI)
    for form in FORMS:
        path = tmp_path / unicodedata.normalize(form, "Zoë_seg.nii")
        subjects, broken = list_subjects(Registry.discover(), [Selection(path)], None)
        assert not broken
        subjects[0].source.read()
    assert "found nothing there" in answer(tmp_path / unicodedata.normalize("NFD", "zoë_SEG.nii"))


# Maps that are neither labels nor an MRI


@pytest.mark.parametrize(
    ("name", "top", "said"),
    [
        ("p0sub-01.nii", 3, "a map of CAT12 with partial volumes"),
        ("mwp0sub-01.nii", 3, "a map of CAT12 with partial volumes"),
        ("sub-01_pve_1.nii.gz", 1, "the fractions of one tissue"),
        ("wc1sub-01.nii", 1, "the fractions of one tissue"),
        ("mwp1sub-01.nii", 1, "the fractions of one tissue"),
        ("sub-01_label-GM_probseg.nii.gz", 1, "the fractions of one tissue"),
    ],
)
def test_partial_volumes_are_recognised_and_refused(
    tmp_path: Path, name: str, top: float, said: str
) -> None:
    voxels = np.linspace(0, top, 120, dtype=np.float32).reshape(4, 5, 6)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / name)
    assert f"expected a label map or an MRI, found {said}" in refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "voxels"),
    [
        ("p0sub-01.nii", np.arange(120) % 4),
        ("p0sub-01.nii", np.linspace(0, 900, 120)),
        ("p1_norm.nii", np.linspace(0, 1, 120)),
        ("sub-01_pveseg.nii.gz", np.arange(120) % 4),
        ("sub-01_T1w.nii.gz", np.linspace(0, 1, 120)),
    ],
)
def test_volumes_that_only_look_like_partial_volumes_by_name_or_values_are_read(
    tmp_path: Path, name: str, voxels: NDArray[np.float64]
) -> None:
    nib.save(
        nib.Nifti1Image(voxels.astype(np.float32).reshape(4, 5, 6), np.eye(4)), tmp_path / name
    )
    assert read_volume(tmp_path / name).voxels.shape == (4, 5, 6)
