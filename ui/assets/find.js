// Find in the document before the reader. The places are painted with the CSS Custom Highlight API:
// the text itself is not touched, and words are found across the elements they stand in, also in
// parts that are not laid out yet. What is hidden (the signs of Markdown) is not searched.
(() => {
  "use strict";
  const { one } = window.footnote;
  const PAINTED = 400; // places painted to each side of the present one
  const MOST = 100_000;
  let article = null;
  let text = null; // the article's words: { words, nodes, starts }
  let hits = []; // [start, end] in the words
  let at = -1;
  let timer = 0;

  function read() {
    if (text?.of === article) return text;
    const nodes = [];
    const starts = [];
    const parts = [];
    let length = 0;
    const walker = document.createTreeWalker(one(".text", article), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.parentElement.closest(".sign")) continue;
      nodes.push(node);
      starts.push(length);
      parts.push(node.data);
      length += node.length;
    }
    return (text = { of: article, words: parts.join(""), nodes, starts });
  }

  function search(value) {
    hits = [];
    at = -1;
    const words = value.trim().split(/\s+/).filter(Boolean);
    if (!article || !words.length) return;
    const quoted = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    for (const match of read().words.matchAll(new RegExp(quoted.join("\\s+"), "giu"))) {
      hits.push([match.index, match.index + match[0].length]);
      if (hits.length === MOST) break;
    }
  }

  // The node and the place in it where a character of the words stands.
  function place(offset, end) {
    const { nodes, starts } = read();
    let low = 0;
    let high = nodes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] < offset || (!end && starts[middle] === offset)) low = middle;
      else high = middle - 1;
    }
    return [nodes[low], offset - starts[low]];
  }

  function range([start, end]) {
    const found = new Range();
    found.setStart(...place(start, false));
    found.setEnd(...place(end, true));
    return found;
  }

  function paint() {
    CSS.highlights?.delete("found");
    CSS.highlights?.delete("found-now");
    if (at < 0 || !CSS.highlights) return;
    const near = hits.slice(Math.max(0, at - PAINTED), at + PAINTED);
    CSS.highlights.set("found", new Highlight(...near.map(range)));
    const now = new Highlight(range(hits[at]));
    now.priority = 1;
    CSS.highlights.set("found-now", now);
  }

  function say() {
    const asked = one("#find-words").value.trim();
    const many = hits.length === MOST ? `${MOST.toLocaleString("en")}+` : hits.length.toLocaleString("en");
    one("#find-count").textContent =
      !asked ? "" : hits.length ? `${(at + 1).toLocaleString("en")} of ${many}` : "Not found";
    for (const button of ["#find-previous", "#find-next"]) one(button).disabled = hits.length < 2;
  }

  function go(to) {
    at = hits.length ? (to + hits.length) % hits.length : -1;
    paint();
    say();
    if (at < 0) return;
    const found = range(hits[at]);
    window.footnote.reveal(() => found.getClientRects()[0] ?? found.getBoundingClientRect());
  }

  function again() {
    clearTimeout(timer);
    search(one("#find-words").value);
    go(0);
  }

  function begin() {
    one("#find").hidden = false;
    one("#to-find").setAttribute("aria-expanded", "true");
    const field = one("#find-words");
    field.focus();
    field.select();
    if (field.value) again();
    else say();
  }

  function close(focus = true) {
    if (one("#find").hidden) return;
    one("#find").hidden = true;
    one("#to-find").setAttribute("aria-expanded", "false");
    hits = [];
    at = -1;
    paint();
    if (focus) one("#to-find").focus({ preventScroll: true });
  }

  document.addEventListener("footnote-shown", (event) => {
    article = event.detail?.dataset.id ? event.detail : null;
    text = null;
    if (!article) return close(false);
    if (one("#find").hidden) return;
    search(one("#find-words").value);
    at = hits.length ? 0 : -1;
    paint();
    say();
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button?.id === "to-find") one("#find").hidden ? begin() : close();
    if (button?.id === "find-close") close();
    if (button?.id === "find-previous") go(at - 1);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "find") return;
    event.preventDefault();
    if (timer) again();
    else go(at + 1);
    timer = 0;
  });
  document.addEventListener("input", (event) => {
    if (event.target.id !== "find-words") return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      again();
      timer = 0;
    }, 90);
  });
  document.addEventListener("keydown", (event) => {
    const inside = event.target.closest?.("#find");
    if (inside && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.target.id === "find-words" && event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      go(at - 1);
    } else if (event.key === "/" && article && !event.ctrlKey && !event.metaKey && !event.altKey
        && !event.target.closest?.("input, textarea, select, [contenteditable], dialog")) {
      event.preventDefault();
      begin();
    }
  }, true);
})();
