// The contents of the document before the reader: its headings, with the present one told.
(() => {
  "use strict";
  const { one, all, make } = window.footnote;
  const MOST = 600; // entries; in a longer one the lower levels give way
  let article = null;
  let headings = []; // { element, level, leaf, title }
  let listed = null; // the article that the list was made of
  let present = null;
  let waiting = false;

  function read() {
    const leaves = new Map(all(".leaf", article).map((leaf, number) => [leaf, number]));
    return all(".text [class^='level']", article).map((element) => ({
      element,
      level: Number(element.className.slice(5)),
      leaf: leaves.get(element.closest(".leaf")),
      get title() {
        const words = element.cloneNode(true);
        for (const sign of all(".sign", words)) sign.remove();
        return words.textContent.replace(/\s+/g, " ").trim();
      },
    }));
  }

  function list() {
    if (listed === article) return;
    listed = article;
    let entries = headings;
    for (let deepest = 6; entries.length > MOST && deepest > 1; deepest -= 1) {
      const fewer = entries.filter((entry) => entry.level < deepest);
      if (fewer.length < 2) break;
      entries = fewer;
    }
    const left = entries.length - MOST;
    const top = Math.min(...entries.map((entry) => entry.level));
    one("#outline").replaceChildren(
      make("ol", {}, ...entries.slice(0, MOST).map((entry) => {
        const button = make("button", { type: "button" }, entry.title);
        button.style.setProperty("--deep", Math.min(entry.level - top, 4));
        button.entry = entry;
        return make("li", {}, button);
      })),
      ...(left > 0 ? [make("p", {}, `and ${left.toLocaleString("en")} more`)] : []));
  }

  // The last heading above the reader's line. Leaves that are not laid out are not measured inside.
  function look() {
    waiting = false;
    if (!article || !headings.length) return;
    const line = one("#paper").getBoundingClientRect().top + one("#paper").clientHeight * 0.32;
    const leaves = all(".leaf", article);
    let leaf = leaves.findIndex((each) => each.getBoundingClientRect().bottom > line);
    leaf = leaf < 0 ? leaves.length - 1 : leaf;
    let low = 0; // the first heading of a later leaf
    let high = headings.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (headings[middle].leaf <= leaf) low = middle + 1;
      else high = middle;
    }
    let at = low - 1;
    while (at >= 0 && headings[at].leaf === leaf
        && headings[at].element.getBoundingClientRect().top > line) at -= 1;
    const first = one("#paper").scrollTop < 40;
    tell(at >= 0 && !first ? headings[at] : null);
  }

  function tell(heading) {
    if (present === heading && heading) return;
    present = heading;
    one("#title").textContent = heading?.title || article?.getAttribute("aria-label") || "";
    markPresent();
  }

  function markPresent() {
    const buttons = all("#outline button");
    const at = present ? headings.indexOf(present) : 0;
    const last = buttons.findLast((button) => headings.indexOf(button.entry) <= at);
    for (const button of buttons) {
      if (button === last) button.setAttribute("aria-current", "location");
      else button.removeAttribute("aria-current");
    }
  }

  const isOpen = () => !one("#outline").hidden;

  function begin() {
    list();
    one("#outline").hidden = false;
    one("#to-outline").setAttribute("aria-expanded", "true");
    markPresent();
    const here = one("#outline [aria-current]") ?? one("#outline button");
    here?.focus({ preventScroll: true });
    here?.scrollIntoView({ block: "center" });
  }

  function close(focus) {
    if (!isOpen()) return;
    one("#outline").hidden = true;
    one("#to-outline").setAttribute("aria-expanded", "false");
    if (focus) one("#to-outline").focus({ preventScroll: true });
  }

  document.addEventListener("footnote-shown", (event) => {
    article = event.detail?.dataset.id ? event.detail : null;
    headings = article ? read() : [];
    listed = present = null;
    close(false);
    one("#to-outline").hidden = headings.length < 2;
    one("#title").textContent = article?.getAttribute("aria-label") ?? "";
  });
  document.addEventListener("scroll", (event) => {
    if (event.target.id !== "paper" || waiting) return;
    waiting = true;
    requestAnimationFrame(look);
  }, { capture: true, passive: true });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("#to-outline")) return isOpen() ? close(true) : begin();
    const button = target?.closest("#outline button");
    if (button) {
      const { element } = button.entry;
      close(true);
      window.footnote.reveal(() => element.getBoundingClientRect());
    } else if (!target?.closest("#outline")) close(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!isOpen() || !event.target.closest?.("#outline, #to-outline")) return;
    const buttons = all("#outline button");
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close(true);
    } else if (to !== undefined) {
      event.preventDefault();
      buttons[Math.max(0, Math.min(to, buttons.length - 1))]?.focus();
    }
  }, true);
})();
