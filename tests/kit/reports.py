"""A kind of thing that plugins might offer one day, in the two files and the row that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oasis_gan.plugin.description import Description
from oasis_gan.plugin.hook_kind import HookKind
from oasis_gan.plugin.hookspecs import hookspec
from oasis_gan.testing.contract import Case, Contract, Samples


@dataclass(frozen=True, kw_only=True)
class Report(Description):
    """A way to write about outputs, which the tool does not have."""

    write: Callable[[Path], None]


GOES = DeprecationWarning(
    "oasis_gan_reports: the argument `author` goes away in API version 2; leave it out"
)


@hookspec(warn_on_impl_args={"author": GOES})
def oasis_gan_reports(author: str, language: str) -> Iterable[Report]:
    """Return the reports of a plugin."""
    raise NotImplementedError


REPORTS = HookKind(
    spec=oasis_gan_reports,
    description=Report,
    called="report",
    contract="ReportContract",
    built_in=(Report(name="plain", summary="Plain text", write=print),),
    arguments={"author": "me", "language": "en"},
)
"""The row of the table."""


class ReportContract(Contract):
    """What a report keeps to."""

    given = ("report",)

    @classmethod
    def cases(cls, offer: Report, samples: Samples) -> Iterator[Case]:
        """Yield the report, which needs no sample."""
        yield Case({"report": offer})

    def test_it_has_a_short_name(self, report: Report) -> None:
        """Its name is quickly typed."""
        assert len(report.name) < 5, "choose a shorter name"
