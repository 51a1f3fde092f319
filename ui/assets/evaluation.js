// The evaluation page: what was chosen on the form, how far the run is, what it came to. A run is
// found again by its token, which is kept for this tab alone, so that a reload does not lose it.
(() => {
  "use strict";
  const { one, all, send, make, save, links } = window.footnote;
  const KEY = "footnote-run";
  const EVERY = 700; // milliseconds between two looks at a run
  const LARGEST = 7_000_000; // characters of a file
  let clock = 0;
  let choosing = null; // what the file that is being chosen is for
  let came = null;
  let ended = false; // a run ended just now: its results are to be shown

  const token = () => sessionStorage.getItem(KEY);
  const on = () => document.body.classList.contains("evaluating");

  function leave(focus) {
    if (!on()) return;
    document.body.classList.remove("evaluating");
    one("#masthead a[href='#evaluation']")?.removeAttribute("aria-current");
    if (focus) (came?.isConnected ? came : one("#question textarea"))?.focus();
  }

  links.evaluation = (_, link) => {
    came = link;
    document.body.classList.add("evaluating");
    link?.setAttribute("aria-current", "page");
    one(".evaluation-head h2").focus({ preventScroll: true });
    send(one("#choose .offer"), "opened", chosen());
    look();
  };
  links.conversation = () => leave(true);
  links.case = (at) => {
    const shown = one("#report .report");
    send(shown, "case", { token: shown?.dataset.token, at: Number(at) });
  };
  // A case as it was answered: a conversation of its own, kept as any other.
  window.footnote.reopened = async (turn) => {
    if (!turn) return say("This run is not known any more: run it again.");
    const { asked, keep, stop, left } = window.footnote;
    await stop();
    left();
    asked(turn.question);
    keep({ turn: 1, kept: turn });
    leave(false);
    const { markdown, ...whole } = turn;
    send(one("#latest .talk"), "revive", { turns: [whole], run: `case-${Date.now()}` });
    one("#question textarea")?.focus({ preventScroll: true });
  };

  function chosen() {
    const form = one(".choose");
    if (!form) return {};
    const sample = Number(form.elements.sample?.value);
    return {
      set: one("input[name=set]:checked", form)?.value ?? "",
      tags: all(".tags:not([hidden]) input:checked", form).map((box) => box.value),
      sample: Number.isInteger(sample) && sample > 0 ? sample : null,
      against: form.elements.against?.value ?? "",
    };
  }

  function look() {
    if (token()) send(one("#progress .progress"), "look", { token: token() });
  }

  // A file is read here and sent as text: nothing is uploaded.
  const input = document.createElement("input");
  input.type = "file";
  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = ""; // the same file may be chosen again
    if (!file) return;
    let text = file.size <= 40 * LARGEST ? await file.text() : "";
    if (choosing === "run") text = judgements(text);
    if (file.size > 40 * LARGEST || text.length > LARGEST) {
      return say(`${file.name} is too large: split it into smaller files.`);
    }
    const detail = { ...chosen(), kind: choosing, name: file.name, text };
    send(one("#choose .offer"), "bring", detail);
  });

  // Of an earlier run only what is compared: its answers may be many megabytes.
  function judgements(text) {
    try {
      const { run, cases } = JSON.parse(text);
      return JSON.stringify({ run, cases: cases.map((one) => ({ ...one, answer: null })) });
    } catch {
      return text.slice(0, 1000); // what it is instead is for the server to say
    }
  }

  function say(text) {
    const line = make("p", { class: "problem", role: "alert" }, text);
    one("#progress .progress").replaceChildren(line);
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.closest?.(".choose")) return;
    event.preventDefault();
    const earlier = event.target.dataset.does === "earlier"; // nothing is run here
    ended = earlier;
    send(one("#choose .offer"), earlier ? "earlier" : "begin", chosen());
  });
  document.addEventListener("change", (event) => {
    const set = event.target.closest?.(".choose input[name=set]");
    if (!set) return;
    for (const tags of all(".choose .tags")) {
      tags.hidden = tags.disabled = tags.dataset.set !== set.value;
    }
    one(".choose input[name=sample]").placeholder =
      `all ${Number(set.dataset.cases).toLocaleString("en")}`;
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const bring = target?.closest(".choose .bring");
    if (bring) {
      choosing = bring.dataset.kind;
      input.accept = choosing === "run" ? ".json" : ".jsonl,.json,.txt";
      input.click();
    } else if (target?.closest("#progress .stop")) {
      target.closest(".stop").disabled = true;
      send(one("#progress .progress"), "halt", { token: token() });
    } else if (target?.closest("#report .download")) {
      const detail = { token: token(), name: target.closest(".download").dataset.file };
      send(one("#report .report"), "file", detail);
    } else if (on() && target?.closest("a[href^='#']:not(#evaluation a, [href='#evaluation'])")) {
      leave(false);
    }
  }, true);

  document.addEventListener("keydown", (event) => {
    const elsewhere = one("dialog[open]") || event.target.closest?.("select, input");
    if (event.key === "Escape" && on() && !elsewhere) leave(true);
  });

  window.footnote.saved = (name, text) => {
    if (!text) return say("This run is not known any more: run it again.");
    save(name, name.endsWith(".json") ? "application/json" : "text/html", text);
  };

  // The progress was set again: look anew while the run goes on.
  window.footnote.progressed = () => {
    const shown = one("#progress .progress");
    const state = shown?.dataset.state;
    one(".choose button.run")?.toggleAttribute("aria-disabled", state === "running");
    if (state === "running") {
      sessionStorage.setItem(KEY, shown.dataset.token);
      ended = true;
      clock ||= setInterval(look, EVERY); // it may look the same as before for a while
    } else {
      if (clock && state === "done") send(one("#choose .offer"), "opened", chosen());
      clearInterval(clock);
      clock = 0;
    }
  };
  window.footnote.reported = () => {
    const head = one("#report .report h3");
    if (!head || !ended) return;
    ended = false;
    head.scrollIntoView({ block: "start" });
    head.focus({ preventScroll: true });
  };
})();
