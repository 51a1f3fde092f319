"""Passages as words in tantivy (BM25). The only file that imports tantivy."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import tantivy

from corpus.types import Passage
from index.errors import IndexMissing, IndexProblem, unusable
from index.records import Record

# Letters and digits in runs; scripts that do not part their words, a character at a time.
_UNPARTED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TOKEN = rf"[{_UNPARTED}]|[[\p{{Alphabetic}}\p{{M}}\p{{N}}]--[{_UNPARTED}]]+"
WEIGHTS = {"text": 1.0, "heading": 0.4, "title": 0.3}
HEAP = 64_000_000
LONG = 7  # letters
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# Words of English that say nothing of what is asked.
_STOP_WORDS = """
    a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each few for from further
    had has have having he her here hers him his how i if in into is it its itself just me more
    most my no nor not of off on once only or other our ours out over own s same she should so
    some such t than that the their theirs them then there these they this those through to too
    under until up us very was we were what when where which while who whom whose why will with
    would you your yours please tell give say said says many much"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


class Words:
    """One index of words."""

    def __init__(self, index: tantivy.Index, folder: Path) -> None:
        self._index = index
        self._schema = index.schema
        self._folder = folder
        self._searcher = index.searcher()
        self._writer: tantivy.IndexWriter | None = None

    @classmethod
    def open(cls, folder: Path, create: bool = False) -> "Words":
        """The index in `folder`. Raises IndexMissing, IndexDamaged."""
        with _translated(folder):
            if create:
                folder.mkdir(parents=True, exist_ok=True)
                index = tantivy.Index(_schema(), str(folder))
            elif not tantivy.Index.exists(str(folder)):
                raise IndexMissing(
                    f"{folder} does not hold this index's words: run `footnote index` again"
                )
            else:
                index = tantivy.Index.open(str(folder))
            index.register_tokenizer("words", _ANALYZER)
            return cls(index, folder)

    def count(self) -> int:
        """How many records there are, current or not."""
        return int(self._searcher.num_docs)

    def add(self, passages: Sequence[Passage]) -> None:
        """Adds the passages in place of what has their ids; seen after `commit`."""
        with _translated(self._folder):
            writer = self._write()
            for passage in passages:
                record = Record.of(passage)
                writer.delete_documents_by_term("id", passage.id)
                writer.add_document(
                    tantivy.Document(
                        id=passage.id,
                        document=record.document,
                        version=record.version,
                        text=passage.text,
                        heading=record.heading,
                        title=record.title,
                        record=json.dumps(record.metadata(), ensure_ascii=False).encode(),
                    )
                )

    def delete(self, document: str, version: str) -> None:
        """Deletes the records of that version of that document; seen after `commit`."""
        with _translated(self._folder):
            self._write().delete_documents_by_query(
                self._all_of(self._term("document", document), self._term("version", version))
            )

    def commit(self) -> None:
        """Makes what was added and deleted last, and visible."""
        with _translated(self._folder):
            if self._writer is not None:
                self._writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()

    def close(self) -> None:
        """Ends the writing; what was not committed is dropped. No file changes afterwards."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with _translated(self._folder):
                writer.wait_merging_threads()  # after a rollback it would not wait for those before

    def query(
        self, text: str, k: int, documents: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Ids and scores of the `k` records that BM25 ranks highest for the words of `text`."""
        with _translated(self._folder):
            query = self._query(text)
            if query is None:
                return []
            if documents is not None:
                among = tantivy.Query.term_set_query(self._schema, "document", sorted(documents))
                query = self._all_of(query, tantivy.Query.const_score_query(among, 0.0))
            hits = self._searcher.search(query, limit=k, count=False).hits
            return [(self._searcher.doc(at)["id"][0], float(score)) for score, at in hits]

    def records(self, ids: Collection[str]) -> dict[str, Record]:
        """The records with these ids; an id that is not there is left out."""
        with _translated(self._folder):
            among = tantivy.Query.term_set_query(self._schema, "id", sorted(ids))
            hits = self._searcher.search(among, limit=max(1, len(ids)), count=False).hits
            return {record.id: record for record in (self._record(at) for _, at in hits)}

    def frequency(self, word: str) -> int:
        """How many passages hold the word, in their text or headings, in any of its forms."""
        tokens = _ANALYZER.analyze(word)
        if not tokens:
            return 0
        with _translated(self._folder):
            query = self._all_of(
                *(
                    tantivy.Query.disjunction_max_query(
                        [self._term("text", token), self._term("heading", token)]
                    )
                    for token in tokens
                )
            )
            return int(self._searcher.search(query, limit=1).count or 0)

    def alike(self, word: str, k: int) -> list[str]:
        """Ids of at most `k` records with a word that is one edit away; two for a long word."""
        tokens = _ANALYZER.analyze(word)
        if len(tokens) != 1:
            return []
        edits = 2 if len(tokens[0]) >= LONG else 1
        with _translated(self._folder):
            query = tantivy.Query.fuzzy_term_query(self._schema, "text", tokens[0], edits)
            hits = self._searcher.search(query, limit=k, count=False).hits
            return [self._searcher.doc(at)["id"][0] for _, at in hits]

    def census(self) -> Counter[tuple[str, str]]:
        """How many records there are of each (document, version). Reads all of them."""
        with _translated(self._folder):
            every = self._searcher.search(
                tantivy.Query.all_query(), limit=max(1, self.count()), count=False
            )
            records = (self._record(address) for _, address in every.hits)
            return Counter((record.document, record.version) for record in records)

    def _query(self, text: str) -> tantivy.Query | None:
        """Any of the words, in any field; built from terms, so that no text is syntax."""
        words = _WORD.findall(text)
        telling = [word for word in words if word.lower() not in STOP_WORDS] or words
        tokens = dict.fromkeys(token for word in telling for token in _ANALYZER.analyze(word))
        if not tokens:
            return None
        should = tantivy.Occur.Should
        return tantivy.Query.boolean_query(
            [
                (should, tantivy.Query.boost_query(self._term(field, token), weight))
                for token in tokens
                for field, weight in WEIGHTS.items()
            ]
        )

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value)

    def _all_of(self, *queries: tantivy.Query) -> tantivy.Query:
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])

    def _record(self, address: tantivy.DocAddress) -> Record:
        document = self._searcher.doc(address)
        return Record.read(document["id"][0], json.loads(document["record"][0]))

    def _write(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(HEAP, num_threads=1)
        return self._writer


def _schema() -> tantivy.Schema:
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("document", "version"):
        schema.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in WEIGHTS:
        schema.add_text_field(name, tokenizer_name="words", index_option="freq")
    schema.add_bytes_field("record", stored=True)
    return schema.build()


def _analyzer() -> tantivy.TextAnalyzer:
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(_TOKEN))
        .filter(tantivy.Filter.remove_long(100))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


_ANALYZER = _analyzer()


@lru_cache(maxsize=2048)
def stems(text: str) -> tuple[str, ...]:
    """The words of a text as the index knows them: lower-cased, folded, stemmed; in order."""
    return tuple(_ANALYZER.analyze(text))


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """Tantivy's errors as ours: at this one place."""
    try:
        yield
    except IndexProblem:
        raise
    except Exception as error:
        raise unusable(folder, error) from error
    except BaseException as error:
        # The Rust side panics on files that it cannot read.
        if type(error).__name__ != "PanicException":
            raise
        raise unusable(folder, error) from error
