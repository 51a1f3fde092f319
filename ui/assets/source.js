// The source pane: documents with the words of an answer's citations marked.
(() => {
  "use strict";
  const { one, all, open, send, links } = window.footnote;
  const shelf = () => one("#source .shelf");
  const articles = () => all("#source article.source");
  const numbers = (article) => (article.dataset.cites || "").split(" ").filter(Boolean).map(Number);

  let chosen = 0; // the number of the citation that is marked strongest, 0 for none
  let wanted = null; // what a click asked for that is not in the pane yet

  const turn = () => Number(shelf()?.dataset.turn || 0);
  const order = () => [...new Set(articles().flatMap(numbers))].sort((a, b) => a - b);

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
    send(shelf(), "open", detail);
  }

  links.library = () => {
    showLibrary();
    open();
  };
  links.doc = (id) => {
    id = decodeURIComponent(id);
    if (!showDocument(id)) ask({ document: id });
    open();
  };
  links.cite = (place) => {
    const [t, n] = place.split("-").map(Number);
    if (t !== turn() || !showCitation(n)) ask({ turn: t, n });
    open();
  };

  function step(by) {
    const known = order();
    const at = known.indexOf(chosen);
    const n = at < 0 ? known[by > 0 ? 0 : known.length - 1] : known[at + by];
    if (n) showCitation(n);
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("#previous, #next");
    if (button) step(button.id === "next" ? 1 : -1);
    const mark = target?.closest("#source mark.cite");
    if (mark) choose(Number(mark.dataset.cites.split(" ")[0]));
  });

  // The pane has other documents: show what was asked for, else the first citation.
  window.footnote.arrived = () => {
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
  };
  // The conversation was set again: its chosen note is to be marked again.
  window.footnote.remark = () => {
    if (turn() && chosen) choose(chosen);
  };
})();
