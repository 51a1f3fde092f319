"""Who may use the app: names and hashed passwords, from a file of lines `name:scrypt$…`."""

import base64
import hashlib
import hmac
import logging
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from corpus.errors import FootnoteError

N, R, P = 2**15, 8, 2  # scrypt: 32 MB and a tenth of a second for each try
SHORTEST = 8
_NAME = re.compile(r"[\w.@+-]{1,64}")
_LINE = re.compile(r"scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w+/]+=*)\$([\w+/]+=*)")
_MOST_MEMORY = 256 * 2**20

_log = logging.getLogger("footnote")


class BadPeople(FootnoteError):
    """A file of people that cannot be used, or a name or password that cannot go into one."""


class People:
    """Names and hashed passwords. Where they come from a file, a change of it counts at once."""

    def __init__(self, hashes: Mapping[str, str], file: Path | None = None) -> None:
        self._hashes = hashes
        self._file = file
        self._stamp = _stamp(file)
        self._nobody = hashed(secrets.token_urlsafe())

    @classmethod
    def one(cls, name: str, password: str) -> "People":
        """A single person."""
        return cls({name: hashed(password)})

    @classmethod
    def read(cls, file: Path) -> "People":
        """The people in a file. Raises BadPeople, which names the line that is wrong."""
        hashes = _read(file)
        if not hashes:
            raise BadPeople(f"{file} names nobody: add a person with --add-user NAME")
        return cls(hashes, file)

    def hash_of(self, name: str) -> str | None:
        """The person's hashed password as it stands now; None where there is no such person."""
        stamp = _stamp(self._file)
        if self._file is not None and stamp != self._stamp:
            self._stamp = stamp
            try:
                self._hashes = _read(self._file)
            except BadPeople as error:
                _log.warning("%s; whoever was known stays known", error)
        return self._hashes.get(name)

    def knows(self, name: str, password: str) -> bool:
        """Whether that is the person's password. It takes as long for a name that nobody has."""
        known = self.hash_of(name)
        return _matches(password, known or self._nobody) and known is not None


def hashed(password: str) -> str:
    """The password as a file of people keeps it."""
    salt = secrets.token_bytes(16)
    digest = _digest(password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(digest)}"


def add(file: Path, name: str, password: str) -> bool:
    """Writes the person into the file, in place of one of that name; whether there was one.

    The file is made where there is none, readable by its owner alone. Raises BadPeople.
    """
    if not _NAME.fullmatch(name):
        raise BadPeople(f"“{name}” cannot be a name: letters, digits and . _ - + @, at most 64")
    if len(password) < SHORTEST:
        raise BadPeople(f"the password is too short: {SHORTEST} characters at least")
    known = dict(_read(file)) if file.exists() else {}
    before = name in known
    known[name] = hashed(password)
    scratch = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.writelines(f"{name}:{line}\n" for name, line in known.items())
        scratch.replace(file)
    except OSError as error:
        raise BadPeople(f"{file} cannot be written: {_why(error)}") from error
    finally:
        scratch.unlink(missing_ok=True)
    return before


def others_can_read(file: Path) -> bool:
    """Whether people without any right to the file could read the hashes in it."""
    return os.name == "posix" and bool(file.stat().st_mode & stat.S_IROTH)


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadPeople(f"{file} cannot be read: {_why(error)}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = (part.strip() for part in line.partition(":"))
        if not _NAME.fullmatch(name) or not _usable(rest):
            raise BadPeople(
                f"{file}, line {number} is not “name:scrypt$…”: write it with --add-user NAME"
            )
        if name in hashes:
            raise BadPeople(f"{file}, line {number} has “{name}” once more: keep one of the lines")
        hashes[name] = rest
    return hashes


def _usable(line: str) -> bool:
    found = _LINE.fullmatch(line)
    if not found:
        return False
    n, r, p = (int(found[place]) for place in (1, 2, 3))
    try:
        base64.b64decode(found[4], validate=True)
        base64.b64decode(found[5], validate=True)
    except ValueError:
        return False
    power_of_two = n > 1 and n & (n - 1) == 0
    return power_of_two and 0 < r <= 32 and 0 < p <= 16 and 128 * n * r < _MOST_MEMORY


def _matches(password: str, line: str) -> bool:
    _, n, r, p, salt, wanted = line.split("$")
    digest = _digest(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(digest, base64.b64decode(wanted))


def _digest(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    secret = password.encode("utf-8", "replace")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY + 2**20)


def _stamp(file: Path | None) -> tuple[int, int] | None:
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found else None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _why(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
