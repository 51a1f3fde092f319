// Follows the links of an answer to the words they rest on, and looks after the two panes.
// Nothing here reads markup from a document: it only shows, hides, scrolls and names.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const narrow = () => matchMedia("(max-width: 859px)").matches;
  const shelf = () => one("#source .shelf");
  const articles = () => all("#source article.source");
  const numbers = (article) => (article.dataset.cites || "").split(" ").filter(Boolean).map(Number);

  let chosen = 0; // the number of the citation that is marked strongest, 0 for none
  let wanted = null; // what a click asked for that is not in the pane yet
  let seen = ""; // the latest turn
  let following = true; // whether the conversation scrolls with the answer that arrives
  let came = null; // the link to give the focus back to

  const turn = () => Number(shelf()?.dataset.turn || 0);
  const order = () => [...new Set(articles().flatMap(numbers))].sort((a, b) => a - b);

  function open() {
    document.body.classList.add("reading");
    if (narrow()) one("#back")?.focus({ preventScroll: true });
  }

  function close() {
    if (!document.body.classList.contains("reading")) return;
    document.body.classList.remove("reading");
    if (narrow()) (came?.isConnected ? came : one("#question textarea"))?.focus();
  }

  function show(article) {
    document.body.classList.toggle("at-library", !article);
    for (const other of articles()) other.hidden = other !== article;
    one("#title").textContent = article ? article.getAttribute("aria-label") : "";
  }

  function choose(n) {
    chosen = n;
    for (const mark of all("#source mark")) {
      mark.classList.toggle("chosen", mark.dataset.cites.split(" ").includes(String(n)));
    }
    for (const note of all("#said .note")) {
      const current = n > 0 && note.hash === `#cite-${turn()}-${n}`;
      if (current) note.setAttribute("aria-current", "true");
      else note.removeAttribute("aria-current");
    }
    const known = order();
    const at = known.indexOf(n);
    one("#steps").hidden = known.length < 2 || document.body.classList.contains("at-library");
    one("#place").textContent = at < 0 ? `${known.length} cited` : `${at + 1} of ${known.length}`;
    one("#previous").disabled = at === 0;
    one("#next").disabled = at === known.length - 1;
  }

  function scrollTo(top) {
    one("#paper").scrollTop = top;
  }

  function showCitation(n) {
    const article = articles().find((each) => numbers(each).includes(n));
    if (!article) return false;
    show(article);
    choose(n);
    const mark = all("mark.cite.chosen", article)[0];
    if (!mark) return scrollTo(0), true;
    const place = () => {
      const paper = one("#paper");
      const rise = mark.getBoundingClientRect().top - paper.getBoundingClientRect().top;
      scrollTo(paper.scrollTop + rise - paper.clientHeight * 0.3);
    };
    place();
    requestAnimationFrame(place); // parts that were not laid out before have their height now
    return true;
  }

  function showDocument(id) {
    const article = articles().find((each) => each.dataset.document === id);
    if (!article) return false;
    show(article);
    choose(0);
    scrollTo(0);
    return true;
  }

  function showLibrary() {
    show(null);
    choose(0);
    scrollTo(0);
  }

  function ask(detail) {
    wanted = detail;
    shelf()?.dispatchEvent(new CustomEvent("footnote-open", { bubbles: true, detail }));
  }

  function follow(link) {
    const [kind, ...rest] = link.hash.slice(1).split("-");
    if (kind === "library") showLibrary();
    else if (kind === "doc") {
      const id = decodeURIComponent(rest.join("-"));
      if (!showDocument(id)) ask({ document: id });
    } else if (kind === "cite") {
      const [t, n] = rest.map(Number);
      if (t !== turn() || !showCitation(n)) ask({ turn: t, n });
    } else return;
    open();
  }

  function step(by) {
    const known = order();
    const at = known.indexOf(chosen);
    const n = at < 0 ? known[by > 0 ? 0 : known.length - 1] : known[at + by];
    if (n) showCitation(n);
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a[href^='#']");
    if (link) {
      event.preventDefault();
      if (!link.closest("#desk")) came = link;
      if (link.hash === "#new") {
        one("#said .talk")?.dispatchEvent(new CustomEvent("footnote-new", { bubbles: true }));
      } else follow(link);
      return;
    }
    const example = target?.closest(".example");
    if (example) {
      const detail = { question: example.textContent };
      example.dispatchEvent(new CustomEvent("footnote-ask", { bubbles: true, detail }));
      return;
    }
    const button = target?.closest("#back, #previous, #next");
    if (button?.id === "back") close();
    else if (button) step(button.id === "next" ? 1 : -1);
    const mark = target?.closest("#source mark.cite");
    if (mark) choose(Number(mark.dataset.cites.split(" ")[0]));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow()) close();
  });

  const onScroll = (event) => {
    if (event.target instanceof Element && event.target.closest("#said")) following = false;
  };
  document.addEventListener("wheel", onScroll, { passive: true });
  document.addEventListener("touchmove", onScroll, { passive: true });

  window.footnote = {
    // The source pane has other documents: show what was asked for, else the first citation.
    arrived() {
      one("#paper").tabIndex = 0; // the keyboard scrolls it
      const asked = wanted;
      wanted = null;
      const n = asked?.n ?? order()[0];
      const [first] = articles();
      if (!first) return showLibrary();
      if (n && showCitation(n)) return;
      show(first);
      choose(0);
      scrollTo(0);
    },
    // The conversation has grown: keep its end in sight, but never push a question out of it.
    talked() {
      const turns = all("#said .turn");
      document.body.classList.toggle("begun", turns.length > 0);
      const last = turns.at(-1);
      if (!last) return;
      if (last.id !== seen) following = true;
      seen = last.id;
      const said = one("#said");
      const rise = last.getBoundingClientRect().top - said.getBoundingClientRect().top;
      const most = said.scrollHeight - said.clientHeight;
      if (following) said.scrollTop = Math.min(most, said.scrollTop + rise);
      if (turn() && chosen) choose(chosen);
    },
  };
})();
