"""``python -m oasis_gan`` is ``oasis-gan``."""

from .cli.main import main

main()
