"""``python -m oasis_gan`` is ``oasis-gan``."""

from .cli import main

main()
