"""What can be wrong with a PNG file: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from pathlib import Path

from oasis_gan import OasisGanError

_SAVE_AS_GREY = "save it as grey"


class DamagedPngError(OasisGanError):
    """A PNG file is damaged or incomplete.

    Args:
        where: The file.
        found: What is there instead.
        expected: What should be there.
    """

    def __init__(self, where: object, found: str, expected: str = "a whole PNG") -> None:
        super().__init__(
            where,
            expected=expected,
            found=found,
            remedy="copy it again, or leave it out",
        )


class NoRegularPngError(OasisGanError):
    """A PNG file is a folder, a device, a pipe or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a PNG file",
            found="no regular file",
            remedy="name a .png file",
        )


class NotPngError(OasisGanError):
    """A file has another format."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="a PNG file",
            found="another format",
            remedy="convert it to PNG, do not rename it",
        )


class NonStandardPngError(OasisGanError):
    """A PNG file needs a chunk that the standard does not have."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="a standard PNG",
            found="a chunk that is not in the standard",
            remedy="save it again as PNG",
        )


class LargeFileError(OasisGanError):
    """A PNG file is too large.

    Args:
        path: The file.
        limit: The largest size, bytes.
        size: Its size, bytes.
    """

    def __init__(self, path: Path, limit: int, size: int) -> None:
        super().__init__(
            path,
            expected=f"a slice of at most {limit} bytes",
            found=f"{size}",
            remedy="save it without metadata",
        )


class PictureSizeError(OasisGanError):
    """A picture has no pixels, or too many.

    Args:
        where: The file.
        limit: The largest number of pixels.
        width: Pixels of a row.
        height: Rows.
    """

    def __init__(self, where: object, limit: int, width: int, height: int) -> None:
        super().__init__(
            where,
            expected=f"1 to {limit} pixels",
            found=f"{width} x {height}",
            remedy="crop it, or raise `max_voxels`",
        )


class PixelDepthError(OasisGanError):
    """A picture has pixels that cannot be read without loss.

    Args:
        where: The file.
        depth: Bits of each channel.
        colour: The colour type of PNG.
    """

    def __init__(self, where: object, depth: int, colour: int) -> None:
        super().__init__(
            where,
            expected="grey, or colour of 8 bits",
            found=f"{depth} bits, colour type {colour}",
            remedy="save it as 16-bit grey",
        )


class PaletteError(OasisGanError):
    """A pixel names a colour that the palette does not have.

    Args:
        where: The file.
        colours: The number of colours in the palette.
        place: The place of the missing colour.
    """

    def __init__(self, where: object, colours: int, place: int) -> None:
        super().__init__(
            where,
            expected=f"places in a palette of {colours}",
            found=f"{place}",
            remedy=_SAVE_AS_GREY,
        )


class NotGreyError(OasisGanError):
    """A picture has colours."""

    def __init__(self, where: object) -> None:
        super().__init__(
            where,
            expected="grey pixels",
            found="colours",
            remedy=_SAVE_AS_GREY,
        )
