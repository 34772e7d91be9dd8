"""From the file to the model, or to everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from kubikk.cluster.checks import Draft, findings
from kubikk.cluster.document import Document, Location, parse
from kubikk.cluster.files import DIRECTORY
from kubikk.cluster.models import Cluster
from kubikk.cluster.section import describe
from kubikk.cluster.translation import translate
from kubikk.errors import Problem, ProblemsError

_START = "Start with hosts: and a list of hosts; inventory/examples has whole files."


def load(path: Path) -> Cluster:
    """Reads a cluster file.

    Args:
        path: the file; relative paths in it start at its directory.

    Raises:
        ProblemsError: it cannot be read or is invalid; all problems are in it, in the order of the file.
    """
    file = path.expanduser()
    return _validate(parse(_read(file), file))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem("the file is not UTF-8 text", file=file, line=line, remedy="Save it as UTF-8.")
    except FileNotFoundError:
        problem = Problem("there is no such file", file=file, remedy="Name the cluster file with -f.")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        problem = Problem(f"the file cannot be read: {why}", file=file, remedy="Name the cluster file with -f.")
    raise _error(file, [problem])


def _validate(document: Document) -> Cluster:
    if document.data is None and not document.problems:
        raise _error(document.file, [Problem("the file is empty", file=document.file, remedy=_START)])
    if not isinstance(document.data, dict):
        what = f"expected a mapping at the top, not {describe(document.data)}"
        found = document.problems or [document.problem((), what, _START)]
        raise _error(document.file, found)

    cluster: Cluster | None = None
    invalid: dict[Location, Problem] = {}
    try:
        cluster = Cluster.model_validate(document.data, context={DIRECTORY: document.file.absolute().parent})
    except ValidationError as error:
        invalid = translate(error, document)
    between = findings(Draft(document.data, invalid.keys()), document)
    problems = [
        *document.problems,
        *invalid.values(),
        *(document.problem(finding.location, finding.message, finding.remedy) for finding in between),
    ]
    if cluster is None or problems:
        raise _error(document.file, problems)
    return cluster


def _error(file: Path, problems: list[Problem]) -> ProblemsError:
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    count = "a problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return ProblemsError(f"the cluster file {file} has {count}", ordered)
