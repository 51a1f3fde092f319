"""The evaluation page before its results, as HTML: which cases to ask, and how far that is.

File names, tags and messages come from people: all of it is escaped here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rag.evals.background import Run
from rag.evals.kept import Kept
from rag.evals.sets import BUILT_IN, FEEDBACK, CaseSet

TAGS = 24
PROBLEMS = 20
BROUGHT = "brought"
"""What the form calls a file that the person has chosen themselves."""
CLOSED = (
    "This Footnote is served read-only: its documents can be asked, but no evaluation is started"
    " here."
)
_SAYS: Mapping[str, str] = {
    BUILT_IN: "what the built-in documents are known to say",
    FEEDBACK: "made of what people said of answers",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person has chosen on the form; `against` is a kept run's name, or `brought`."""

    chosen: str = ""
    tags: Collection[str] = ()
    sample: int | None = None
    against: str = ""


def form(
    sets: Sequence[CaseSet],
    runs: Sequence[Kept],
    choice: Choice,
    open_feedback: int = 0,
    brought: CaseSet | None = None,
    against: str = "",
    model: str = "",
) -> str:
    """The form. `brought` are cases of the person's own, `against` the name of a run of theirs;
    `open_feedback` counts the feedback that nobody has given a right answer for. `model` names
    the language model that will be asked, if one is.
    """
    keys = [*((one.name, one) for one in sets), *([(BROUGHT, brought)] if brought else [])]
    names = [key for key, one in keys if one.cases]
    chosen = choice.chosen if choice.chosen in names else (names[0] if names else "")
    listed = "".join(_set(key, one, key == chosen, open_feedback) for key, one in keys)
    nothing = (
        ""
        if names
        else '<p class="quiet">Nothing is known of these documents yet. Choose a file of cases, or'
        " say of answers whether they are right: that makes cases.</p>"
    )
    tags = "".join(_tags(key, one, choice.tags, key == chosen) for key, one in keys)
    most = max((len(one.cases) for key, one in keys if key == chosen), default=0)
    paid = (
        f'<span class="quiet"> Every case is asked of {escape(model)}, at its price.</span>'
        if model
        else ""
    )
    sample = f' value="{choice.sample}"' if choice.sample else ""
    return (
        '<div class="offer"><form class="choose" action="#evaluation">'
        f"<fieldset><legend>Which cases</legend>{nothing}{listed}"
        '<p><button type="button" class="bring" data-kind="cases">Choose a file of cases…</button>'
        '<span class="quiet"> JSON lines: id, question, facts</span></p></fieldset>'
        f"{tags}"
        '<div class="how"><label>How many<input type="number" name="sample" min="1" step="1"'
        f' inputmode="numeric" placeholder="all {most:,}"{sample}></label>'
        f'<label>Compare with<select name="against">{"".join(_runs(runs, choice, against))}'
        '</select></label><button type="button" class="bring" data-kind="run">'
        "Choose an earlier results.json…</button></div>"
        f'<p class="go"><button type="submit" class="run"{"" if names else " disabled"}>'
        f"Run the evaluation</button>{paid}</p></form></div>"
    )


def kept_only(runs: Sequence[Kept], chosen: str = "") -> str:
    """The form where no evaluation is started: the kept runs, to show one of them."""
    if runs:
        choice = Choice(against=chosen)
        options = "".join(_run(one, choice) for one in runs)
        shown = (
            f'<div class="how"><label>Kept results<select name="against">{options}</select></label>'
            '</div><p class="go"><button type="submit" class="run">Show the results</button></p>'
        )
    else:
        shown = '<p class="quiet">No results of an earlier one are kept beside the index.</p>'
    return (
        '<div class="offer"><form class="choose" action="#evaluation" data-does="earlier">'
        f'<p class="closed">{CLOSED}</p>{shown}</form></div>'
    )


def unopened() -> str:
    """The form before the page is opened for the first time."""
    return '<div class="offer"></div>'


def problem(text: str) -> str:
    """One clear line in the place of the progress."""
    return f'<div class="progress" data-state="none">{_alert(text)}</div>'


