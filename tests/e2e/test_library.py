"""The library in a real browser: adding, removing, putting back, choosing, opening, many."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from index.build import build
from index.embed import embedder
from tests.e2e import axe
from tests.e2e.conftest import Reader
from tests.serving import serving

MILL = "# The mill\n\nThe mill at Lübeck employed 412 people in 1927.\n"
BRIDGE = "# The bridge\n\nThe bridge over the Trave was opened in 1903 by the mayor.\n"
HARBOUR = "# The harbour\n\nThe harbour master counted 1,204 ships in 1931.\n"
HOSTILE = '<img src=x onerror="window.owned=1">'


SOURCES = {"mill.md": MILL, "bridge.md": BRIDGE}


class Shelves:
    """An index of its own, and the app over it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    def open(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.goto(self.address)
        page.locator(".library .entry").first.wait_for()
        return page

    def tidy(self) -> None:
        """As it was before a test."""
        documents = self.folder / "documents"
        for file in documents.iterdir():
            if file.name not in SOURCES:
                file.unlink()
        for name, text in SOURCES.items():
            (documents / name).write_text(text, "utf-8")
        with httpx.Client(base_url=self.address, timeout=30) as http:
            self._rest(http)
            for each in http.get("library/state").json()["entries"]:
                what = "restore" if each["state"] == "left out" else "remove"
                if each.get("added") or what == "restore":
                    http.post(f"library/{what}", json={"id": each["id"]}).raise_for_status()
            http.post("library/index").raise_for_status()
            self._rest(http)
            left = http.get("library/state").json()["entries"]
            assert [each["id"] for each in left] == sorted(SOURCES)

    def _rest(self, http: httpx.Client) -> None:
        while http.get("library/state").json()["work"]["busy"]:
            time.sleep(0.05)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelves]:
    folder = tmp_path_factory.mktemp("shelves")
    documents = folder / "documents"
    documents.mkdir()
    for name, text in SOURCES.items():
        (documents / name).write_text(text, "utf-8")
    build([documents], folder / "index", embedder("minilm"))
    with serving(folder / "index") as address:
        yield Shelves(folder, address)


@pytest.fixture
def shelves(place: Shelves) -> Iterator[Shelves]:
    """Two documents of a folder, nothing added."""
    yield place
    place.tidy()


def entry(page: Page, title: str) -> Locator:
    return page.locator(".library .entry", has_text=title)


def put(page: Page, **files: str | bytes) -> None:
    """Chooses files to add; `a_md` stands for a.md."""
    page.locator("#files").set_input_files(
        [
            {
                "name": name.replace("_", "."),
                "mimeType": "text/plain",
                "buffer": text.encode() if isinstance(text, str) else text,
            }
            for name, text in files.items()
        ]
    )


def test_files_are_added_asked_and_removed(shelves: Shelves, context: BrowserContext) -> None:
    page = shelves.open(context)
    put(page, harbour_md=HARBOUR, picture_exe=b"MZ", broken_md="…")
    refused = page.locator(".arrivals .failed")
    expect(refused).to_contain_text("picture.exe")
    expect(refused).to_contain_text(".exe files are not read")
    expect(entry(page, "The harbour").locator("a")).to_be_visible(timeout=20_000)
    expect(entry(page, "broken.md").locator(".state")).to_contain_text("Not indexed:")
    expect(page.locator(".library .count")).to_contain_text("3 documents")
    refused.get_by_role("button").click()
    expect(refused).to_have_count(0)
    assert (shelves.folder / "index" / "added" / "harbour.md").read_text("utf-8") == HARBOUR

    reader = Reader(page)
    reader.ask("How many ships did the harbour master count in 1931?")
    expect(reader.turn.words.first).to_contain_text("1,204")
    page.locator(".turn .note").first.click()
    assert "1,204 ships" in reader.marked(1)
    page.locator("#to-library").click()

    remove = entry(page, "The harbour").locator(".remove")
    remove.click()
    expect(remove).to_have_text("Delete the file?")
    assert (shelves.folder / "index" / "added" / "harbour.md").exists()
    remove.click()
    expect(entry(page, "The harbour")).to_have_count(0, timeout=20_000)
    assert not (shelves.folder / "index" / "added" / "harbour.md").exists()


def test_a_document_of_a_folder_is_left_out_and_put_back(
    shelves: Shelves, context: BrowserContext
) -> None:
    page = shelves.open(context)
    entry(page, "The bridge").locator(".remove").click()
    expect(entry(page, "bridge.md").locator(".state")).to_contain_text("Left out", timeout=20_000)
    assert (shelves.folder / "documents" / "bridge.md").exists()
    expect(page.locator(".library .count")).to_contain_text("1 document,")
    axe.check(page)
    entry(page, "bridge.md").locator(".restore").click()
    expect(entry(page, "The bridge").locator("a")).to_be_visible(timeout=20_000)


