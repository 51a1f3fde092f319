"""The manifest on disk: manifest.json, replaced in one step, is the commit of every change."""

import json
from pathlib import Path

from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.snapshots import write
from index.types import Embedder, IndexedDocument, Manifest

FORMAT = 2  # another one too where passages are split otherwise: then all are written anew
READABLE = (1, 2)  # 1 did not know its sources: written as 2 by the next run
NAME = "manifest.json"
IDENTITY = "footnote.json"
REBUILD = "run `footnote index --rebuild PATH`, or name another with --index"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the index in `folder`. Raises IndexMissing, IndexMismatch, IndexDamaged."""
    path = folder / NAME
    try:
        return loads(path.read_bytes(), str(folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexMissing(
            f"there is no index in {folder}: run `footnote index`, or name another with --index"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(
            f"{path} cannot be read: run `footnote index --rebuild PATH` with the paths that the"
            " index was made from"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes `manifest` the state of the index."""
    write(folder / NAME, dumps(manifest))


def loads(data: bytes, where: str, advice: str = REBUILD) -> Manifest:
    """The manifest of the index in `where`, from its JSON; `advice` is for another format.

    Raises IndexMismatch; ValueError, KeyError, TypeError or AttributeError for what is none.
    """
    found = json.loads(data.decode("utf-8", "surrogatepass"))
    if found["format"] not in READABLE:
        raise IndexMismatch(
            f"the index in {where} has format {found['format']}, this Footnote reads {FORMAT}:"
            f" {advice}"
        )
    return Manifest(
        int(found["format"]),
        str(found["embedding"]),
        int(found["dimension"]),
        {item["id"]: IndexedDocument(**item) for item in found["documents"]},
        tuple((document, version) for document, version in found["superseded"]),
        tuple(str(path) for path in found.get("sources", ())),
        int(found.get("generation", 0)),
        tuple(str(edition) for edition in found.get("editions", ("",))),
        int(found.get("replaced", 0)),
    )


def dumps(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    documents = [_plain(document) for document in manifest.documents.values()]
    found = {name: getattr(manifest, name) for name in manifest.__slots__}
    text = json.dumps(found | {"documents": documents}, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "surrogatepass")


def _plain(document: IndexedDocument) -> dict[str, object]:
    # asdict copies deeply, and takes ten times as long.
    found = {name: getattr(document, name) for name in document.__slots__}
    return found | {"metadata": dict(document.metadata)}


def check_embedding(folder: Path, manifest: Manifest, embedder: Embedder) -> None:
    """Raises IndexMismatch when the index was made by another embedder."""
    if manifest.embedding != embedder.name:
        raise IndexMismatch(
            f"the index in {folder} was made with the embedding {manifest.embedding}, not"
            f" {embedder.name}: make another with `footnote index --index OTHER`, or embed this one"
            " anew with `footnote index --rebuild`"
        )


def write_identity(folder: Path, name: str) -> None:
    """Makes the folder an index's, whose collection on a server has that name."""
    data = json.dumps({"what": "a Footnote index", "collection": name})
    write(folder / IDENTITY, data.encode("utf-8"))


def collection(folder: Path, url: str | None, edition: str = "") -> str:
    """What the collection is called: on a server each edition of an index has one of its own."""
    if url is None:
        return "passages"
    try:
        name = str(json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["collection"])
        return f"{name}-{edition}" if edition else name
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{folder / IDENTITY} cannot be read: remove the folder and run `footnote index` again"
        ) from error
