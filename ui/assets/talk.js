// The conversation: asking, stopping, asking again, keeping the end in sight.
(() => {
  "use strict";
  const { one, all, send, tell, copy, make, links } = window.footnote;
  const PATIENCE = 3000; // ms until the page stops waiting for a stopped answer,
  const SILENCE = 30_000; // and for the first sign of one
  const box = () => one("#question textarea");
  const stage = () => one("#latest .talk");
  const latest = () => one("#latest .turn");
  let run = ""; // the question on its way
  let seen = ""; // the latest turn
  let following = true; // whether the conversation scrolls with the answer that arrives
  let runs = 0;
  let moving = null; // resolves when another conversation is on the page
  let over = null; // the turn that the next one takes the place of

  // A finger would open the keyboard over the answer.
  function focusBox() {
    if (matchMedia("(pointer: fine)").matches) box()?.focus({ preventScroll: true });
    else one("#latest .question")?.focus({ preventScroll: true });
  }

  function answering(name) {
    run = name;
    document.body.classList.toggle("answering", Boolean(name));
    one("#question button[type=submit]").hidden = Boolean(name);
    one("#question .stop").hidden = !name;
  }

  // `detail.turn`: asked again, in the place of that turn and of what came after it.
  function ask(question, detail = {}) {
    question = question.trim();
    if (!question) return box()?.focus();
    if (run) return tell("An answer is on its way. Stop it first, or wait.");
    if (moving) return moving.then(() => ask(question, detail)), true;
    complain("");
    answering(`ask-${Date.now()}-${++runs}`);
    following = true;
    over = latest() && !detail.turn ? latest().cloneNode(true) : null;
    for (const turn of all("#said .turn")) {
      if (turn !== latest() && number(turn) >= (detail.turn ?? Infinity)) turn.remove();
    }
    window.footnote.asked?.(question, detail.turn);
    send(stage(), "ask", { ...detail, question, run });
    const asked = run;
    setTimeout(() => {
      if (run !== asked || stage().dataset.run === asked) return;
      answering("");
      box().value ||= question;
      complain("Footnote does not answer. Is it still running? Ask again, or reload the page.");
    }, SILENCE);
    return true;
  }

  function complain(text) {
    one("#ask .problem").textContent = text;
  }

  // Resolves when no answer is on its way.
  async function stop() {
    if (!run) return;
    const stopped = run;
    send(stage(), "stop", { run });
    const until = Date.now() + PATIENCE;
    while (run === stopped && Date.now() < until) await new Promise((r) => setTimeout(r, 25));
    if (run === stopped) answering("");
  }

  // Another conversation comes to the page: `name` is what the app is told.
  async function move(name, detail = {}) {
    await stop();
    const there = `${name}-${Date.now()}-${++runs}`;
    const until = Date.now() + SILENCE;
    moving = (async () => {
      send(stage(), name, { ...detail, run: there });
      while (stage().dataset.run !== there && Date.now() < until) {
        await new Promise((r) => setTimeout(r, 20));
      }
      moving = null;
    })();
    return moving;
  }

  links.new = async () => {
    await stop();
    window.footnote.left?.();
    box().focus();
    await move("new");
  };

  function submit() {
    if (!ask(box().value)) return;
    box().value = "";
    grow();
  }

  function grow() {
    const area = box();
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, innerHeight * 0.4)}px`;
    try {
      sessionStorage.setItem("footnote-draft", area.value);
    } catch {} // a browser that keeps nothing
  }

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.id === "ask") submit();
    else if (event.target.matches(".again")) {
      const turn = number(event.target);
      if (ask(one("textarea", event.target).value, { turn })) focusBox();
    }
  });

  document.addEventListener("input", (event) => {
    if (event.target === box()) grow();
  });

  document.addEventListener("keydown", (event) => {
    const area = event.target instanceof Element ? event.target.closest("form textarea") : null;
    if (!area || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      area.form.requestSubmit();
    } else if (event.key === "Escape" && area.form.matches(".again")) {
      event.preventDefault();
      leave(area.form);
    }
  });

  const number = (element) => Number(element.closest(".turn").id.split("-")[1]);
  const words = (turn) => one(".question", turn).textContent;

  // A question to be put otherwise stands in its own place until it is asked again.
  function edit(turn) {
    for (const other of all("form.again")) leave(other);
    const later = all("#said .turn").length - number(turn);
    const area = make("textarea", { "aria-label": "The question, to be put otherwise" });
    area.value = words(turn);
    const lost = later === 1 ? "drops the answer after it" : `drops the ${later} answers after it`;
    const form = make(
      "form",
      { class: "again" },
      area,
      make("div", {},
        make("button", { type: "submit" }, "Ask again"),
        make("button", { type: "button", class: "cancel" }, "Cancel"),
        later ? make("span", { class: "aside" }, `Asking again ${lost}.`) : ""),
    );
    turn.classList.add("editing");
    one(".question", turn).after(form);
    area.style.height = `${area.scrollHeight}px`;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  function leave(form) {
    const turn = form.closest(".turn");
    turn.classList.remove("editing");
    form.remove();
    one(".edit", turn)?.focus({ preventScroll: true });
  }

  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target.closest("button") : null;
    if (!target) return;
    const turn = target.closest(".turn");
    if (target.matches(".example")) {
      if (ask(target.textContent)) focusBox();
    } else if (target.matches("#question .stop")) {
      stop();
      focusBox();
    } else if (target.matches(".retry")) {
      if (ask(words(turn), { turn: number(turn) })) focusBox();
    } else if (target.matches(".widen")) {
      if (ask(words(turn), { turn: number(turn), all: true })) focusBox();
    } else if (target.matches(".edit")) edit(turn);
    else if (target.matches(".again .cancel")) leave(target.form);
    else if (target.matches(".turn .copy")) {
      const copied = await copy(window.footnote.markdown(number(turn)));
      target.textContent = copied ? "Copied" : "Could not be copied";
      tell(copied ? "Copied as Markdown, with its footnotes" : target.textContent);
      setTimeout(() => (target.textContent = "Copy"), 2000);
    }
  });

  const onScroll = (event) => {
    if (event.target instanceof Element && event.target.closest("#said")) following = false;
  };
  document.addEventListener("wheel", onScroll, { passive: true });
  document.addEventListener("touchmove", onScroll, { passive: true });

  // The answer that was waited for is there: it is said once, not piece by piece.
  function arrived(turn) {
    answering("");
    const problem = one(".problem, .notice", turn);
    const says = all(".answer .words", turn).map((part) => spoken(part)).join(" ");
    tell([problem && !one(".actions .copy", turn) ? problem.textContent : "", says].join(" ").trim());
  }

  function spoken(part) {
    const copied = part.cloneNode(true);
    for (const note of all(".note", copied)) note.remove();
    return copied.textContent;
  }

  // The conversation has grown: keep its end in sight, but never push a question out of it.
  window.footnote.talked = () => {
    const last = latest();
    document.body.classList.toggle("begun", Boolean(last));
    const mine = run && stage().dataset.run === run;
    if (mine && over) {
      one(".retry", over)?.remove();
      one("#passed").append(over);
      over = null;
    }
    if (!stage().dataset.run?.startsWith("ask-")) {
      one("#passed").replaceChildren(); // another conversation
      if (run) answering("");
    }
    if (mine && !last.hasAttribute("aria-busy")) arrived(last);
    if (!last) return (seen = "");
    if (last.id !== seen) following = true;
    seen = last.id;
    follow();
    requestAnimationFrame(follow); // turns that were not laid out before have their height now
    window.footnote.remark();
  };

  function follow() {
    const last = latest();
    if (!following || !last) return;
    const said = one("#said");
    const rise = last.getBoundingClientRect().top - said.getBoundingClientRect().top;
    const most = said.scrollHeight - said.clientHeight;
    said.scrollTop = Math.min(most, said.scrollTop + rise);
  }

  // The page is there: what was being written is too.
  window.footnote.opened = () => {
    const said = one("#said");
    said.setAttribute("role", "region");
    said.setAttribute("aria-label", "Conversation");
    const draft = sessionStorage.getItem("footnote-draft");
    if (draft && !box().value) box().value = draft;
    if (draft) grow();
    if (matchMedia("(pointer: fine)").matches) box().focus({ preventScroll: true });
    window.footnote.return?.();
  };
  Object.assign(window.footnote, { ask, stop, move });
})();
