"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A training may run on the same cores, so that no example has a deadline; those of a test share its tmp_path.
settings.register_profile(
    "oasis_gan",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("oasis_gan")
