"""What axe-core finds wrong with a page as it stands."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}

_RUN = """async within => {
  const found = await axe.run(within || document, { resultTypes: ["violations"] });
  return found.violations.flatMap(violation => violation.nodes.map(node => ({
    impact: violation.impact,
    line: `${violation.id} (${violation.impact}): ${node.target.join(" ")}\\n  ${node.html}\\n  `
      + [...node.any, ...node.all, ...node.none].map(check => check.message).join("; "),
  })));
}"""


def violations(page: Page, within: str | None = None) -> list[str]:
    """The serious and critical violations, a line with its element each.

    `within` is a CSS selector that the search is kept to. Motion is brought to its end first:
    colours in the middle of a fade are nobody's.
    """
    page.evaluate(
        "() => document.getAnimations().forEach(a => { try { a.finish() } catch { a.cancel() } })"
    )
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    return [each["line"] for each in page.evaluate(_RUN, within) if each["impact"] in GRAVE]


def check(page: Page, within: str | None = None) -> None:
    """Fails with what was found, where something was."""
    found = violations(page, within)
    assert not found, "\n".join(["axe-core finds:", *found])
