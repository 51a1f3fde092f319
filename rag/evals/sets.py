"""The cases that an index can be asked: the built-in ones, feedback, files beside the index."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import FootnoteError
from rag.errors import BadCases
from rag.evals.cases import Case, Problem, check_cases, load, parse
from rag.evals.command import Documents
from rag.evals.feedback import KEPT, OPEN
from rag.evals.results import Searches
from rag.evals.run import KNOWN_FACTS

BUILT_IN, FEEDBACK = "Known facts", "Feedback"
MOST = 5000


@dataclass(frozen=True, slots=True)
class CaseSet:
    """Cases under a name. `problems` say which were left out, or why there are none at all."""

    name: str
    cases: tuple[Case, ...]
    problems: tuple[str, ...] = ()

    @property
    def tags(self) -> Mapping[str, int]:
        """How many cases have each tag, most first."""
        counts: dict[str, int] = {}
        for case in self.cases:
            for tag in case.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

    def chosen(self, tags: Sequence[str], sample: int | None, seed: int = 0) -> tuple[Case, ...]:
        """The cases with one of the tags (no tags: all), `sample` of them in their own order."""
        found = [c for c in self.cases if not tags or set(tags) & set(c.tags)]
        if sample is not None and 0 < sample < len(found):
            kept = sorted(random.Random(seed).sample(range(len(found)), sample))  # noqa: S311
            found = [found[at] for at in kept]
        return tuple(found)


def beside(folder: Path, index: Searches) -> Iterator[CaseSet]:
    """The sets that can be asked of the index in `folder`.

    The built-in cases are among them where all of them fit its documents; of a file's cases those
    that do not fit are left out, and a file that cannot be read has none.
    """
    built_in = load(KNOWN_FACTS)
    if not check_cases(built_in, Documents(index)):
        yield CaseSet(BUILT_IN, built_in)
    if (folder / KEPT).exists() and (folder / KEPT).stat().st_size:
        yield _from(FEEDBACK, folder / KEPT, index)
    for file in sorted(folder.glob("*.jsonl")):
        if file.name not in (KEPT, OPEN):
            yield _from(file.name, file, index)


def uploaded(name: str, text: str, index: Searches) -> CaseSet:
    """The cases of a file that somebody brought. Raises BadCases where it cannot be read."""
    return _fitting(name, parse(text, name), index)


def _from(name: str, file: Path, index: Searches) -> CaseSet:
    try:
        return _fitting(name, load(file), index)
    except FootnoteError as error:
        return CaseSet(name, (), (str(error).replace(str(file), file.name),))


def _fitting(name: str, cases: Sequence[Case], index: Searches) -> CaseSet:
    if len(cases) > MOST:
        raise BadCases(f"{name} has {len(cases):,} cases: the page takes {MOST:,} at most")
    problems = check_cases(cases, Documents(index))
    bad = {problem.case for problem in problems}
    fit = tuple(case for case in cases if case.id not in bad)
    return CaseSet(name, fit, tuple(map(_line, problems)))


def _line(problem: Problem) -> str:
    return f"{problem}; it is left out"
