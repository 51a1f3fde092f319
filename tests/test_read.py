import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import FootnoteError, UnreadableDocument
from corpus.read import BUILT_IN, LARGEST, SUFFIXES, find, read, read_bytes
from corpus.text import normalise


def text_of(data: bytes) -> str:
    return read_bytes(data, "note.txt").text


def reason(data: bytes, id: str = "note.txt") -> str:
    with pytest.raises(UnreadableDocument) as raised:
        read_bytes(data, id)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# --- bytes → text

KEP = "Café “Kep” – £3"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"],
)
def test_the_encoding_is_found(encoding: str) -> None:
    assert text_of(KEP.encode(encoding)) == KEP


def test_utf_16_with_a_mark_of_either_order_and_of_any_script() -> None:
    khmer = "ភ្នំពេញ ១២៣"
    assert text_of(b"\xff\xfe" + khmer.encode("utf-16-le")) == khmer
    assert text_of(b"\xfe\xff" + khmer.encode("utf-16-be")) == khmer


def test_a_byte_or_two_that_are_broken_in_utf_8_are_shown() -> None:
    cut = ("Ünïcödé “words” " * 3).encode()[:-3]
    assert text_of(cut).endswith("words\ufffd")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\x00\x01\x02\x03",
        b"\x01\x02\x03\x04 words",
        b"words\x00words, and more of them",
        bytes(range(128, 256)) * 4,
        "港口已经疏浚了，船可以进来。".encode("gbk"),
        "Порт закрыт".encode("koi8-r"),
        b"\xff\xfeA\x00B",
        b"\xff\xfe\x00\xd8",
        os.urandom(4000),
    ],
)
def test_what_is_not_text_is_refused_with_the_reason(data: bytes) -> None:
    assert reason(data).startswith("not text")


@pytest.mark.parametrize("data", [b"", b" \r\n\t ", b"\xef\xbb\xbf", "\u200b\u00ad\u3000".encode()])
def test_empty_files_are_refused(data: bytes) -> None:
    assert reason(data) == "empty"


def test_files_of_marks_alone_are_refused() -> None:
    assert reason(b"--- ... !!!") == "holds no words"
    assert reason(b"---\ntitle: Kep\n---\n") == "empty"


def test_large_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(UnreadableDocument, match="larger than 50 MB"):
        read(path, "large.txt")
    assert reason(b"a" * (LARGEST + 1)).startswith("larger than 50 MB")


# --- normalisation


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\rc\x85d\u2028e\u2029f\vg", "a\nb\nc\nd\ne\nf\ng"),
        ("a\fb", "a\n\nb"),
        ("\n\n a  b \t\n\n\n\nc\n \n", " a  b\n\nc"),
        ("a\u00a0b\u202fc\u3000d\te", "a b c d\te"),
        ("co\u00adop\u200berate\ufeff \u202eevil\u2066\U000e0041", "cooperate evil"),
        ("e\u0301 \u212b", "é Å"),
        ("ភ្នំ\u200b\u200bពេញ\u200b", "ភ្នំ\u200bពេញ"),
        ("👩\u200d🚢 می\u200cشود", "👩\u200d🚢 می\u200cشود"),
        ("a\ud800b\0\x1b", "a\ufffdb"),
    ],
)
def test_text_is_normalised(raw: str, text: str) -> None:
    assert normalise(raw) == text


ANY = st.text(
    st.characters()
    | st.sampled_from("\r\n\f\v\t \x85\u2028\u00a0\u200b\u00ad\u0301\u1780\ufeff\ud800\ue000-")
)


@given(ANY)
def test_normalising_again_changes_nothing(raw: str) -> None:
    text = normalise(raw)
    assert normalise(text) == text
    assert text == text.encode().decode()
    assert "\n\n\n" not in text
    assert not any(line != line.rstrip() for line in text.split("\n"))
    assert {c for c in text if c.isspace()} <= set(" \t\n")


