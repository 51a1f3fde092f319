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

  // Says something once to who listens instead of looking.
  let telling = [];
  function tell(text) {
    if (telling.push(text) > 1) return;
    one("#tell").textContent = "";
    setTimeout(() => {
      one("#tell").textContent = telling.join(" "); // the same words again are said again
      telling = [];
    }, 60);
  }

  // To the clipboard; pages that do not come over https or from this machine have none.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.setAttribute("aria-hidden", "true");
      area.style.cssText = "position: fixed; opacity: 0";
      const focused = document.activeElement;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      focused?.focus({ preventScroll: true });
      return copied;
    }
  }

  // An element with words in it; never with markup.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  }

  // A file for the person to save.
  function save(name, kind, text) {
    const href = URL.createObjectURL(new Blob([text], { type: kind }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
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
    if (event.key === "Escape" && !event.defaultPrevented && narrow()) close();
  });

  window.footnote = { one, all, narrow, open, close, send, tell, copy, make, save, links: {} };
})();
