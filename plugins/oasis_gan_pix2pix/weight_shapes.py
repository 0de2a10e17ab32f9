"""What the weights of a generator are called, and how large they are, without building it."""

from __future__ import annotations

from .recipe import GeneratorSettings

Shapes = dict[str, tuple[int, ...]]
_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_NORM_PARTS = {"batch": _BATCH_NORM, "instance": _BATCH_NORM[:2], "none": ()}


def level_widths(settings: GeneratorSettings) -> list[int]:
    """Return the filters of each level of a generator, the outermost first."""
    return [settings.filters * min(2**level, settings.widest) for level in range(settings.levels)]


def weight_shapes(settings: GeneratorSettings, channels_in: int, channels_out: int) -> Shapes:
    """Return the shape of each weight of `networks.generator`, by name."""
    widths = level_widths(settings)
    shapes: Shapes = {}
    for level, width in enumerate(widths):
        norm = settings.norm if settings.normed_at(level) else "none"
        kernel = (4, 4, widths[level - 1] if level else channels_in, width)
        shapes |= _block(f"down{level + 1}", kernel, width, norm)
    seen = widths[-1]
    for level in range(settings.levels - 1, 0, -1):
        width = widths[level - 1]
        shapes |= _block(f"up{level + 1}", _doubling(settings, seen, width), width, settings.norm)
        seen = 2 * width if settings.architecture == "u-net" else width
    if not settings.skips_whole:
        return shapes | _convolution("output_conv", _doubling(settings, seen, channels_out), channels_out)
    outermost = settings.outermost
    shapes |= _block("up1", _doubling(settings, seen, outermost), outermost, settings.norm)
    beside = (2 if settings.noise else 1) * channels_in
    return shapes | _convolution("output", (3, 3, outermost + beside, channels_out), channels_out)


def _doubling(settings: GeneratorSettings, channels: int, filters: int) -> tuple[int, ...]:
    return (3, 3, channels, filters) if settings.upsample == "resize" else (4, 4, filters, channels)


def _block(name: str, kernel: tuple[int, ...], filters: int, norm: str) -> Shapes:
    """Return the weights of a convolution and of its norm, in whose place a bias may be."""
    if norm == "none":
        return _convolution(f"{name}_conv", kernel, filters)
    return {f"{name}_conv/kernel": kernel} | {f"{name}_norm/{part}": (filters,) for part in _NORM_PARTS[norm]}


def _convolution(name: str, kernel: tuple[int, ...], filters: int) -> Shapes:
    return {f"{name}/kernel": kernel, f"{name}/bias": (filters,)}
