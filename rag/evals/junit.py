"""Results as JUnit XML, which CI servers show case by case."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rag.evals.results import Judged, Results
from rag.evals.rows import said

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Results) -> str:
    """A test case for each case: a failure where it is not right, an error where asking failed."""
    failed = [case for case in results.failing if not case.error]
    suite = Element(
        "testsuite",
        name="footnote eval",
        tests=str(len(results.cases)),
        failures=str(len(failed)),
        errors=str(len(results.failing) - len(failed)),
        timestamp=str(results.run["started"]),
        time=f"{sum(map(_seconds, results.cases)):.3f}",
    )
    for case in results.cases:
        _case(suite, case)
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, "unicode") + "\n"


def _case(suite: Element, case: Judged) -> None:
    kind = _clean(case.tags[0]) if case.tags else "cases"
    seconds = f"{_seconds(case):.3f}"
    element = SubElement(suite, "testcase", name=_clean(case.id), classname=kind, time=seconds)
    if case.wrong:
        found = SubElement(element, "error" if case.error else "failure", message=case.wrong)
        lines = (f"asked: {case.question}", f"expected: {case.expected}", f"said: {said(case)}")
        found.text = _clean("\n".join(lines))


def _seconds(case: Judged) -> float:
    timings = (case.answer or {}).get("timings_ms") or {}
    return float(timings.get("total", 0.0)) / 1000


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
