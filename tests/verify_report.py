"""The checker's own error rate on claims labelled by hand: `python -m tests.verify_report`.

The claims with an even number in the file were tuned on, those with an odd one report.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpus.read import BUILT_IN, read
from corpus.split import passages
from corpus.types import Document
from index.embed import embedder
from index.lexical import stems
from index.types import Hit
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


def main() -> None:
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
