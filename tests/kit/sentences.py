"""Judge whether a sentence stands alone: understood by somebody who sees nothing around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_VERBS = """
accept act add align allow answer appear apply ask assign assume attach average avoid batch
become begin belong blend bring build call carry certify change check choose claim clear close
collect combine come compare compose compute connect contain continue convert convolve copy
correct count create crop cut decide decode decorate define deform degrade delete depend
describe detect determine differ dilate display distinguish distribute divide do double draw
drop encode end enlarge ensure enter erase estimate evaluate examine exceed expect explain
export express extract fail fall fill find finish fit fold follow forward gather get give go
group grow halve handle happen hash have help hide hold identify ignore implement import include
inform install interpolate iterate join judge keep know lack lay learn leave let lie limit list
load locate lock look lower make map mark mask match mean measure minimise mirror move multiply
name need normalise occur offer open override own pad paint parse pass pickle place plan plot
point predict prepare preserve prevent print process produce protect provide pull put raise rank
rate reach read receive recognise record reduce refer refuse register regularise reject release
remember remove rename render repeat replace report represent require resample reset reshape
resize restore resume return reverse rewrite rotate round run save say scale search see seed
segment select send separate set shade share sharpen shift ship show shrink skip slice smooth
sort speak split stack stand start state stay stop store subtract suggest sum support swap take
tell test touch track train transform translate trim try turn undo unpack unpickle update use
validate vary view visit wait walk want warn weigh wish work wrap write yield
"""
_ALSO_NOUNS = """
answers averages calls changes checks copies counts doubles ends fits groups hashes labels limits
lists locks looks maps marks masks matches means measures moves names needs pads passes places
plots points processes rates records reports runs samples scales scores segments sets shades
shares shifts slices sorts sources splits stacks stands starts states stops stores sums supports
tests turns updates uses views waits works
"""
_AUXILIARIES = """
are can cannot could did do does had has have is may might must should was were will would
"""
_AFTER_A_PLURAL = """
agree appear apply become begin belong blend bring choose come compute contain decrease define
depend describe differ exceed exist expect find follow give go hold keep know learn lie make match
offer prove provide read recognise say see share show stand stay take tell translate write
"""
_IN_THE_PAST = "became began came failed gave saw took went wrote"
_DANGLING_ENDS = "about at between by for from in into of on onto to towards with without"
_DANGLING_STARTS = "Of It Them That Which Its They Their"
_AS_THE_HELP_SHOWS_IT = re.compile(r"\s+\[default: .*\]$")


def _third_person(verb: str) -> str:
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(s|x|z|ch|sh|o)$", verb) else "s")


_FIRST = frozenset(_VERBS.split())
_NOUNS = _FIRST | frozenset(_ALSO_NOUNS.split())
_FINITE = {_third_person(verb) for verb in _FIRST} - _NOUNS
_SUBJECTS = {"that", "which", "who", "what", "reader", "user"}
_FINITE |= {*_AUXILIARIES.split(), *_AFTER_A_PLURAL.split(), *_IN_THE_PAST.split()}


def find_faults(sentence: str) -> Iterator[str]:
    """Yield the reasons why a sentence does not stand alone.

    A value in brackets at its end, as in ``[default: 3]``, is no part of it.
    """
    text = _AS_THE_HELP_SHOWS_IT.sub("", sentence.strip())
    words = re.findall(r"[A-Za-z']+", text)
    if not words:
        yield "says nothing"
        return
    if re.match("[a-z]", text):
        yield "starts with a small letter"
    if not text.endswith("."):
        yield "does not end with a full stop"
    if words[0] in _DANGLING_STARTS.split():
        yield f"starts with {words[0]}"
    if words[-1] in _DANGLING_ENDS.split() and text.rstrip(".").endswith(words[-1]):
        yield f"ends with {words[-1]}"
    if not _has_verb(words):
        yield "has no verb"


def _has_verb(words: list[str]) -> bool:
    """Whether the first word is an imperative, or a finite verb follows somewhere.

    A word that may be a noun too, such as ``check``, is a verb only after ``that``, ``user`` and
    the like.
    """
    lower = [word.lower() for word in words]
    if lower[0] in {"also", "only"}:
        lower = lower[1:]
    if lower and lower[0] in _FIRST:
        return True
    for before, word in zip(["", *lower], lower, strict=False):
        if word in _FINITE or (word in _NOUNS and before in _SUBJECTS):
            return True
    return False


def read_docstrings(source: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the docstring of a module and of all that is public in it."""
    module = ast.parse(source)
    yield "module", ast.get_docstring(module) or ""
    yield from _read_members(module)


def _read_members(parent: ast.Module | ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in parent.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        yield f"line {node.lineno}: {node.name}", ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            yield from _read_members(node)
