// The card beside a footnote's number: the words behind it, before it is followed. It comes by
// mouse and by keyboard, can be reached with the mouse, and leaves with Escape. A finger follows
// the number at once.
(() => {
  "use strict";
  const { make } = window.footnote;
  const SOON = 120; // ms, so that a mouse passing by opens nothing
  const LATER = 220; // ms, to get from the number to the card
  const EDGE = 12; // px to the window's edge
  let card = null;
  let shown = null; // the number whose card is open
  let timer = 0;

  function show(note) {
    const words = document.getElementById(note.getAttribute("aria-describedby"));
    if (!words) return;
    card ??= document.body.appendChild(
      make("div", { id: "card", popover: "manual", "aria-hidden": "true" }));
    card.replaceChildren(...[...words.cloneNode(true).childNodes]);
    shown = note;
    if (!card.matches(":popover-open")) card.showPopover();
    place();
  }

  function place() {
    const note = shown;
    if (!note?.isConnected) return hide();
    const at = note.getClientRects()[0] ?? note.getBoundingClientRect();
    const size = card.getBoundingClientRect();
    const left = Math.min(at.left - 24, innerWidth - size.width - EDGE);
    const below = at.bottom + 6;
    const fits = below + size.height <= innerHeight - EDGE;
    const top = fits ? below : Math.max(EDGE, at.top - size.height - 6);
    card.style.left = `${Math.max(EDGE, left)}px`;
    card.style.top = `${Math.min(top, innerHeight - size.height - EDGE)}px`;
  }

  function hide() {
    clearTimeout(timer);
    if (card?.matches(":popover-open")) card.hidePopover();
    shown = null;
  }

  function soon(action, wait) {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  }

  const note = (event) =>
    event.target instanceof Element ? event.target.closest("a.note[aria-describedby]") : null;

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const over = note(event);
    if (over) soon(() => show(over), shown ? 0 : SOON);
    else if (event.target instanceof Element && event.target.closest("#card")) clearTimeout(timer);
    else if (shown && !shown.matches(":focus-visible")) soon(hide, LATER);
    else if (!shown) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const focused = note(event);
    if (focused?.matches(":focus-visible")) show(focused);
    else if (shown && !event.target.closest?.("#card")) hide();
  });
  document.addEventListener("focusout", (event) => {
    if (note(event) === shown) hide();
  });
  document.addEventListener("click", hide);
  document.addEventListener("scroll", (event) => {
    if (shown && event.target !== card) requestAnimationFrame(place);
  }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown) return;
    event.preventDefault(); // it closes nothing else
    hide();
  }, { capture: true });
  document.documentElement.addEventListener("mouseleave", hide);
})();
