"""What all commands have in common: where results go, and how an interruption ends them."""

from __future__ import annotations

import sys

import click

from ..errors import printable, restoring_interruptions
from .signals import describe_interruption, exit_status, stopping_on_signals
from .streams import results_only


class Command(click.Command):
    """A command that writes only results to standard output; a signal ends it in one line."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            with results_only(), stopping_on_signals(), restoring_interruptions():
                return super().invoke(context)
        # Click would turn it into an `Abort`, which loses the signal and the notes.
        except KeyboardInterrupt as interruption:
            line = printable(f"oasis-gan: {describe_interruption(interruption)}")
            sys.stderr.write(f"{line}\n")
            raise click.exceptions.Exit(exit_status(interruption)) from None


class Group(click.Group):
    """The group that holds all commands."""

    command_class = Command


class CommandGroup(click.Group, Command):
    """A command with commands below it: typed alone, it does work of its own."""

    command_class = Command
