"""The manifest on disk: manifest.json, replaced in one step, is the commit of every change."""

import json
from dataclasses import asdict
from pathlib import Path

from index.errors import IndexDamaged, IndexMismatch, IndexMissing
from index.snapshots import write
from index.types import Embedder, IndexedDocument, Manifest

FORMAT = 1
NAME = "manifest.json"
IDENTITY = "footnote.json"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the index in `folder`. Raises IndexMissing, IndexMismatch, IndexDamaged."""
    path = folder / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise IndexMismatch(
                f"the index in {folder} has format {found['format']}, this Footnote reads {FORMAT}:"
                " remove the folder and run `footnote index` again, or name another with --index"
            )
        return Manifest(
            FORMAT,
            str(found["embedding"]),
            int(found["dimension"]),
            {item["id"]: IndexedDocument(**item) for item in found["documents"]},
            tuple((document, version) for document, version in found["superseded"]),
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexMissing(
            f"there is no index in {folder}: run `footnote index`, or name another with --index"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(
            f"{path} cannot be read: remove the folder and run `footnote index` again"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes `manifest` the state of the index."""
    found = asdict(manifest) | {"documents": [asdict(d) for d in manifest.documents.values()]}
    write(folder / NAME, json.dumps(found, ensure_ascii=False, indent=1).encode("utf-8"))


def check_embedding(folder: Path, manifest: Manifest, embedder: Embedder) -> None:
    """Raises IndexMismatch when the index was made by another embedder."""
    if manifest.embedding != embedder.name:
        raise IndexMismatch(
            f"the index in {folder} was made with the embedding {manifest.embedding}, not"
            f" {embedder.name}: make another with `footnote index --index OTHER`, or remove the"
            " folder and run `footnote index` again"
        )


def collection(folder: Path, url: str | None) -> str:
    """What the collection is called: on a server each index has one of its own."""
    if url is None:
        return "passages"
    try:
        return str(json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["collection"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{folder / IDENTITY} cannot be read: remove the folder and run `footnote index` again"
        ) from error
