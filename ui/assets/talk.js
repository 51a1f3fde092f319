// The conversation: questions to begin with, a new conversation, keeping the end in sight.
(() => {
  "use strict";
  const { one, all, send, links } = window.footnote;
  let seen = ""; // the latest turn
  let following = true; // whether the conversation scrolls with the answer that arrives

  links.new = () => send(one("#said .talk"), "new");

  document.addEventListener("click", (event) => {
    const example = event.target instanceof Element ? event.target.closest(".example") : null;
    if (example) send(example, "ask", { question: example.textContent });
  });

  const onScroll = (event) => {
    if (event.target instanceof Element && event.target.closest("#said")) following = false;
  };
  document.addEventListener("wheel", onScroll, { passive: true });
  document.addEventListener("touchmove", onScroll, { passive: true });

  // The conversation has grown: keep its end in sight, but never push a question out of it.
  window.footnote.talked = () => {
    const turns = all("#said .turn");
    document.body.classList.toggle("begun", turns.length > 0);
    const last = turns.at(-1);
    if (!last) return;
    if (last.id !== seen) following = true;
    seen = last.id;
    const said = one("#said");
    const rise = last.getBoundingClientRect().top - said.getBoundingClientRect().top;
    const most = said.scrollHeight - said.clientHeight;
    if (following) said.scrollTop = Math.min(most, said.scrollTop + rise);
    window.footnote.remark();
  };
})();
