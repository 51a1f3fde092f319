// The conversation that is open, as it is kept; and the list of all of them.
(() => {
  "use strict";
  const { one, all, send, tell, make, links, store } = window.footnote;
  const OPEN = "footnote-open"; // in this window
  let current = null; // { id, title, turns, sizes, revision }
  let writing = Promise.resolve(); // one write at a time, in order
  let trouble = ""; // what the list says: why nothing can be kept, or what is not kept any more
  let gaveWay = 0;
  let resolve;
  // Resolves when the conversation that a reload brings back is on the page, or there is none.
  window.footnote.ready = new Promise((done) => (resolve = done));

  const remember = (id) => {
    try {
      if (id) sessionStorage.setItem(OPEN, id);
      else sessionStorage.removeItem(OPEN);
    } catch {} // a browser that keeps nothing
  };
  const recall = () => {
    try {
      return sessionStorage.getItem(OPEN);
    } catch {
      return null;
    }
  };

  // Keeps the conversation from a turn (from 0) on.
  function save(turn) {
    const conversation = current;
    writing = writing
      .then(() => store.put(conversation, turn))
      .then((gone) => {
        if (conversation === current) remember(conversation.id);
        gaveWay += gone.length;
        trouble = gaveWay ? `${gaveWay} of the oldest gave way to a newer one.` : "";
        if (gone.length) tell(`Conversations: ${trouble}`);
      })
      .catch(() => {
        trouble = "This browser keeps nothing here: the list ends with this window.";
      });
    return writing;
  }

  const title = (question) => {
    const line = question.replace(/\s+/g, " ").trim();
    return line.length > 90 ? `${line.slice(0, 89)}…` : line;
  };

  // A question was asked: it is kept at once, so that a reload finds it.
  window.footnote.asked = (question, turn) => {
    current ??= { id: store.fresh(), title: title(question), turns: [] };
    if (turn) current.turns.length = turn - 1;
    current.turns.push({ question, answer: null });
    save(current.turns.length - 1);
  };
  // Its answer came, or what there is of one.
  window.footnote.keep = (value) => {
    if (!value?.turn || !current) return;
    current.turns.length = value.turn;
    current.turns[value.turn - 1] = value.kept;
    save(value.turn - 1);
  };
  window.footnote.left = () => {
    current = null;
    remember(null);
  };
  window.footnote.markdown = (turn) => markdown(current?.turns[turn - 1]);

  const markdown = (turn) => turn?.markdown ?? `## ${turn?.question ?? ""}\n\n*No answer.*\n`;

  // --- opening one ----------------------------------------------------------------------------

  async function open(id) {
    await window.footnote.stop();
    const found = await store.get(id).catch(() => null);
    if (!found) return false;
    current = found;
    remember(id);
    const turns = found.turns.map(({ markdown, ...turn }) => turn);
    await window.footnote.move("revive", { turns });
    return true;
  }

  window.footnote.return = async () => {
    const id = recall();
    if (id && !current && !one("#said .turn")) await open(id);
    resolve();
  };

  // --- the list -------------------------------------------------------------------------------

  const drawer = () => one("#conversations");

  links.conversations = async () => {
    await list();
    drawer().showModal();
    (one("[aria-current]", drawer()) ?? one(".begin", drawer())).focus();
  };

  async function list() {
    await writing;
    const heads = await store.list().catch(() => []);
    one(".kept", drawer()).replaceChildren(...heads.map(entry));
    one(".none", drawer()).hidden = heads.length > 0;
    one(".trouble", drawer()).textContent = trouble;
  }

  function entry(head) {
    const when = new Date(head.updated).toLocaleDateString(undefined, {
      day: "numeric", month: "short", year: "numeric",
    });
    const asked = `${head.sizes.length} question${head.sizes.length === 1 ? "" : "s"}`;
    const opener = make("button", { type: "button", class: "open" },
      make("span", { class: "name" }, head.title),
      make("span", { class: "byline" }, `${asked} · ${when}`));
    if (head.id === current?.id) opener.setAttribute("aria-current", "true");
    const action = (name, label) =>
      make("button", { type: "button", "data-do": name, "aria-label": `${label}: ${head.title}` },
        label);
    return make("li", { "data-id": head.id },
      opener,
      make("span", { class: "actions" },
        action("rename", "Rename"), action("markdown", "Markdown"), action("json", "JSON"),
        action("delete", "Delete")));
  }

  const file = (title) =>
    title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) ||
    "conversation";

  const actions = {
    async markdown(id) {
      const { title, turns } = await store.get(id);
      const heading = title.replace(/([\\`*_[\]<>|~#$&])/g, "\\$1");
      const text = turns.map((turn, at) => apart(markdown(turn), at + 1)).join("\n");
      window.footnote.save(`${file(title)}.md`, "text/markdown", `# ${heading}\n\n${text}`);
    },
    async json(id) {
      const { title, turns } = await store.get(id);
      const answers = turns.filter((turn) => turn.answer).map(({ answer }) => {
        const { trace, ...contract } = answer;
        return contract;
      });
      const text = JSON.stringify({ title, answers }, null, 2);
      window.footnote.save(`${file(title)}.json`, "application/json", `${text}\n`);
    },
    async delete(id, button) {
      if (!button.matches(".sure")) {
        button.classList.add("sure");
        button.textContent = "Delete for good?";
        return;
      }
      const entry = button.closest("li");
      const near = entry.nextElementSibling ?? entry.previousElementSibling;
      if (id === current?.id) await links.new();
      await writing;
      await store.remove(id);
      const next = near?.dataset.id;
      await list();
      tell("Deleted");
      const after = all("li", drawer()).find((each) => each.dataset.id === next);
      (after ? one(".open", after) : one(".begin", drawer())).focus();
    },
    rename(id, button) {
      const entry = button.closest("li");
      const field = make("input", { "aria-label": "New name", maxlength: "90" });
      field.value = one(".name", entry).textContent;
      const form = make("form", { class: "renaming" }, field,
        make("button", { type: "submit" }, "Rename"));
      form.addEventListener("submit", async () => {
        await writing;
        if (field.value.trim()) await store.rename(id, title(field.value));
        if (id === current?.id && field.value.trim()) current.title = title(field.value);
        await list();
        const renamed = all("li", drawer()).find((each) => each.dataset.id === id);
        one(".open", renamed).focus();
      });
      one(".open", entry).replaceWith(form);
      field.select();
    },
  };

  // The footnotes of several answers in one file must not share their names.
  const apart = (text, turn) => text.replace(/(?<!\\)\[\^(\d+)\]/g, `[^${turn}-$1]`);

  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const inside = target?.closest("#conversations");
    if (!inside) return;
    const button = target.closest("button");
    const id = target.closest("li")?.dataset.id;
    if (target === inside || button?.matches(".close")) inside.close();
    else if (button?.matches(".begin")) {
      inside.close();
      links.new();
    } else if (button?.matches(".open")) {
      inside.close();
      if (id !== current?.id) await open(id);
      one("#question textarea").focus({ preventScroll: true });
    } else if (button?.dataset.do) actions[button.dataset.do](id, button);
  });
})();
