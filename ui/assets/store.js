// Conversations on the person's own machine: in the browser's database, bounded, the oldest going
// first. Nothing of it is sent anywhere but back to the app when a conversation is opened.
(() => {
  "use strict";
  const limits = { conversations: 200, characters: 40_000_000 };
  const HEADS = "heads"; // { id, title, updated, sizes, revision }: `sizes` in characters, by turn
  const TURNS = "turns"; // { id, n, turn }: written one by one
  let opened = null;

  // Two people who use one browser, each with a name of their own, do not see each other's.
  const name = () => `footnote:${window.gradio_config?.username ?? ""}`;

  function database() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(name(), 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(HEADS, { keyPath: "id" });
        request.result.createObjectStore(TURNS, { keyPath: ["id", "n"] });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  }

  const result = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  async function stores(mode) {
    const transaction = (await database()).transaction([HEADS, TURNS], mode);
    return [transaction.objectStore(HEADS), transaction.objectStore(TURNS)];
  }

  // The newest first.
  async function list() {
    const [heads] = await stores("readonly");
    return (await result(heads.getAll())).sort((a, b) => b.updated - a.updated);
  }

  const from = (id, n = 0) => IDBKeyRange.bound([id, n], [id, Infinity]);

  async function get(id) {
    const [heads, turns] = await stores("readonly");
    const [head, rows] = [heads.get(id), turns.getAll(from(id))].map(result);
    const found = await head;
    return found && { ...found, turns: (await rows).map((row) => row.turn) };
  }

  // Writes a conversation from turn `n` (from 0) on, and gives the heads of those that were let go
  // to make room. Where another window has written it since it was read, both are kept; where it
  // was deleted there, it is written whole.
  async function put(conversation, n) {
    const [heads, turns] = await stores("readwrite");
    const there = await result(heads.get(conversation.id));
    if (there?.revision !== conversation.revision) {
      if (there) conversation.id = fresh();
      n = 0;
    }
    const sizes = (conversation.sizes ?? []).slice(0, n);
    turns.delete(from(conversation.id, n));
    conversation.turns.slice(n).forEach((turn, at) => {
      turns.put({ id: conversation.id, n: n + at, turn });
      sizes.push(JSON.stringify(turn).length);
    });
    conversation.sizes = sizes;
    conversation.revision = (conversation.revision ?? 0) + 1;
    const { turns: _, ...head } = conversation;
    heads.put({ ...head, updated: Date.now() });
    let characters = size(head);
    const others = (await result(heads.getAll()))
      .filter((each) => each.id !== head.id)
      .sort((a, b) => b.updated - a.updated);
    const gone = others.filter((each, at) => {
      characters += size(each);
      return at + 2 > limits.conversations || characters > limits.characters;
    });
    for (const each of gone) {
      heads.delete(each.id);
      turns.delete(from(each.id));
    }
    return gone;
  }

  const size = (head) => head.sizes.reduce((sum, each) => sum + each, 0);

  async function rename(id, title) {
    const [heads] = await stores("readwrite");
    const head = await result(heads.get(id));
    if (head) heads.put({ ...head, title });
  }

  async function remove(id) {
    const [heads, turns] = await stores("readwrite");
    heads.delete(id);
    turns.delete(from(id));
  }

  const fresh = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

  window.footnote.store = { limits, list, get, put, rename, remove, fresh };
})();
