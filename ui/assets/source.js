// The source pane: documents with the words of an answer's citations marked. A citation is chosen
// here, with no question to the server. `footnote-shown` tells find.js and outline.js which
// document is before the reader.
(() => {
  "use strict";
  const { one, all, open, send, copy, tell, make, links } = window.footnote;
  const shelf = () => one("#source .shelf");
  const articles = () => all("#source article.source");
  const shown = () => articles().find((article) => !article.hidden);
  const numbers = (article) => (article.dataset.cites || "").split(" ").filter(Boolean).map(Number);

  let chosen = 0; // the number of the citation that is marked strongest, 0 for none
  let before = null; // the article that was shown last
  let wanted = null; // what a click asked for that is not in the pane yet

  const turn = () => Number(shelf()?.dataset.turn || 0);
  const order = () => [...new Set(articles().flatMap(numbers))].sort((a, b) => a - b);
  const atLibrary = () => document.body.classList.contains("at-library");

  function show(article) {
    document.body.classList.toggle("at-library", !article);
    for (const other of articles()) other.hidden = other !== article;
    before = article;
    one("#tools").hidden = !article?.dataset.id;
    for (const tab of all("#tabs button")) {
      const here = article && articles()[Number(tab.dataset.at)] === article;
      if (here) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    one("#tabs").hidden = !article || articles().length < 2;
    document.dispatchEvent(new CustomEvent("footnote-shown", { detail: article ?? null }));
  }

  function choose(n) {
    chosen = n;
    for (const mark of all("#source mark")) {
      mark.classList.toggle("chosen", mark.dataset.cites.split(" ").includes(String(n)));
    }
    for (const badge of all("#source .badge")) {
      if (badge.dataset.n === String(n)) badge.setAttribute("aria-current", "true");
      else badge.removeAttribute("aria-current");
    }
    for (const note of all("#said .note")) {
      const current = n > 0 && note.hash === `#cite-${turn()}-${n}`;
      if (current) note.setAttribute("aria-current", "true");
      else note.removeAttribute("aria-current");
    }
    const known = order();
    const at = known.indexOf(n);
    one("#steps").hidden = !known.length || atLibrary();
    const page = pageOf(all("#source article:not([hidden]) mark.cite.chosen")[0]);
    const place = at < 0 ? `${known.length} cited` : `${at + 1} of ${known.length}`;
    one("#place").textContent = page ? `${place} · ${page}` : place;
    for (const [button, end] of [["#previous", 0], ["#next", known.length - 1]]) {
      one(button).disabled = at === end;
      one(button).hidden = known.length < 2;
    }
  }

  // The page that an element stands on, in words; "" where the document has none.
  function pageOf(element) {
    if (!element) return "";
    const before = all(".page", element.closest(".text")).filter(
      (page) => page.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
    // A page that begins with these words stands inside the mark.
    const page = element.firstElementChild?.matches(".page") ? element.firstElementChild : before.pop();
    if (!page) return "";
    return `${page.classList.contains("slide") ? "slide" : "p."} ${page.dataset.page}`;
  }

  function scrollTo(top) {
    one("#paper").scrollTop = top;
  }

  // Brings a place before the reader; `box` measures where it is. Parts that were not laid out get
  // their height only when they are near, so it is measured again until it stays.
  let revealing = 0;
  function reveal(box) {
    const mine = (revealing += 1);
    const place = () => {
      const paper = one("#paper");
      const rise = box().top - paper.getBoundingClientRect().top;
      const was = paper.scrollTop;
      scrollTo(was + rise - paper.clientHeight * 0.3);
      return Math.abs(paper.scrollTop - was) > 1;
    };
    let frames = 0;
    let still = 0;
    const again = () => {
      if (mine !== revealing) return;
      still = place() ? 0 : still + 1;
      if (still < 3 && (frames += 1) < 20) requestAnimationFrame(again);
    };
    place();
    requestAnimationFrame(again);
  }
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    document.addEventListener(kind, () => (revealing += 1), { capture: true, passive: true });
  }

  function showCitation(n) {
    const article = articles().find((each) => numbers(each).includes(n));
    if (!article) return false;
    if (article !== before || atLibrary()) show(article);
    choose(n);
    const mark = all("mark.cite.chosen", article)[0];
    if (!mark) return scrollTo(0), true;
    reveal(() => mark.getBoundingClientRect());
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
    leave();
    showLibrary();
    open();
  };
  links.doc = (id) => {
    leave();
    id = decodeURIComponent(id);
    if (!showDocument(id)) ask({ document: id });
    open();
  };
  links.cite = (place) => {
    leave();
    const [t, n] = place.split("-").map(Number);
    if (t !== turn() || !showCitation(n)) ask({ turn: t, n });
    open();
  };
  links.mark = (n) => choose(Number(n));

  function step(by) {
    const known = order();
    const at = known.indexOf(chosen);
    const n = at < 0 ? known[by > 0 ? 0 : known.length - 1] : known[at + by];
    if (n) showCitation(n);
  }

  // --- links that stand alone ------------------------------------------------------------------

  let linked = ""; // what the address asks for, until the reader goes somewhere else
  let asked = 0;

  // What the address says is shown, also when an earlier conversation comes back meanwhile.
  function follow() {
    const link = location.hash.slice(1);
    if (!/^(at|doc)-/.test(link)) return;
    linked = link;
    asked = 0;
    retry();
    open();
  }

  function retry() {
    if ((asked += 1) > 4) return;
    send(shelf(), "open", { link: linked.slice(0, 9_000) });
  }

  function leave() {
    linked = "";
    if (/^#(at|doc)-/.test(location.hash)) history.replaceState(null, "", location.pathname + location.search);
  }

  function address() {
    const { id, version, spans } = shown().dataset;
    const span = spans.split(" ").find((each) => each.startsWith(`${chosen}:`));
    const name = encodeURIComponent(id);
    return span ? `at-${name}@${version}:${span.split(":")[1]}` : `doc-${name}`;
  }

  async function copyLink(button) {
    const to = new URL(`#${address()}`, location.href);
    history.replaceState(null, "", to.hash);
    linked = to.hash.slice(1);
    const done = await copy(to.href);
    button.textContent = done ? "Copied" : "In the address bar";
    tell(done ? "Link copied" : "The link is in the address bar");
    setTimeout(() => (button.textContent = "Copy link"), 1_800);
  }

  document.addEventListener("footnote-ask", leave, true);
  document.addEventListener("footnote-new", leave, true);
  window.addEventListener("hashchange", follow);

  // --- events ----------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("#previous, #next");
    if (button) step(button.id === "next" ? 1 : -1);
    const mark = target?.closest("#source mark.cite");
    if (mark && !target.closest(".badge")) choose(Number(mark.dataset.cites.split(" ")[0]));
    const tab = target?.closest("#tabs button");
    if (tab) showTab(articles()[Number(tab.dataset.at)]);
    if (target?.closest("#copy-link")) copyLink(target.closest("#copy-link"));
    if (target?.closest("#conversations")) leave();
  });

  function showTab(article) {
    const first = numbers(article)[0];
    if (first) return showCitation(first);
    show(article);
    choose(0);
    scrollTo(0);
  }

  function drawTabs() {
    one("#tabs").replaceChildren(...articles().map((article, at) => {
      const count = numbers(article).length;
      const label = `${article.getAttribute("aria-label")}, ${count} cited`;
      return make("button", { type: "button", "data-at": at, "aria-label": label },
        make("span", {}, article.getAttribute("aria-label")),
        make("span", { class: "count" }, String(count)));
    }));
  }

  // The pane has other documents: show what was asked for, else the first citation.
  window.footnote.arrived = () => {
    one("#paper").tabIndex = 0; // the keyboard scrolls it
    const held = shelf()?.dataset.link || "";
    if (linked && !(held && linked.startsWith(held))) return retry();
    const was = wanted;
    wanted = before = null; // the same element may hold another document
    drawTabs();
    const n = was?.n ?? order()[0];
    const [first] = articles();
    if (!first) return showLibrary();
    if (n && showCitation(n)) return;
    show(first);
    choose(0);
    scrollTo(0);
  };
  // The component is there: what the address asks for can be asked.
  window.footnote.followed = () => setTimeout(follow);
  // The conversation was set again: its chosen note is to be marked again.
  window.footnote.remark = () => {
    if (turn() && chosen) choose(chosen);
  };
  window.footnote.reveal = reveal;
})();
