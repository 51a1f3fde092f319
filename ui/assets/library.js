// The library: the list of documents, which of them a question may use, adding and removing.
// Names and titles come from documents: they are only ever set as text.
(() => {
  "use strict";
  const { one, send, make } = window.footnote;
  const PAGE = 100; // entries shown at a time
  const FEW = 8; // documents that need no filter
  const ORDER = { adding: 0, failed: 1, current: 2, removing: 2, "left out": 3 };
  const KEPT = "footnote-chosen";

  let entries = [];
  let chosen = null; // the ids that a question may use, null for all
  let tag = "";
  let work = { busy: false };
  let shown = PAGE;
  let timer = 0;
  const rows = new Map(); // id → its row, and what it was made of
  const library = () => one("#library .library");
  const indexed = (entry) => entry.passages > 0 && entry.state !== "removing";
  const number = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  // The state of the library: asked for often while something is written, else now and then.
  async function look() {
    clearTimeout(timer);
    const before = work;
    try {
      const answer = await fetch(`library/state?since=${tag}`);
      if (answer.status === 401) return complain("You are signed out: reload the page.");
      const state = await answer.json();
      work = state.work;
      greet(state.person);
      tag = state.tag;
      if (state.entries) {
        entries = state.entries.sort((a, b) => ORDER[a.state] - ORDER[b.state]);
        if (chosen) settle(new Set(asked().filter((entry) => chosen.has(entry.id)).map(id)), false);
        show();
      }
      if (JSON.stringify(before) !== JSON.stringify(work)) showWork();
    } catch {
      // the app is not there for a moment
    }
    timer = setTimeout(look, work.busy ? 400 : document.hidden ? 30_000 : 5_000);
  }

  // Who came in by name may go out again.
  function greet(person) {
    const nav = one(".masthead nav");
    if (!person || !nav || one("#sign-out")) return;
    nav.append(make("a", { href: "logout", id: "sign-out", title: `You are ${person}` }, "Sign out"));
  }

  const id = (entry) => entry.id;
  const asked = () => entries.filter(indexed);

  function matching() {
    const words = (one("#filter")?.value ?? "").toLocaleLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return entries;
    return entries.filter((entry) => {
      const said = [entry.title, entry.id, entry.kind, entry.author, entry.date, entry.state];
      const text = said.join(" ").toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  function show() {
    if (!library()) return;
    const found = matching();
    const focused = document.activeElement;
    one("ol.entries").replaceChildren(...found.slice(0, shown).map(row));
    if (focused?.isConnected && focused !== document.activeElement) focused.focus();
    const more = one("#more-entries");
    more.hidden = found.length <= shown;
    more.textContent = `Show ${Math.min(PAGE, found.length - shown)} more of ${number(found.length, "document")}`;
    const failed = entries.filter((entry) => entry.state === "failed").length;
    const parts = [`${number(asked().length, "document")}, ready to be asked`];
    if (failed) parts.push(`${failed} with a problem`);
    if (filtering()) parts.push(`${found.length.toLocaleString("en")} shown`);
    one(".library .count").textContent = `${parts.join(" · ")}.`;
    one(".library .choosing").hidden = asked().length < 2;
    one("#filter").hidden = entries.length <= FEW && !filtering();
    showChoice();
  }

  const filtering = () => Boolean(one("#filter")?.value.trim());

  function row(entry) {
    const made = JSON.stringify(entry);
    const known = rows.get(entry.id);
    if (known?.made === made) return known.element;
    const element = make("li", { class: `entry ${entry.state.replace(" ", "-")}` });
    element.dataset.id = entry.id;
    if (indexed(entry)) {
      const box = make("input", { type: "checkbox", "aria-label": `Ask “${entry.title}”` });
      box.checked = !chosen || chosen.has(entry.id);
      element.append(box);
    }
    const title = entry.passages
      ? make("a", { href: `#doc-${encodeURIComponent(entry.id)}` }, entry.title)
      : make("span", { class: "name" }, entry.title);
    element.append(make("div", { class: "what" }, title, ...about(entry)), ...tools(entry));
    rows.set(entry.id, { made, element });
    return element;
  }

  function about(entry) {
    const known = [entry.kind, entry.author, entry.date].filter(Boolean);
    if (entry.passages) {
      known.push(`about ${number(entry.words, "word")}`, number(entry.passages, "passage"));
    }
    const byline = make("p", { class: "byline" }, known.join(" · "));
    if (entry.id !== entry.title) byline.append(make("span", { class: "file" }, entry.id));
    const lines = byline.textContent ? [byline] : [];
    const says = {
      current: entry.unread && `Indexed in part: ${entry.unread}`,
      adding: "Being indexed…",
      removing: "Being taken out…",
      "left out": "Left out: no question uses it.",
      failed: `${entry.passages ? "Not read again" : "Not indexed"}: ${entry.problem}`,
    }[entry.state];
    if (says) lines.push(make("p", { class: "state" }, says));
    return lines;
  }

  function tools(entry) {
    if (!one(".library .writing")) return [];
    if (entry.state === "left out") {
      const label = `Put “${entry.title}” back`;
      return [make("button", { type: "button", class: "restore", "aria-label": label }, "Put back")];
    }
    if (entry.state !== "current" && entry.state !== "failed") return [];
    const label = `Remove “${entry.title}”`;
    return [make("button", { type: "button", class: "remove", "aria-label": label }, "Remove")];
  }

  // Which documents a question may use.
  function settle(ids, tell = true) {
    const every = ids === null || asked().every((entry) => ids.has(entry.id));
    const before = JSON.stringify(chosen && [...chosen]);
    chosen = every ? null : ids;
    const documents = chosen && [...chosen];
    if (!tell && JSON.stringify(documents) === before) return;
    if (documents) sessionStorage.setItem(KEPT, JSON.stringify(documents));
    else sessionStorage.removeItem(KEPT);
    send(library(), "choose", { documents });
    showChoice();
  }

  function showChoice() {
    for (const { element } of rows.values()) {
      const box = one("input[type=checkbox]", element);
      if (box) box.checked = !chosen || chosen.has(element.dataset.id);
    }
    const among = (filtering() ? matching() : entries).filter(indexed);
    const taken = among.filter((entry) => !chosen || chosen.has(entry.id)).length;
    const box = one("#choose-all");
    box.checked = taken > 0 && taken === among.length;
    box.indeterminate = taken > 0 && taken < among.length;
    box.disabled = !among.length;
    const which = filtering() ? "these" : "all of them";
    one(".choosing .choice span").textContent =
      taken === among.length ? `Ask ${which}` : `Ask ${taken.toLocaleString("en")} of ${among.length.toLocaleString("en")}`;
    const scope = one("#scope .scope");
    if (!scope) return;
    scope.hidden = !chosen;
    if (!chosen) return;
    const some = `Only ${chosen.size.toLocaleString("en")} of ${number(asked().length, "document")} will be asked.`;
    scope.replaceChildren(
      make("a", { href: "#library" }, chosen.size ? some : "No document is chosen: nothing will be found."),
      make("button", { type: "button", id: "ask-all" }, "Ask all"),
    );
  }

  // What is being written.
  function showWork() {
    const bar = one(".library .work");
    if (!bar) return;
    bar.hidden = !work.busy;
    const progress = one("progress", bar);
    if (work.total) Object.assign(progress, { max: work.total, value: work.done });
    else progress.removeAttribute("value");
    one("span", bar).textContent = work.waits
      ? "Waiting: another process is writing the index."
      : work.total
        ? `Indexing: ${work.done.toLocaleString("en")} of ${number(work.total, "passage")}`
        : "Looking at the files…";
    one("#index-again").disabled = work.busy;
    if (work.busy) return;
    complain(work.problem);
  }

  function complain(problem) {
    const line = one(".library .problem");
    if (!line && problem) one(".library .count").textContent = problem; // nobody writes here
    if (!line) return;
    line.hidden = !problem;
    line.textContent = problem || "";
  }

  async function change(what, body) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`library/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
    const said = await answer.json().catch(() => ({}));
    complain(answer.ok ? "" : said.problem || "That could not be done.");
    look();
  }

  // An uploaded file is deleted for good: that takes a second click.
  function remove(button) {
    const { id } = button.closest(".entry").dataset;
    const entry = entries.find((each) => each.id === id);
    if (entry?.added && !button.classList.contains("sure")) {
      const back = () => {
        button.classList.remove("sure");
        button.textContent = "Remove";
        button.setAttribute("aria-label", `Remove “${entry.title}”`);
      };
      button.classList.add("sure");
      button.textContent = "Delete the file?";
      button.setAttribute("aria-label", `Delete the file of “${entry.title}”?`);
      button.addEventListener("blur", back, { once: true });
      return;
    }
    change("remove", { id });
  }

  window.footnote.library = { look, complain, writing: () => one(".library .writing") };
  // The list's place is on the page: what was chosen before a reload holds again.
  window.footnote.shelved = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT));
      if (Array.isArray(kept)) chosen = new Set(kept);
    } catch {
      // nothing was kept
    }
    if (chosen) send(library(), "choose", { documents: [...chosen] });
    look();
  };

  document.addEventListener("visibilitychange", () => document.hidden || look());
  document.addEventListener("input", (event) => {
    if (event.target.id !== "filter") return;
    shown = PAGE;
    show();
  });
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.matches?.("#library input[type=checkbox]")) return;
    const ids = new Set(chosen ?? asked().map(id));
    const which = box.id === "choose-all" ? matching().filter(indexed).map(id) : [box.closest(".entry").dataset.id];
    for (const each of which) box.checked ? ids.add(each) : ids.delete(each);
    settle(ids);
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if (button.id === "ask-all") settle(null);
    if (button.id === "more-entries") {
      shown += PAGE;
      show();
    }
    if (button.id === "index-again") change("index", {});
    if (button.matches("#library .remove")) remove(button);
    if (button.matches("#library .restore")) change("restore", { id: button.closest(".entry").dataset.id });
  });
})();
