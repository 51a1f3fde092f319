"""What a reader finds in a file, before it is normalised."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Page:
    """The text of one page or slide. `goes_on`: its first words continue the page before."""

    text: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """Text in Markdown, in pages when `paged`, with what the file says of itself.

    `metadata` may hold `title`, `author`, `date`, and `unread`: what of the file has no text.
    `of_parts`: its first heading names a part of it, such as a sheet or a record, and not all.
    """

    pages: tuple[Page, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    paged: bool = False
    of_parts: bool = False
