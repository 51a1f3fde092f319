"""Is what the index holds what its texts say? Every record is compared; slow, and thorough."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from corpus.split import passages
from corpus.types import Passage
from index.embed import PACKAGED, count
from index.errors import IndexProblem
from index.lexical import Words
from index.manifest import collection, read_manifest
from index.pipeline import digest_of, embedded
from index.records import Record
from index.seal import check_seal
from index.server import Server
from index.snapshots import Snapshots
from index.stores import CHROMA, DATABASE, LEXICAL, Hold, lost, place
from index.types import Embedder, Manifest
from index.vectors import Vectors

SAMPLE = 8  # passages whose vectors are made again
NEAR = 0.999  # cosine of a vector with itself made again, on another processor


def problems(
    folder: Path, embedder: Embedder, chroma: Server | str | None = None
) -> tuple[str, ...]:
    """What is wrong with the index, one line each; nothing where all is well.

    Raises IndexMissing, IndexMismatch, IndexDamaged where it cannot even be opened,
    IndexUnreachable.
    """
    manifest, hold = _held(folder)
    stores = place(folder, manifest.generation)
    try:
        check_seal(stores, closely=True)
    except IndexProblem as error:
        return (str(error),)
    server = Server.at(chroma)
    found = [] if server else list(_database(stores / CHROMA / DATABASE))
    snapshots = Snapshots(folder / "texts")
    pieces: list[Passage] = []
    for item in manifest.documents.values():
        try:
            parts = passages(snapshots.get(item.id, item.version), count)
        except IndexProblem as error:
            found.append(str(error))
            continue
        if len(parts) != item.passages:
            found.append(
                f"“{item.id}” has {item.passages} passages, and {len(parts)} by this version's"
                " rules: run `footnote index --rebuild`"
            )
        else:
            pieces += parts
    stores = hold.readable()
    words = Words.open(stores / LEXICAL)
    name = collection(folder, server.url if server else None, manifest.editions[0])
    vectors = Vectors.open(stores / CHROMA, server, name)
    try:
        total = sum(item.passages for item in manifest.documents.values())
        kept = manifest.replaced if server else 0
        for name, number, there in (
            ("words", total, words.count()),
            ("vectors", total + kept, vectors.count()),
        ):
            if there != number:
                found.append(f"there are {there} records of {name}, not {number}")
        for first in range(0, len(pieces), 500):
            part = pieces[first : first + 500]
            found += _words(words, part)
            found += _vectors(vectors, part)
        if embedder.name == PACKAGED:
            found += _sample(vectors, pieces[:: max(1, len(pieces) // SAMPLE)][:SAMPLE], embedder)
    finally:
        vectors.close()
        del hold
    return tuple(found)


def _held(folder: Path) -> tuple[Manifest, Hold]:
    """The current state, held; a run that ends meanwhile makes another one current."""
    while True:
        manifest = read_manifest(folder)
        try:
            return manifest, Hold(folder, manifest.generation)
        except FileNotFoundError as error:
            if read_manifest(folder).generation == manifest.generation:
                raise lost(folder) from error


def _database(path: Path) -> Iterator[str]:
    """What SQLite itself finds wrong with Chroma's database."""
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        ) as database:
            (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        yield f"{path} is damaged ({' '.join(said.split())[:200]}): run `footnote index --rebuild`"


def _words(words: Words, pieces: list[Passage]) -> Iterator[str]:
    records = words.records({passage.id for passage in pieces})
    for passage in pieces:
        if records.get(passage.id) != Record.of(passage):
            yield f"the words of {passage.id} are not as they were indexed"


def _vectors(vectors: Vectors, pieces: list[Passage]) -> Iterator[str]:
    known, there = vectors.known({digest_of(passage) for passage in pieces})
    for passage in pieces:
        digest = digest_of(passage)
        if (passage.id, digest) not in there:
            yield f"the vector of {passage.id} is not there"
        elif not 0.999 < float(np.linalg.norm(known[digest])) < 1.001:
            yield f"the vector of {passage.id} is damaged"


def _sample(vectors: Vectors, pieces: list[Passage], embedder: Embedder) -> Iterator[str]:
    known, _ = vectors.known({digest_of(passage) for passage in pieces})
    made = embedder.embed([embedded(passage) for passage in pieces]) if pieces else ()
    for passage, vector in zip(pieces, made, strict=True):
        kept = known.get(digest_of(passage))
        if kept is not None and float(kept @ vector) < NEAR:
            yield f"the vector of {passage.id} is not that of its words"
