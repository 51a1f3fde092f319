"""Where Chroma is, when it is not in the index's own folder."""

from dataclasses import dataclass, field

CLOUD = "api.trychroma.com"


@dataclass(frozen=True, slots=True)
class Server:
    """A Chroma server, a cluster, or Chroma Cloud. The token is never shown.

    `tenant` and `database` are the server's defaults where they are not given; Chroma Cloud knows
    them by the token. `collection` names the index there; it is needed where there are several.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    tenant: str | None = None
    database: str | None = None
    collection: str | None = None

    @classmethod
    def at(cls, place: "Server | str | None") -> "Server | None":
        """The server itself, the one at a URL that asks for nothing more, or none."""
        return cls(place) if isinstance(place, str) else place
