// The drawer that says why this answer. It lies over the source, on a small screen over all; the
// focus goes into it and comes back, and what lies under it cannot be reached.
(() => {
  "use strict";
  const { one, narrow, send, links, open } = window.footnote;
  const drawer = () => one("#why .why");
  let came = null; // the link to give the focus back to
  let wanted = 0; // the turn that was asked for

  function cover() {
    const opened = document.body.classList.contains("explaining");
    const under = opened && narrow();
    one("#desk").inert = opened;
    one("#conversation").inert = under;
    one("#masthead").inert = under;
    one("#why").inert = !opened;
  }

  function close(focus = true) {
    if (!document.body.classList.contains("explaining")) return;
    document.body.classList.remove("explaining");
    cover();
    if (focus) back();
  }

  // The link may have been drawn anew since.
  function back() {
    const again = came?.isConnected ? came : one(`#said a[href="#why-${wanted}"]`);
    (again ?? one("#question textarea"))?.focus({ preventScroll: true });
  }

  links.why = (turn, link) => {
    came = link;
    wanted = Number(turn);
    document.body.classList.remove("aside");
    document.body.classList.add("explaining");
    cover();
    one("#why").setAttribute("aria-busy", "true");
    one("#why h2")?.focus({ preventScroll: true });
    send(drawer(), "why", { turn: wanted });
  };

  // What was found and not cited is shown in the source pane; the drawer makes room for it.
  links.found = (place) => {
    const [turn, part, at] = place.split("-").map(Number);
    send(drawer(), "found", { turn, part, at });
    aside();
    open();
  };
  function aside() {
    document.body.classList.add("aside");
    close(false);
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest(".why-close")) close();
    else if (target?.closest("#why a[href^='#cite-']")) aside();
    else if (target?.closest("#return")) {
      document.body.classList.remove("aside");
      document.body.classList.add("explaining");
      cover();
      one("#why h2")?.focus({ preventScroll: true });
    } else if (target?.closest("a[href^='#']:not(#why a, .thumbs a)")) {
      document.body.classList.remove("aside"); // somewhere else was gone to
      if (!target.closest("a[href^='#why-']")) close(false);
    }
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || one("dialog[open]")) return;
    if (!document.body.classList.contains("explaining")) return;
    event.stopPropagation(); // the source under it stays where it is
    close();
  }, true);
  matchMedia("(max-width: 859px)").addEventListener("change", () => one("#why") && cover());

  // The drawer was filled.
  window.footnote.explained = () => {
    const pane = one("#why");
    pane.setAttribute("aria-busy", "false");
    if (Number(drawer()?.dataset.turn) !== pane.dataset.shown * 1) pane.scrollTop = 0;
    pane.dataset.shown = drawer()?.dataset.turn ?? "";
    cover();
    if (document.body.classList.contains("explaining")) {
      one("#why h2")?.focus({ preventScroll: true });
    }
  };
})();
