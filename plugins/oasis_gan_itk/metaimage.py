"""Writing MetaImage (``.mha``), ITK's own format: a text header and the voxels in one file.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

from pathlib import Path

from isal import isal_zlib

from oasis_gan import Volume, write_atomically

from .image import ItkImage, numbers

_TYPES = {
    "int8": "MET_CHAR",
    "uint8": "MET_UCHAR",
    "int16": "MET_SHORT",
    "uint16": "MET_USHORT",
    "int32": "MET_INT",
    "uint32": "MET_UINT",
    "int64": "MET_LONG_LONG",
    "uint64": "MET_ULONG_LONG",
    "float32": "MET_FLOAT",
    "float64": "MET_DOUBLE",
}


def write_metaimage(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a MetaImage file, compressed; nothing of the source but its grid is carried over.

    Raises:
        OasisGanError: If a voxel is not finite, or the grid is sheared: the format cannot hold that.
        OSError: As the file system says; nothing is left under ``path``.
    """
    image = ItkImage.of(volume, path)
    data = isal_zlib.compress(image.data)
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(len(data)),
        "TransformMatrix": numbers(image.directions.ravel()),
        "Offset": numbers(image.origin),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": numbers(image.spacing),
        "DimSize": " ".join(map(str, image.size)),
        "ElementType": _TYPES[image.dtype],
        # The last field of every header: behind it come the voxels.
        "ElementDataFile": "LOCAL",
    }
    header = "".join(f"{name} = {value}\n" for name, value in fields.items())
    write_atomically(path, header.encode("ascii") + data)