@given(ANY)
def test_reading_gives_normalised_text_or_a_reason(raw: str) -> None:
    try:
        document = read_bytes(raw.encode("utf-8", "replace"), "note.md")
    except UnreadableDocument:
        return
    assert normalise(document.text) == document.text
    assert read_bytes(document.text.encode(), "again.txt").version == document.version


@given(st.binary())
def test_no_bytes_are_too_odd_to_read(data: bytes) -> None:
    with suppress(UnreadableDocument):
        document = read_bytes(data, "note.txt")
        (document.text + document.title).encode()


# --- front matter and titles


def test_front_matter_becomes_metadata_and_is_no_part_of_the_text() -> None:
    document = read_bytes(
        b"---\r\nTitle: 'The *harbour*'\r\ndate: 2018-01-04\r\nsecret: no\r\n"
        b"tags: [sea, 1.10]\r\n"
        b"nested: {a: b}\r\nnothing:\r\nlong: >\r\n  two\r\n  lines\r\n---\r\n"
        b"\r\nIt is dredged.\r\n",
        "kep.md",
    )
    assert document.text == "It is dredged."
    assert document.title == "The *harbour*"
    assert document.metadata == {
        "title": "The *harbour*",
        "date": "2018-01-04",
        "secret": "no",
        "tags": "sea, 1.10",
        "long": "two lines",
    }


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefghijklmnop", "bcdefghijklmnopq", strict=True)
)


@pytest.mark.parametrize(
    "block",
    [
        "just words",
        "- a\n- b",
        "a: [b",
        "a: b: c",
        "\t",
        "!!python/object/apply:os.system [ls]",
        "? [a]\n: b",
        "a: " + "[" * 20_000,
        "a: *unknown",
        "%",
    ],
)
def test_what_is_no_front_matter_stays_in_the_text(block: str) -> None:
    document = read_bytes(f"---\n{block}\n---\nWords.".encode(), "kep.md")
    assert document.text == normalise(f"---\n{block}\n---\nWords.")
    assert not document.metadata


def test_front_matter_is_data_and_cannot_swell() -> None:
    document = read_bytes(f"---\n{BOMB}title: Kep\n---\nWords.".encode(), "kep.md")
    assert document.text == "Words."
    assert document.metadata == {"a": "x, x", "title": "Kep"}
    tagged = read_bytes(b'---\nt: !!int "7"\nu: "\\ud800\\u202e\\n."\n---\nWords.', "kep.md")
    assert tagged.metadata == {"t": "7", "u": "\ufffd ."}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The *harbour* of [Kep](https://kep.example) #\n\nText.", "The harbour of Kep"),
        ("Text comes first.\n\n# The harbour\n\nText.", "The harbour"),
        ("Text comes first.\n\n## A section\n\nText.", "Old port files"),
        ("```\n# comment\n```\n\nText.", "Old port files"),
        ("The harbour\n===========\nText.", "The harbour"),
        ("The harbour of Kep\n\nIt was dredged.", "The harbour of Kep"),
        (
            "Who dredged it?\n\n" + "The people of the town did, over many years. " * 3,
            "Who dredged it?",
        ),
        ("It was dredged.\n\nThen it closed.", "Old port files"),
        ("The harbour", "Old port files"),
    ],
)
def test_a_title_is_found(text: str, title: str) -> None:
    assert read_bytes(text.encode(), "sea/old_port--files.txt").title == title


# --- files


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.MD"
    path.write_bytes(b"Words.\r\n")
    document = read(path, "sub/a.MD")
    assert (document.id, document.text, document.pages) == ("sub/a.MD", "Words.", ())
    assert document.version == hashlib.sha256(b"Words.").hexdigest()


def test_the_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    assert {".txt", ".md", ".pdf", ".docx"} <= SUFFIXES
    (tmp_path / "a.exe").write_bytes(b"MZ")
    with pytest.raises(UnreadableDocument, match=r"^\.exe files are not read \(only \.csv, \.docm"):
        read(tmp_path / "a.exe", "a.exe")
    assert reason(b"words", "README").startswith("files without an ending are not read")


