"""What PyTorch is measured by: the same networks, the same update, and the product of two matrices.

Eager, as PyTorch is used. ``pytorch-float32`` is what one writes first; ``pytorch-channels-last``
lays channels side by side in memory; ``pytorch-bfloat16`` does so too and computes in bfloat16:
weights and all when it translates, by autocast when it learns.
"""

from __future__ import annotations

from typing import Any

import torch
from head import head
from rounds import Prepared, Work
from torch.nn import functional
from torch_pix2pix import Discriminator, Generator

Tensor = Any
CHANNELS = 3


def prepared(work: Work) -> Prepared:
    """Return work made ready."""
    torch.manual_seed(work.seed)
    return {"inference": _inference, "training": _training, "product": _product}[work.what](work)


def _inference(work: Work) -> Prepared:
    """Send a head through the generator in batches: moving statistics for norms, no dropout."""
    precision = _precision(work)
    generator = Generator(CHANNELS, CHANNELS, work.filters, work.levels).eval().to(precision)
    generator.to(memory_format=_layout(work))
    slices = torch.from_numpy(head(work.size)[0].transpose(0, 3, 1, 2).copy())
    batches = [b.to(precision, memory_format=_layout(work)) for b in slices.split(work.batch)]

    def call() -> None:
        with torch.inference_mode():
            for batch in batches:
                generator(batch)

    return Prepared(call, len(slices), _named(precision))


def _training(work: Work) -> Prepared:
    """Update both networks with one pass of the generator and one of the discriminator an image.

    Ours shares the same passes.
    """
    generator = Generator(CHANNELS, CHANNELS, work.filters, work.levels).to(
        memory_format=_layout(work)
    )
    discriminator = Discriminator(2 * CHANNELS, work.filters).to(memory_format=_layout(work))
    optimizers = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), fused=True)
        for network in (generator, discriminator)
    ]
    precision = _precision(work)
    source = _slices(work)
    target = _slices(work)

    def call() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            generated = generator(source)
            on_real, on_generated = (
                discriminator(torch.cat([source, image], 1)).float()
                for image in (target, generated)
            )
        generator_loss = _entropy(on_generated, 1) + 100 * functional.l1_loss(
            generated.float(), target
        )
        discriminator_loss = (_entropy(on_real, 1) + _entropy(on_generated, 0)) / 2
        for optimizer in optimizers:
            optimizer.zero_grad()
        generator_loss.backward(inputs=list(generator.parameters()), retain_graph=True)
        discriminator_loss.backward(inputs=list(discriminator.parameters()))
        for optimizer in optimizers:
            optimizer.step()

    return Prepared(call, work.batch, _named(precision))


def _product(work: Work) -> Prepared:
    """Multiply two square matrices; in GFLOP."""
    precision = _precision(work)
    one, other = (torch.randn(work.size, work.size).to(precision) for _ in range(2))
    return Prepared(lambda: one @ other, 2 * work.size**3 / 1e9, _named(precision))


def _entropy(logits: Tensor, truth: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))


def _slices(work: Work) -> Tensor:
    return torch.rand(work.batch, CHANNELS, work.size, work.size).to(memory_format=_layout(work))


def _precision(work: Work) -> torch.dtype:
    return torch.bfloat16 if work.side.endswith("bfloat16") else torch.float32


def _layout(work: Work) -> torch.memory_format:
    return torch.contiguous_format if work.side.endswith("float32") else torch.channels_last


def _named(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")
