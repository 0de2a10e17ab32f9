"""The packages of the extra ``report``, and what to install where they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import OasisGanError


class ReportExtraMissingError(OasisGanError):
    """A report is asked for, and Jinja2 is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "report",
            expected="the packages of the extra report",
            found="no jinja2",
            remedy="pip install 'oasis-gan[report]'",
        )


def require_report_libraries() -> None:
    """Raise `ReportExtraMissingError` if a package is missing."""
    try:
        found = find_spec("jinja2")
    except ValueError:
        found = None
    if found is None:
        raise ReportExtraMissingError
