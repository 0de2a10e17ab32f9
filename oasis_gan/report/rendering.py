"""Renders results as HTML. Whatever comes from a user's files is text there, never markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

NIIVUE_VERSION = "0.69.0"
_NIIVUE = f"niivue-{NIIVUE_VERSION}.umd.js.gz"


def render_subject(**values: Any) -> str:  # noqa: ANN401 - what a template takes
    """Return the page of a subject.

    Args:
        values: What the template ``subject.html.j2`` names, less the viewer, the style and the
            policy; ``facts`` is what the script reads, as it can be written in JSON.
    """
    script = _read_text("report.js")
    viewer = _read_bytes(_NIIVUE)
    facts = values.pop("facts")
    template = _make_environment().get_template("subject.html.j2")
    page: str = template.render(
        **values,
        facts=Markup(format_json_for_html(facts)),  # noqa: S704 - nothing in it can end the element
        css=Markup(_read_text("report.css")),  # noqa: S704 - our own file
        js=Markup(script),  # noqa: S704 - our own file
        niivue=base64.b64encode(viewer).decode("ascii"),
        niivue_version=NIIVUE_VERSION,
        policy=_make_policy(script.encode("utf-8"), gzip.decompress(viewer)),
    )
    return page


def render_index(**values: Any) -> str:  # noqa: ANN401 - what a template takes
    """Return the index of a cohort.

    Args:
        values: What the template ``index.html.j2`` names, less the style and the policy.
    """
    template = _make_environment().get_template("index.html.j2")
    css = Markup(_read_text("report.css"))  # noqa: S704 - our own file
    page: str = template.render(**values, css=css, policy=_make_policy())
    return page


def _make_policy(*scripts: bytes) -> str:
    """Return a Content-Security-Policy: only these scripts and our style; pictures in the page."""
    sources = " ".join(_hash(script) for script in scripts) or "'none'"
    style = _hash(_read_bytes("report.css"))
    return (
        f"default-src 'none'; script-src {sources}; style-src {style}; img-src data: blob:; "
        "form-action 'none'; base-uri 'none'"
    )


def _hash(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode('ascii')}'"


def format_json_for_html(value: object) -> str:
    """Return JSON that holds none of the characters with a meaning in HTML."""
    text = json.dumps(value)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _make_environment() -> Environment:
    loader = PackageLoader("oasis_gan.report", "page")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


@cache
def _read_bytes(name: str) -> bytes:
    return files(__package__).joinpath("page", name).read_bytes()


def _read_text(name: str) -> str:
    return _read_bytes(name).decode("utf-8")
