"""Whether a text states a fact, by one of its aliases, however numbers and dates are written.

Both sides become tokens; an alias is found where its tokens follow one another in the text. A
token is a whole word or a whole number, so nothing is found inside a longer one.
"""

from rag.quantities import same, tokens


def matches(alias: str, text: str) -> bool:
    """Whether `text` states `alias`: the same words and numbers, whole and in order.

    Case, punctuation, quotes, accents and the ways to write a number, a unit, a sum of money or a
    date make no difference; another form of a word does.
    """
    wanted = tokens(alias)
    given = tokens(text)
    if not wanted:
        return False
    return any(
        given[at].fixed <= wanted[0].fixed
        and all(same(a, b) for a, b in zip(wanted, given[at:], strict=False))
        for at in range(len(given) - len(wanted) + 1)
    )
