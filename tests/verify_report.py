"""The checker's own error rate on claims labelled by hand: `python -m tests.verify_report`.

The claims with an even number in the file were tuned on, those with an odd one report. With `--fit`
each constant of the checker is moved alone, and what that does to both halves is printed.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from corpus.read import BUILT_IN, read
from corpus.split import passages
from corpus.types import Document
from index.embed import embedder
from index.lexical import stems
from index.types import Hit
from rag import objections, verify
from rag.types import Evidence
from rag.verify import Verdict, Verifier

CLAIMS = Path(__file__).parent / "claims.jsonl"
TUNED, REPORTED = 0, 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about the built-in corpus, the words it cites, and whether they carry it."""

    claim: str
    document: str
    quote: str
    label: str
    way: str


class Counted:
    """How many of some passages hold a word."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.passages = len(texts)
        self._seen = Counter(stem for text in texts for stem in set(stems(text)))

    def frequency(self, word: str) -> int:
        return min((self._seen[stem] for stem in stems(word)), default=0)


def claims() -> list[Claim]:
    return [Claim(**json.loads(line)) for line in CLAIMS.read_text("utf-8").splitlines()]


@cache
def documents() -> dict[str, Document]:
    return {path.name: read(path, path.name) for path in sorted(BUILT_IN.glob("*.md"))}


def evidence_of(document: Document) -> Iterator[Evidence]:
    """Every sentence of a document as evidence, each once."""
    seen = set()
    for passage in passages(document):
        hit = Hit(passage, 1.0, 0, 0, 0.5, 1.0)
        for sentence in passage.sentences:
            if not sentence.is_heading and sentence.span not in seen:
                seen.add(sentence.span)
                yield Evidence(document, sentence, hit, 0.0, 0.5, None)


@cache
def offered(document: str) -> tuple[Evidence, ...]:
    return tuple(evidence_of(documents()[document]))


@cache
def frequencies() -> Counted:
    return Counted([p.text for d in documents().values() for p in passages(d)])


@cache
def verifier(document: str) -> Verifier:
    return Verifier(offered(document), embedder("minilm"), frequencies())


def verdict(claim: Claim) -> Verdict:
    """The claim against the words that it cites, and those alone."""
    cited = [one for one in offered(claim.document) if one.text == claim.quote]
    assert len(cited) == 1, claim
    return verifier(claim.document).weigh(claim.claim, cited)


def is_right(claim: Claim) -> bool:
    """Whether the checker says of the claim what its label says."""
    return (verdict(claim).support == "supported") == (claim.label == "supported")


def rates(half: int) -> tuple[float, float]:
    """The shares of wrong claims that are marked, and of right ones that are supported."""
    found: dict[str, list[bool]] = defaultdict(list)
    for claim in claims()[half::2]:
        found[claim.label].append(is_right(claim))
    wrong, right = found["unsupported"], found["supported"]
    return sum(wrong) / len(wrong), sum(right) / len(right)


SWEPT: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (verify, "BIAS", (-5.7, -5.1, -4.8, -4.5, -4.2, -3.9, -3.3)),  # as if SUPPORTED_FROM moved
    (verify, "SHARED", (1.6, 2.1, 2.6, 3.1, 3.6)),
    (verify, "NEAR", (3.6, 4.1, 4.6, 5.1, 5.6)),
    (verify, "NEAR_AT_LEAST", (0.3, 0.4, 0.45, 0.5, 0.6)),
    (objections, "NEAR", (1, 2, 3, 4, 6)),
    (objections, "SCOPE", (2, 3, 4, 5, 7, 9)),
)
SWEPT_ATTACHING: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (verify, "ATTACHED_FROM", (-0.7, -0.3, 0.0, 0.3, 0.7, 1.2)),
    (verify, "SHARED_AT_LEAST", (0.35, 0.45, 0.55, 0.65, 0.75)),
    (verify, "TRIED", (1, 2, 3, 5, 8)),
)


def attached(half: int) -> tuple[float, float]:
    """The same shares where every claim comes with the label of the sentence after its own.

    A right claim counts where it ends up supported, by whatever words of its document: which ones
    is not looked at. A wrong one counts where it is marked all the same; those that another
    sentence does carry (`elsewhere`) are left out.
    """
    found: dict[str, list[bool]] = defaultdict(list)
    for claim in claims()[half::2]:
        if claim.way == "elsewhere":
            continue
        checked = verifier(claim.document).check(claim.claim, [_another(claim)])
        right = claim.label == "supported"
        found[claim.label].append((checked.support == "supported") == right)
    wrong, right = found["unsupported"], found["supported"]
    return sum(wrong) / len(wrong), sum(right) / len(right)


def _another(claim: Claim) -> Evidence:
    """The sentence that follows the one cited; the first one after the last."""
    sentences = offered(claim.document)
    at = next(at for at, one in enumerate(sentences) if one.text == claim.quote)
    return sentences[(at + 1) % len(sentences)]


def fit() -> None:
    """Prints what moving each constant does to the shares of claims that are told rightly."""
    for title, swept, measured in (
        ("each claim against the words it cites", SWEPT, rates),
        ("each claim with the label of the sentence after", SWEPT_ATTACHING, attached),
    ):
        print(f"{title}\n{'':24}{'value':>8}  {'tuned on':^22}  {'held out':^22}")
        print(f"{'':34}{'marked   kept   mean':>22}  {'marked   kept   mean':>22}")
        for module, name, values in swept:
            stands = getattr(module, name)
            for value in values:
                setattr(module, name, value)
                shown = "  ".join(_row(*measured(half)) for half in (TUNED, REPORTED))
                here = "  <- stands" if value == stands else ""
                where = f"{module.__name__.split('.')[-1]}.{name}"
                print(f"{where:24}{value:>8}  {shown}{here}", flush=True)
            setattr(module, name, stands)
            print()


def _row(marked: float, kept: float) -> str:
    return f"{marked:>8.3f}{kept:>7.3f}{(marked + kept) / 2:>7.3f}"


def main() -> None:
    if "--fit" in sys.argv:
        fit()
        return
    for half, name in ((TUNED, "tuned on"), (REPORTED, "reported on")):
        marked, kept = rates(half)
        print(f"{name:12} wrong marked {marked:.3f}   right supported {kept:.3f}")
    by_way: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims()[REPORTED::2]:
        by_way[f"{claim.label} · {claim.way}"].append(claim)
    for way, found in sorted(by_way.items()):
        print(f"  {way:28} {sum(map(is_right, found)):3} of {len(found)}")
        for claim in found if "-v" in sys.argv else ():
            if not is_right(claim):
                print(f"      {claim.claim}  {verdict(claim).why}")


if __name__ == "__main__":
    main()
