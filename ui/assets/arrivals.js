// Files on their way into the library: chosen or dropped, sent two at a time, each with its progress.
(() => {
  "use strict";
  const { one, make, links, library } = window.footnote;
  const AT_ONCE = 2;
  const MOST = 500; // files in one go
  const waiting = [];
  let sending = 0;

  function reject(file) {
    if (file.unreadable) return "it cannot be read";
    const { kinds, largest } = library.writing().dataset;
    const ending = `.${file.name.split(".").pop().toLowerCase()}`;
    if (!file.name.includes(".") || !kinds.split(", ").includes(ending)) {
      return file.name.includes(".") ? `${ending} files are not read` : "no ending says what it is";
    }
    if (file.size > largest) return `larger than ${largest / 1e6} MB: split it`;
    return file.size ? "" : "empty";
  }

  function take(files) {
    if (!library.writing()) return;
    links.library();
    library.complain(files.length > MOST ? `Only the first ${MOST} of ${files.length} files were taken.` : "");
    for (const file of files.slice(0, MOST)) {
      const arrival = make("li", {}, make("span", { class: "name" }, file.name));
      one(".arrivals").append(arrival);
      const problem = reject(file);
      if (problem) fail(arrival, problem);
      else {
        arrival.append(make("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` }));
        waiting.push([file, arrival]);
      }
    }
    next();
  }

  function fail(arrival, problem) {
    one("progress", arrival)?.remove();
    arrival.className = "failed";
    const name = one(".name", arrival).textContent;
    arrival.append(
      make("button", { type: "button", class: "dismiss", "aria-label": `Dismiss ${name}` }, "×"),
      make("span", { class: "state", role: "alert" }, `Not added: ${problem}`),
    );
  }

  function next() {
    while (sending < AT_ONCE && waiting.length) post(...waiting.shift());
  }

  function post(file, arrival) {
    sending += 1;
    const request = new XMLHttpRequest();
    request.open("POST", `library/add?name=${encodeURIComponent(file.name)}`);
    request.upload.onprogress = (event) => {
      const bar = one("progress", arrival);
      if (bar && event.lengthComputable) bar.value = event.loaded / event.total;
    };
    request.onloadend = () => {
      sending -= 1;
      let said = {};
      try {
        said = JSON.parse(request.responseText);
      } catch {
        // not an answer of ours
      }
      if (request.status === 200) arrival.remove(); // the list has it now
      else fail(arrival, said.problem || (request.status ? "it was refused" : "the connection broke"));
      library.look();
      next();
    };
    request.send(file);
  }

  // A dropped folder gives its files, and those in the folders below it; one that cannot be read
  // gives its name, and the others go on.
  async function unfold(entry) {
    try {
      return await contents(entry);
    } catch {
      return [{ name: entry.name, unreadable: true }];
    }
  }

  async function contents(entry) {
    if (entry.isFile) return [await new Promise((done, gone) => entry.file(done, gone))];
    const reader = entry.createReader();
    const files = [];
    for (;;) {
      const some = await new Promise((done, gone) => reader.readEntries(done, gone));
      if (!some.length) return files;
      for (const each of some) {
        if (!each.name.startsWith(".") && files.length <= MOST) files.push(...(await unfold(each)));
      }
    }
  }

  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && library.writing();
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    document.body.classList.remove("dropping");
    const items = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const dropped = [...event.dataTransfer.files];
    if (!items.some((entry) => entry?.isDirectory)) return take(dropped);
    take((await Promise.all(items.filter(Boolean).map(unfold))).flat());
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "files") return;
    take([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button?.id === "add-documents") one("#files").click();
    if (button?.matches(".arrivals .dismiss")) button.closest("li").remove();
  });
})();
