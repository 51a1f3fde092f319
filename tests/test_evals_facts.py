from datetime import date
from fractions import Fraction
from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evals.facts import matches
from rag.quantities import tokens


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("3,875kg", "They held 3 875 kilograms of it."),
        ("3 875 kilograms", "3.875 tonnes"),
        ("3.875 tonnes", "about 3,875kg in all"),
        ("300 kg", "0.3 tonnes"),
        ("300 kilograms", "a 300-kilogram haul"),
        ("2½ tonnes", "2.5 tonnes"),
        ("2 1/2 tonnes", "2½ t"),
        ("over 300", "over 300 kilograms"),
        ("kilograms", "300 kg"),
        ("77 %", "seventy-seven per cent"),
        ("seventy seven percent", "77%"),
        ("1.5 million", "1,500,000"),
        ("$1.5 million", "US$1,500,000"),
        ("US$5m", "5 million dollars"),
        ("USD 2.4bn", "$2.4 billion"),
        ("two hundred and twelve", "212 people"),
        ("three thousand eight hundred seventy-five", "3,875"),
        ("twenty", "20"),
        ("sixth campaign", "the 6th campaign"),
        ("9" * 5000, "9" * 5000),
        ("२०", "20"),
        ("19 February 2021", "on February 19, 2021, he"),
        ("19 February 2021", "2021-02-19"),
        ("2021-02-19", "Friday, the 19th of February 2021."),
        ("February 2021", "on February 19, 2021"),
        ("February 19", "19 Feb. 2021"),
        ("2017", "mid-2017"),
        ("2017", "in 2017–2018"),
        ("2:30 p.m.", "at 2:30pm"),
        ("2 pm", "2pm"),
        ("COVID-19", "the COVID‑19 years"),
        ("“Plan No. 1”", "the plan no 01"),
        ("Six-Party Meeting", "the six party meeting"),
        ("Cambodia", "Cambodia’s neighbours"),
        ("Laos", "Thailand, Laos and Vietnam"),
        ("research & development", "Research and Development"),
        ("U.N.", "the UN"),
        ("José", "JOSE"),
        ("ＡＢＣ", "abc"),
        ("東京", "東京都"),
        ("ភ្នំពេញ", "នៅភ្នំពេញ។"),
    ],
)
def test_the_same_fact_written_in_another_way(alias: str, text: str) -> None:
    assert matches(alias, text)


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("11,000", "311,000 people"),
        ("11", "11,000 people"),
        ("000", "11,000 people"),
        ("300,000", "1,300,000"),
        ("1,300", "1,300,000"),
        ("5", "0.5"),
        ("5", "3.5"),
        ("5", "-5"),
        ("5", "1/5"),
        ("30", "10:30"),
        ("2", "version 2.3.4"),
        ("3", "3D"),
        ("4", "the 4th"),
        ("1990", "the 1990s"),
        ("19", "COVID-19"),
        ("19", "19 February 2021"),
        ("19 February 2021", "19 February 2020"),
        ("seven", "seventy-seven"),
        ("70", "seventy-seven"),
        ("hundred", "two hundred"),
        ("300 kg", "300 tonnes"),
        ("300 kg", "300"),
        ("300 kg", "$300"),
        ("300 kg", "300 people"),
        ("77 percent", "77 people"),
        ("ice", "police"),
        ("student", "students"),
        ("arrested", "arrest"),
        ("one", "none"),
        ("", "anything"),
        ("…", "…"),
    ],
)
def test_another_fact(alias: str, text: str) -> None:
    assert not matches(alias, text)


@given(st.text(max_size=60))
def test_what_has_words_is_found_in_a_sentence_that_holds_it(alias: str) -> None:
    assert matches(alias, f"We saw {alias} there.") == bool(tokens(alias))


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_a_number_in_every_grouping_and_never_in_a_longer_one(number: int, digit: int) -> None:
    for written in (f"{number}", f"{number:,}", f"{number:,}".replace(",", " ")):
        assert matches(f"{number}", f"It was {written} then.")
        assert not matches(f"{number}", f"It was {written}{digit} then.")
        assert not matches(f"{number}", f"It was {written}.{digit + 1} then.")


@given(st.integers(1, 10**9))
def test_kilograms_and_tonnes(kilograms: int) -> None:
    tonnes = Fraction(kilograms, 1000)
    assert matches(f"{kilograms:,}kg", f"{float(tonnes):.3f} tonnes")


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_a_date_in_every_order(day: date) -> None:
    written = (
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
        day.isoformat(),
    )
    for one, other in product(written, written):
        assert matches(one, f"It was on {other}.")


@pytest.mark.parametrize("part", ["1,", "1,111", "1.", "1,111,", "1a", "1 ", "12:", "-1"])
def test_long_runs_of_numbers_take_no_longer_than_other_text(part: str) -> None:
    start = process_time()
    tokens(part * 12_000)
    assert process_time() - start < 2