def nothing() -> str:
    """The progress of no run."""
    return '<div class="progress" data-state="none"></div>'


def progress(run: Run) -> str:
    """How far a run is, with a way to stop it; nothing but its notes when it is over."""
    done, total = len(run.done), len(run.cases)
    attributes = f'data-state="{run.state}" data-token="{escape(run.token)}"'
    if run.state != "running":
        notes = "".join(map(_alert, run.notes))
        return f'<div class="progress" {attributes}>{notes}</div>'
    wrong = sum(1 for one in run.done if one.wrong)
    left = _left(run.seconds, done, total)
    stop = "Stopping…" if run.stopping else '<button type="button" class="stop">Stop</button>'
    return (
        f'<div class="progress" {attributes}><p role="status">Asking {escape(run.what)}</p>'
        f'<progress max="{total}" value="{done}" aria-label="Cases asked"></progress>'
        f'<p class="quiet"><b>{done:,} of {total:,}</b> · {wrong:,} not right so far{left}</p>'
        f"<p>{stop}</p></div>"
    )


def _set(key: str, one: CaseSet, checked: bool, open_feedback: int) -> str:
    says = _SAYS.get(one.name, "")
    if one.name == FEEDBACK and open_feedback:
        says += f"; {open_feedback:,} more wait for a right answer"
    about = f" · {says}" if says else ""
    state = " disabled" if not one.cases else " checked" if checked else ""
    problems = "".join(f"<li>{escape(text)}</li>" for text in one.problems[:PROBLEMS])
    more = len(one.problems) - PROBLEMS
    problems += f"<li>… and {more:,} more</li>" if more > 0 else ""
    left_out = (
        f'<details class="left-out"{"" if one.cases else " open"}><summary>'
        f"{len(one.problems):,} {'line' if len(one.problems) == 1 else 'lines'} to look at"
        f"</summary><ul>{problems}</ul></details>"
        if problems
        else ""
    )
    return (
        f'<div class="set"><label><input type="radio" name="set" value="{escape(key)}"'
        f' data-cases="{len(one.cases)}"{state}><span><b>{escape(one.name)}</b>'
        f' <span class="quiet">{_cases(len(one.cases))}{escape(about)}</span></span></label>'
        f"{left_out}</div>"
    )


def _tags(key: str, one: CaseSet, chosen: Collection[str], shown: bool) -> str:
    tags = list(one.tags.items())[:TAGS]
    if len(tags) < 2:
        return ""
    chips = "".join(
        f'<label class="chip"><input type="checkbox" name="tag" value="{escape(tag)}"'
        f"{' checked' if tag in chosen else ''}><span>{escape(tag)} <small>{n:,}</small></span>"
        "</label>"
        for tag, n in tags
    )
    return (
        f'<fieldset class="tags" data-set="{escape(key)}"{"" if shown else " hidden disabled"}>'
        f"<legend>Only with these tags</legend>{chips}</fieldset>"
    )


def _runs(runs: Sequence[Kept], choice: Choice, against: str) -> Iterator[str]:
    yield '<option value="">no earlier run</option>'
    if against:
        selected = " selected" if choice.against == BROUGHT else ""
        yield f'<option value="{BROUGHT}"{selected}>{escape(against)}</option>'
    yield from (_run(one, choice) for one in runs)


def _run(one: Kept, choice: Choice) -> str:
    selected = " selected" if choice.against == one.name else ""
    what = escape(one.what.replace("-", " "))
    return (
        f'<option value="{escape(one.name)}"{selected}>'
        f"{one.started:%d %b %Y, %H:%M} UTC · {what}, {_cases(one.cases)}</option>"
    )


def _left(seconds: float, done: int, total: int) -> str:
    if done < 3 or done == total:
        return ""
    left = seconds / done * (total - done)
    return f" · about {left:.0f} s left" if left < 90 else f" · about {left / 60:.0f} min left"


def _cases(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"


def _alert(text: str) -> str:
    return f'<p class="problem" role="alert">{escape(text)}</p>'