def test_re_indexing_finds_what_changed_and_everybody_sees_it(
    shelves: Shelves, context: BrowserContext, browser: Browser
) -> None:
    page = shelves.open(context)
    (shelves.folder / "documents" / "mill.md").write_text(MILL.replace("mill", "Mühle"), "utf-8")
    (shelves.folder / "documents" / "gone.md").write_text("…\n")
    with browser.new_context() as other:
        theirs = shelves.open(other)
        page.locator("#index-again").click()
        for each in (page, theirs):
            expect(entry(each, "The Mühle").locator("a")).to_be_visible(timeout=20_000)
            expect(entry(each, "gone.md").locator(".state")).to_contain_text("Not indexed:")


def test_a_question_uses_only_the_chosen_documents(
    shelves: Shelves, context: BrowserContext
) -> None:
    question = "How many people did the mill at Lübeck employ in 1927?"
    page = shelves.open(context)
    reader = Reader(page)
    expect(page.locator("#scope .scope")).to_be_hidden()
    entry(page, "The mill").get_by_role("checkbox").uncheck()
    expect(page.locator("#scope .scope")).to_contain_text("Only 1 of 2 documents")
    assert page.locator("#choose-all").evaluate("box => box.indeterminate")
    reader.ask(question)
    expect(reader.turn.refusal).to_be_visible()
    page.wait_for_timeout(600)  # what is still on its way would complain of the reload
    page.reload()
    expect(page.locator("#scope .scope")).to_contain_text("Only 1 of 2 documents")
    expect(entry(page, "The mill").get_by_role("checkbox")).not_to_be_checked()
    page.locator("#ask-all").click()
    expect(entry(page, "The mill").get_by_role("checkbox")).to_be_checked()
    reader.ask(f"{question} Say it.")
    expect(reader.turn.words.first).to_contain_text("412")
    page.locator("#to-library").click()
    page.locator("#choose-all").uncheck()
    expect(page.locator("#scope .scope")).to_contain_text("nothing will be found")
    axe.check(page)


def test_a_choice_is_nobody_elses(
    shelves: Shelves, context: BrowserContext, browser: Browser
) -> None:
    page = shelves.open(context)
    entry(page, "The mill").get_by_role("checkbox").uncheck()
    expect(page.locator("#scope .scope")).to_contain_text("Only 1 of 2")
    with browser.new_context() as other:
        theirs = shelves.open(other)
        expect(theirs.locator("#scope .scope")).to_be_hidden()
        expect(entry(theirs, "The mill").get_by_role("checkbox")).to_be_checked()
        reader = Reader(theirs)
        reader.ask("How many people did the mill at Lübeck employ in 1927?")
        expect(reader.turn.words.first).to_contain_text("412")
        assert page.locator(".turn").count() == 0


