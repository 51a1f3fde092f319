"""Whether words support a claim, judged without a model; how often that judge is wrong.

`python -m rag.evals.support FOLDER` measures the judge again on CLAPNQ's answers, written by
people over sentences that they chose.
"""

import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from index.lexical import stems
from rag.evals.questions import json_lines
from rag.quantities import Token, same, tokens
from rag.words import content_words

LEAST = 0.6
# Measured on the half of CLAPNQ's development set that the threshold was chosen on.
JUDGE = (
    f"lexical (every number with its unit, and {LEAST * 100:.0f} % of the content words); on CLAPNQ"
    " it misses 6.5 % of supported answers and accepts 0.5 % of answers beside other sentences of"
    " their passage, 3.7 % of answers with one number changed"
)


def supported(claim: str, quotes: Sequence[str]) -> bool:
    """Whether the quotes together hold every number of the claim, and most of its words.

    A number with its unit is held by the same quantity, however that is written.
    """
    given = "\n".join(quotes)
    numbers = [token for token in tokens(given) if _is_number(token)]
    words = _words(claim)
    return (
        bool(quotes)
        and all(
            any(same(token, number) for number in numbers)
            for token in tokens(claim)
            if _is_number(token)
        )
        and len(words & _words(given)) >= LEAST * len(words)
    )


def citation_recall(sentences: Sequence[tuple[str, Sequence[str]]]) -> tuple[bool, ...]:
    """For each sentence with the quotes it cites, whether they jointly support it.

    ALCE's citation recall (Gao et al. 2023) is the share of these; no quotes support nothing.
    """
    return tuple(supported(text, quotes) for text, quotes in sentences)


def citation_precision(sentences: Sequence[tuple[str, Sequence[str]]]) -> tuple[bool, ...]:
    """For each quote that a sentence cites, whether it is needed.

    As in ALCE (Gao et al. 2023): the sentence is supported, and the quote supports it alone or
    the others do not without it.
    """
    return tuple(
        supported(text, quotes)
        and (supported(text, [quote]) or not supported(text, [*quotes[:at], *quotes[at + 1 :]]))
        for text, quotes in sentences
        for at, quote in enumerate(quotes)
    )


def _words(text: str) -> set[str]:
    return set(stems(" ".join(content_words(text))))


def _is_number(token: Token) -> bool:
    return token.value is not None or any(map(str.isdecimal, token.text))


def error_rates(folder: Path, seed: int = 0) -> tuple[float, float, float]:
    """Shares of supported answers missed, and of two kinds of unsupported ones accepted.

    Unsupported: the answer beside as many other sentences of the passage; the answer with one of
    its numbers changed beside its own.
    """
    rng = random.Random(seed)  # noqa: S311
    missed, beside, changed = [], [], []
    for row in (row for file in sorted(folder.glob("*.jsonl")) for row in json_lines(file)):
        for output in row["output"]:
            answer, chosen = output["answer"], output["selected_sentences"]
            if not answer.strip() or not chosen:
                continue
            missed.append(not supported(answer, chosen))
            others = [s for s in row["passages"][0]["sentences"] if s not in chosen]
            if others:
                drawn = rng.sample(others, min(len(chosen), len(others)))
                beside.append(supported(answer, drawn))
            if numbers := re.findall(r"\d[\d,]*", answer):
                number = rng.choice(numbers)
                other = str(int(number.replace(",", "")) + rng.randint(1, 9))
                changed.append(supported(answer.replace(number, other), chosen))
    missed_rate, beside_rate, changed_rate = (sum(x) / len(x) for x in (missed, beside, changed))
    return missed_rate, beside_rate, changed_rate


if __name__ == "__main__":
    rates = error_rates(Path(sys.argv[1]))
    print("missed {:.1%}, accepted beside {:.1%}, accepted changed {:.1%}".format(*rates))