def test_files_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    for path, why in [
        (tmp_path / "gone.txt", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "a\0b.txt", "null"),
    ]:
        with pytest.raises(UnreadableDocument, match=why):
            read(path, "a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UnreadableDocument, match="not an ordinary file"):
        read(tmp_path / "pipe.txt", "pipe.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_files_and_folders_without_permission_say_so(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "a.txt").touch(mode=0)
    for id, path in find([tmp_path]):
        with pytest.raises(UnreadableDocument, match=r"cannot be opened"):
            read(path, id)


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Words of {name}.")
    return folder


def ids(*paths: Path) -> list[str]:
    return [id for id, _ in find(paths)]


def test_a_folder_is_walked_in_order_without_what_is_hidden(tmp_path: Path) -> None:
    tree(tmp_path, "b.md", "a/z.txt", "a/deep/y.txt", "scan.pdf", "no ending")
    tree(tmp_path, ".git/x.txt", ".hidden.md", "~$b.md", "Thumbs.db", "a/desktop.ini")
    assert ids(tmp_path) == ["a/deep/y.txt", "a/z.txt", "b.md", "no ending", "scan.pdf"]
    assert dict(find([tmp_path]))["a/z.txt"] == tmp_path / "a/z.txt"


def test_an_empty_folder_has_no_files(tmp_path: Path) -> None:
    assert find([tmp_path]) == ()
    assert find([]) == ()


def test_paths_that_are_not_there_are_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (
        tmp_path / "gone",
        tmp_path / "pipe",
        tmp_path / "loop",
        Path("a\0b"),
        Path("\ud800"),
    ):
        with pytest.raises(FootnoteError) as raised:
            find([path])
        assert "give" in str(raised.value).encode().decode()


def test_links_are_not_followed_within_a_folder_but_may_be_given(tmp_path: Path) -> None:
    tree(tmp_path, "in/a.txt", "out/b.txt")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/out").symlink_to(tmp_path / "out")
    (tmp_path / "in/b.txt").symlink_to(tmp_path / "out/b.txt")
    (tmp_path / "in/gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "given").symlink_to(tmp_path / "in")
    assert ids(tmp_path / "in") == ["a.txt"]
    assert ids(tmp_path / "given") == ["a.txt"]
    assert ids(tmp_path / "in/b.txt") == ["b.txt"]


def test_a_file_given_twice_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "docs/a/x.txt")
    monkeypatch.chdir(tmp_path)
    relative = Path("docs/../docs/a/x.txt")
    assert ids(tmp_path / "docs", tmp_path / "docs", tmp_path / "docs/a", relative) == ["a/x.txt"]
    assert ids(Path("docs/a"), Path("docs")) == ["x.txt"]
    assert ids(Path()) == ["docs/a/x.txt"]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    tree(tmp_path, "p/a/x.txt", "p/b/x.txt", "q/a/x.txt", "p/y.txt")
    p, q = tmp_path / "p", tmp_path / "q"
    assert ids(p / "a/x.txt", p / "b/x.txt", p / "y.txt") == ["a/x.txt", "b/x.txt", "y.txt"]
    assert ids(p, q) == ["b/x.txt", "p/a/x.txt", "q/a/x.txt", "y.txt"]


def test_odd_names_get_safe_ids(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"a\nb.txt", b"\xff.txt", b"\xfe.txt", b"e\xcc\x81.txt", b"\xe2\x80\xaegpj.txt"):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(b"Words.")
    found = find([tmp_path])
    assert sorted(id for id, _ in found) == [
        "_gpj.txt",
        "a_b.txt",
        "é.txt",
        "\ufffd (2).txt",
        "\ufffd.txt",
    ]
    for id, path in found:
        assert read(path, id).text == "Words."


def test_the_built_in_corpus_is_found() -> None:
    documents = [read(path, id) for id, path in find([BUILT_IN])]
    assert len(documents) == 5
    assert all(document.metadata["title"] == document.title for document in documents)
