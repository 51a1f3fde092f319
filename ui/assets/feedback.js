// Thumbs: what this person said of the answers, and a form to say more. Who says it is a random
// name that this browser keeps, so that a changed mind replaces what was said.
(() => {
  "use strict";
  const { one, all, send, make, links } = window.footnote;
  const KEY = "footnote-me";
  const part = () => one("#feedback .feedback");
  const box = () => one("dialog.opinion");
  let seen = ""; // the questions whose thumbs are known
  let clock = 0;
  let turn = 0; // of which the form speaks
  let verdict = "bad";
  let latest = null; // the line about what was said last, while it is shown

  function me() {
    try {
      const known = localStorage.getItem(KEY);
      if (known) return known;
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      localStorage.setItem(KEY, made);
      return made;
    } catch {
      return (me.made ??= String(Math.random()));
    }
  }

  const mine = () => JSON.parse(part()?.dataset.mine || "{}");
  const writable = () => part()?.dataset.writable === "yes";

  // The thumbs as they were given; the conversation may have been drawn anew.
  function mark() {
    const known = mine();
    for (const link of all("#said a[href^='#good-'], #said a[href^='#bad-']")) {
      const [kind, number] = link.hash.slice(1).split("-");
      link.setAttribute("role", "button");
      link.setAttribute("aria-pressed", String(known[number]?.verdict === kind));
      if (writable()) link.removeAttribute("aria-disabled");
      else {
        link.setAttribute("aria-disabled", "true");
        link.title = part().dataset.readOnly;
      }
    }
  }

  function say(more = {}) {
    clearTimeout(clock); // the reply tells what is known too
    send(part(), "say", { turn, verdict, who: me(), ...more });
  }

  function tell(text) {
    const line = make("p", { class: "told problem", role: "alert" }, text);
    part().replaceChildren(line);
    latest = line.cloneNode(true);
    fade();
  }

  function fade() {
    clearTimeout(fade.clock);
    fade.clock = setTimeout(() => {
      const line = one("#feedback .told");
      if (line?.matches(":hover, :focus-within")) fade();
      else {
        line?.remove();
        latest = null;
      }
    }, 20000);
  }

  function thumb(kind, number) {
    if (!writable()) return tell(part().dataset.readOnly);
    turn = Number(number);
    const given = mine()[number]?.verdict;
    if (kind === "good" && given === "good") {
      return send(part(), "unsay", { turn, who: me() });
    }
    verdict = kind;
    if (given !== kind) say();
    if (kind === "bad") ask();
  }
  links.good = (number) => thumb("good", number);
  links.bad = (number) => thumb("bad", number);

  function ask() {
    const form = one("form", box());
    const known = mine()[turn];
    const kept = known?.verdict === verdict ? known : null;
    const refused = Boolean(one(`#turn-${turn} .refusal`));
    form.reset();
    one("h2", form).textContent =
      verdict === "bad" ? "What is wrong with this answer?" : "What is good about this answer?";
    one(".reasons", form).hidden = verdict !== "bad";
    for (const reason of form.elements.reason) {
      reason.checked = reason.value === kept?.reason;
      reason.parentElement.hidden = refused !== (reason.value === "says") && reason.value !== "wrong";
    }
    form.elements.right.value = kept?.right ?? "";
    form.elements.note.value = kept?.note ?? "";
    box().showModal();
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.("dialog.opinion")) return;
    event.preventDefault();
    const { reason, right, note } = event.target.elements;
    say({ reason: reason.value, right: right.value, note: note.value });
    box().close();
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("dialog.opinion .cancel") || target === box()) box().close();
    if (target?.closest("dialog.opinion .back")) {
      send(part(), "unsay", { turn, who: me() });
      box().close();
    }
    if (target?.closest("#feedback .more")) {
      turn = Number(part().dataset.turn);
      verdict = mine()[turn]?.verdict ?? "bad";
      ask();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && box()?.open) event.stopPropagation(); // the pane below stays
    const thumbed = event.target.closest?.("#said a[href^='#good-'], #said a[href^='#bad-']");
    if (event.key === " " && thumbed) {
      event.preventDefault(); // they are buttons
      thumbed.click();
    }
  }, true);

  // The conversation has changed: ask which of its answers were spoken of.
  const before = window.footnote.talked;
  window.footnote.talked = () => {
    before?.();
    mark();
    const turns = all("#said .turn:has(a[href^='#good-']) .question");
    const now = turns.map((question) => question.textContent).join("\n");
    if (now === seen) return;
    seen = now;
    clearTimeout(clock);
    if (turns.length) clock = setTimeout(() => send(part(), "known", { who: me() }), 150);
  };

  // What is known comes without a line: it must not take away the one that is being read.
  window.footnote.told = () => {
    mark();
    const line = one("#feedback .told");
    if (line) latest = line.cloneNode(true);
    else if (latest) part().replaceChildren(latest);
    if (latest) fade();
  };
})();
