// The room: which pane is on the screen, and who follows which link. Each part of the page says
// what its links open: `footnote.links.cite = (rest, link) => …` is called for `#cite-REST`.
// Nothing in these scripts reads markup from a document: they only show, hide, scroll and name.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const narrow = () => matchMedia("(max-width: 859px)").matches;
  let came = null; // the link to give the focus back to

  // The source pane comes to the front; on a small screen it slides over the conversation.
  function open() {
    document.body.classList.add("reading");
    if (narrow()) one("#back")?.focus({ preventScroll: true });
  }

  function close() {
    if (!document.body.classList.contains("reading")) return;
    document.body.classList.remove("reading");
    if (narrow()) (came?.isConnected ? came : one("#question textarea"))?.focus();
  }

  // Tells the Gradio component around an element: `footnote-NAME`, see `js_on_load` in Python.
  function send(element, name, detail) {
    element?.dispatchEvent(new CustomEvent(`footnote-${name}`, { bubbles: true, detail }));
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (!link) {
      if (event.target instanceof Element && event.target.closest("#back")) close();
      return;
    }
    event.preventDefault();
    if (!link.closest("#desk")) came = link;
    const [kind, ...rest] = link.hash.slice(1).split("-");
    window.footnote.links[kind]?.(rest.join("-"), link);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow()) close();
  });

  window.footnote = { one, all, narrow, open, close, send, links: {} };
})();
