"""HTML → Content: the article of a page, found by trafilatura, without menus and comments."""

import codecs
import re
from copy import deepcopy

import trafilatura
from lxml import etree, html

from corpus.errors import UnreadableDocument
from corpus.formats.content import Content, Page
from corpus.formats.markup import AROUND, markdown
from corpus.formats.properties import metadata
from corpus.text import decode

LARGE = 4_000_000  # bytes above which a page is read whole: finding its article takes too long
LEAST = 0.4  # of the words in the page's main part that an article has
SHORT = 100  # words of a page that has no article to be found

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.I)
_PARTS = re.compile(
    r"\b(?:comments?|disqus|cookies?|consent|gdpr|share|sharing|social|related|sidebar|breadcrumbs?|"
    r"newsletter|promo|advert\w*|ads?|banner|subscribe|popup|modal|navbar|nav|menu|toolbar|footer)\b",
    re.I,
)
_TAGS = {"quote": "blockquote", "lb": "br", "row": "tr", "code": "code", "table": "table"}
_RAISED = {"#sup": "sup", "#sub": "sub"}


def read(data: bytes) -> Content:
    """A web page. Raises UnreadableDocument."""
    text = _decoded(data)
    if not re.search(r"<[a-zA-Z!/]", text):
        raise UnreadableDocument("not a web page: it has no HTML; give it the ending of what it is")
    parser = html.HTMLParser(encoding="utf-8", no_network=True)
    tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    if any("depth" in error.message for error in parser.error_log):
        raise UnreadableDocument("nested too deeply")
    title = " ".join((tree.findtext(".//title") or "").split())
    for element in [*tree.iter("span")]:
        if element.get("class") == "mw-editsection":  # “[edit]”, behind each heading of a wiki
            _remove(element)
    whole = markdown(_main(tree))
    if len(data) > LARGE:
        return Content((Page(whole),), metadata(title))
    found = trafilatura.bare_extraction(
        tree,
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if found is None or isinstance(found, dict):
        return Content((Page(whole),), metadata(title))
    article = "" if found.body is None else markdown(_as_html(found.body))
    words = len(whole.split())
    if words < SHORT or "\n" not in article or len(article.split()) < LEAST * words:
        article = whole
    said = metadata(found.title or title, found.author or "", found.date or "")
    return Content((Page(article),), said)


def _decoded(data: bytes) -> str:
    """UTF-8 where that fits, else what the page says, else what is likely."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    named = None if data.startswith((b"\xff\xfe", b"\xfe\xff")) else _CHARSET.search(data[:4096])
    if named:
        name = named[1].decode("ascii").lower()
        name = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "shift_jis": "cp932"}.get(name, name)
        try:
            if codecs.lookup(name)._is_text_encoding and not name.startswith("utf"):
                return data.decode(name, "replace")
        except LookupError:
            pass
    return decode(data)


def _main(tree: etree._Element) -> etree._Element:
    """The part of a page that holds its text, as a tree of its own."""
    articles = tree.findall(".//article")
    if len(articles) == 1:
        root = articles[0]
    else:
        root = next((e for e in tree.iter("main")), tree)
        root = next((e for e in tree.iter("body")), root) if root is tree else root
    root = deepcopy(root)
    root.tail = None
    for element in list(root.iter(etree.Element)):
        names = f"{element.get('class') or ''} {element.get('id') or ''}".replace("_", " ")
        around = element.tag in AROUND or element.get("role") in ("navigation", "banner")
        around = element.tag in AROUND or element.get("role") in ("navigation", "banner")
        own_head = element.tag == "header" and element.find(".//h1") is not None
        if (around and not own_head) or (len(names) > 1 and _PARTS.search(names)):
            _remove(element)
    return root


def _remove(element: etree._Element) -> None:
    """Takes an element out of its tree; the words behind it stay."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    element.tail = None
    parent.remove(element)


def _as_html(body: etree._Element) -> etree._Element:
    """trafilatura's tree with the tags of HTML again."""
    for element in body.iter(etree.Element):
        rend = element.get("rend") or ""
        if element.tag == "head":
            element.tag = rend if re.fullmatch("h[1-6]", rend) else "h2"
        elif element.tag == "list":
            element.tag = rend if rend in ("ol", "dl") else "ul"
        elif element.tag == "item":
            element.tag = rend[:2] if rend[:2] in ("dt", "dd") else "li"
        elif element.tag == "cell":
            element.tag = "th" if element.get("role") == "head" else "td"
        elif element.tag == "hi":
            element.tag = _RAISED.get(rend, "span")
        elif element.tag == "quote" and not len(element) and "\n" in (element.text or "").strip():
            element.tag = "pre"
        else:
            element.tag = _TAGS.get(element.tag, element.tag)
    return body