def test_dropped_files_are_added(shelves: Shelves, context: BrowserContext) -> None:
    page = shelves.open(context)
    data = page.evaluate_handle(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], "harbour.md"));
          return data;
        }""",
        HARBOUR,
    )
    page.dispatch_event("#said", "dragover", {"dataTransfer": data})
    expect(page.locator("body.dropping")).to_have_count(1)
    page.dispatch_event("#said", "drop", {"dataTransfer": data})
    expect(page.locator("body.dropping")).to_have_count(0)
    expect(entry(page, "The harbour").locator("a")).to_be_visible(timeout=20_000)


def test_a_file_that_cannot_be_read_does_not_take_a_dropped_folder_along(
    shelves: Shelves, context: BrowserContext
) -> None:
    page = shelves.open(context)
    data = page.evaluate_handle(
        """text => {
          const good = {isFile: true, name: "harbour.md", file: done => done(
            new File([text], "harbour.md"))};
          const bad = {isFile: true, name: "locked.md", file: (done, gone) => gone(
            new DOMException("locked", "NotReadableError"))};
          let left = [[bad, good], []];
          const folder = {isDirectory: true, name: "folder", createReader: () => ({
            readEntries: done => done(left.shift())})};
          DataTransferItem.prototype.webkitGetAsEntry = () => folder;
          const data = new DataTransfer();
          data.items.add(new File(["x"], "folder"));
          return data;
        }""",
        HARBOUR,
    )
    page.dispatch_event("#said", "drop", {"dataTransfer": data})
    expect(entry(page, "The harbour").locator("a")).to_be_visible(timeout=20_000)
    expect(page.locator(".arrivals .failed")).to_contain_text("locked.md")
    expect(page.locator(".arrivals .failed")).to_contain_text("it cannot be read")


def test_names_and_titles_are_never_markup(shelves: Shelves, context: BrowserContext) -> None:
    page = shelves.open(context)
    page.locator("#files").set_input_files(
        [
            {"name": f"{HOSTILE}.md", "mimeType": "", "buffer": f"# {HOSTILE}\n\nWords.".encode()},
            {"name": f"{HOSTILE}.exe", "mimeType": "", "buffer": b"x"},
            {"name": "..\\..\\up.md", "mimeType": "", "buffer": b"# Up\n\nUp and away."},
        ]
    )
    expect(entry(page, "onerror").locator("a")).to_be_visible(timeout=20_000)
    expect(entry(page, "Up").locator("a")).to_be_visible()
    assert page.locator("#library img, .arrivals img").count() == 0
    assert page.evaluate("window.owned") is None
    assert sorted(file.name for file in shelves.folder.iterdir()) == ["documents", "index"]


def test_two_thousand_documents_stay_quick(
    tmp_path: Path, context: BrowserContext, built_in_index: Path
) -> None:
    """The list is the manifest's: it needs no vectors to be long."""
    folder = tmp_path / "index"
    shutil.copytree(built_in_index, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    [like, *_] = manifest["documents"]
    for number in range(2_000):
        title = f"Report {number:04} of the commission"
        manifest["documents"].append({**like, "id": f"report-{number:04}.md", "title": title})
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with serving(folder, "--read-only") as address:
        page = context.new_page()
        page.goto(address)
        page.locator(".library .entry").first.wait_for()
        expect(page.locator(".library .count")).to_contain_text("2,005 documents")
        assert page.locator(".library .entry").count() == 100
        expect(page.locator(".library .writing")).to_have_count(0)  # read only
        expect(page.locator(".library .remove")).to_have_count(0)
        page.locator("#more-entries").click()
        assert page.locator(".library .entry").count() == 200
        took = page.evaluate(
            """() => {
              const filter = document.querySelector("#filter");
              const took = ["1", "19", "199", "1999"].map(words => {
                const started = performance.now();
                filter.value = words;
                filter.dispatchEvent(new Event("input", { bubbles: true }));
                document.body.getBoundingClientRect();
                return performance.now() - started;
              });
              return Math.min(...took.slice(0, 3));
            }"""
        )
        assert took < 100
        expect(page.locator(".library .entry")).to_have_count(1)
        page.locator("#choose-all").uncheck()
        expect(page.locator("#scope .scope")).to_contain_text("Only 2,004 of 2,005")
        with httpx.Client(base_url=address) as http:
            started = time.perf_counter()
            state = http.get("library/state").json()
            assert time.perf_counter() - started < 1
            assert len(state["entries"]) == 2_005
            assert "entries" not in http.get(f"library/state?since={state['tag']}").json()
            for what in ("add?name=a.md", "remove", "restore", "index"):
                answer = http.post(f"library/{what}", json={"id": "x"})
                assert answer.status_code == 403
                assert "neither added" in answer.json()["problem"]


def test_what_is_sent_is_limited_and_stays_where_it_belongs(shelves: Shelves) -> None:
    with httpx.Client(base_url=shelves.address, timeout=30) as http:
        for name, status in (
            *(("a.exe", 415), ("noending", 415), ("a.md/../../b", 415), ("", 415)),
            *(("../../../up.md", 200), ("/etc/cron.d/x.md", 200), ("c:\\boot.md", 200)),
            *((".hidden.md", 200), ("~$lock.md", 200), ("\u202egnp.md", 200), ("a\x00b.md", 200)),
            ("x" * 5_000 + ".md", 200),
        ):
            answer = http.post("library/add", params={"name": name}, content=b"# Some\n\nWords.")
            assert answer.status_code == status, (name, answer.text)
        assert http.post("library/add", content=b"x").status_code == 422
        large = http.post("library/add?name=large.md", content=b"x" * 50_000_001)
        assert (large.status_code, "larger than 50 MB" in large.text) == (413, True)
        for what in ("remove", "restore"):
            for id in ("../documents/mill.md", "/etc/passwd", "nothing.md"):
                answer = http.post(f"library/{what}", json={"id": id})
                assert answer.status_code == 422, answer.text
                assert "problem" in answer.json()
            assert http.post(f"library/{what}", json={"id": ["x"]}).status_code == 422
    added = shelves.folder / "index" / "added"
    assert all(len(file.name.encode()) <= 255 for file in added.iterdir())
    names = {file.name for file in added.iterdir()}
    assert {"up.md", "x.md", "boot.md", "hidden.md", "lock.md"} <= names
    assert not any(name.startswith((".", "~")) for name in names)
    assert sorted(file.name for file in shelves.folder.iterdir()) == ["documents", "index"]
    assert (shelves.folder / "documents" / "mill.md").read_text("utf-8") == MILL


def test_questions_are_answered_while_the_index_is_written(shelves: Shelves) -> None:
    """Uploads queue behind one writer; who asks meanwhile gets the state before, or the new one."""
    from tests.serving import ask

    words = "The committee met and wrote down what had been said about the harbour. " * 30
    with httpx.Client(base_url=shelves.address, timeout=60) as http:
        for number in range(12):
            text = f"# Minutes {number}\n\n{words}\n\nThe code of meeting {number} is Q{number}7.\n"
            name = f"minutes-{number}.md"
            assert http.post("library/add", params={"name": name}, content=text).is_success
        asked, busy = 0, True
        while busy:
            answer = ask(http, "How many people did the mill at Lübeck employ in 1927?")
            assert "412" in answer["answer"]
            asked += 1
            busy = http.get("library/state").json()["work"]["busy"]
        assert asked > 1
        state = http.get("library/state").json()
        assert state["work"]["problem"] == ""
        assert {each["state"] for each in state["entries"]} == {"current"}
        assert len(state["entries"]) == 14
        assert "Q77" in ask(http, "What is the code of meeting 7?")["answer"]
