"""Who may use the app: the file of people, and the door that asks for their passwords."""

import stat
import time
from pathlib import Path

import pytest

from tests.conftest import Footnote, assert_one_line
from ui import people
from ui.people import BadPeople, People, add, hashed


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash as it is, at a cost that tests can bear."""
    monkeypatch.setattr(people, "N", 2**8)


def test_a_password_opens_for_its_own_name_alone(tmp_path: Path) -> None:
    file = tmp_path / "people"
    assert not add(file, "ada", "correct horse")
    assert not add(file, "bob@example.org", "battery staple")
    known = People.read(file)
    assert known.knows("ada", "correct horse")
    assert known.knows("bob@example.org", "battery staple")
    for name, password in (
        *(("ada", "battery staple"), ("ada", "correct hors"), ("ada", "correct horse ")),
        *(("ada", ""), ("eve", "correct horse"), ("", ""), ("ADA", "correct horse")),
    ):
        assert not known.knows(name, password), (name, password)


def test_the_file_tells_no_password_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "people"
    add(file, "ada", "correct horse")
    add(file, "bob", "correct horse")
    text = file.read_text()
    assert "horse" not in text
    first, second = (line.partition(":")[2] for line in text.splitlines())
    assert first.startswith("scrypt$")
    assert first != second  # salted
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not people.others_can_read(file)
    file.chmod(0o644)
    assert people.others_can_read(file)


def test_a_new_password_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "people"
    add(file, "ada", "correct horse")
    assert add(file, "ada", "battery staple")
    known = People.read(file)
    assert known.knows("ada", "battery staple")
    assert not known.knows("ada", "correct horse")


def test_a_change_of_the_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "people"
    add(file, "ada", "correct horse")
    known = People.read(file)
    add(file, "bob", "battery staple")
    assert known.knows("bob", "battery staple")
    file.write_text("\n".join(file.read_text().splitlines()[1:]))
    assert not known.knows("ada", "correct horse")
    file.write_text("nonsense")  # a slip must lock nobody out
    assert known.knows("bob", "battery staple")


def test_an_unknown_name_takes_as_long_as_a_wrong_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "N", 2**13)
    file = tmp_path / "people"
    add(file, "ada", "correct horse")
    known = People.read(file)

    def took(name: str) -> float:
        started = time.process_time()
        known.knows(name, "wrong")
        return time.process_time() - started

    assert min(took("eve") for _ in range(3)) > min(took("ada") for _ in range(3)) / 3


@pytest.mark.parametrize(
    "line",
    [
        *("ada", "ada:secret", "ada:scrypt$16$8$1$AAAA", ":scrypt$16$8$1$AAAA$AAAA"),
        *("ada:scrypt$15$8$1$AAAA$AAAA", "ada:scrypt$1073741824$8$1$AAAA$AAAA"),
        *("ada:scrypt$16$8$1$AAA$AAAA", "a b:scrypt$16$8$1$AAAA$AAAA"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "people"
    file.write_text(f"# who may come in\n\nbob:{hashed('battery staple')}\n{line}\n")
    with pytest.raises(BadPeople, match="line 4"):
        People.read(file)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    file = tmp_path / "people"
    with pytest.raises(BadPeople, match="cannot be read"):
        People.read(file)
    file.write_text("# nobody\n")
    with pytest.raises(BadPeople, match="--add-user"):
        People.read(file)
    with pytest.raises(BadPeople, match="too short"):
        add(file, "ada", "short")
    for name in ("", "a:b", "a b", "a\nb", "x" * 65):
        with pytest.raises(BadPeople, match="cannot be a name"):
            add(file, name, "correct horse")
    line = hashed("correct horse")
    file.write_text(f"ada:{line}\nada:{line}\n")
    with pytest.raises(BadPeople, match="once more"):
        People.read(file)


def test_the_command_writes_a_line(footnote: Footnote) -> None:
    file = footnote.folder / "people"
    call = ("serve", "--users", file, "--add-user", "ada")
    assert footnote(*call, stdin=b"correct horse\n").stdout == f"{file}: ada was added\n"
    assert "new password" in footnote(*call, stdin=b"battery staple\n").stdout
    assert People.read(file).knows("ada", "battery staple")
    assert_one_line(footnote(*call, stdin=b"short\n"), "too short")
    assert_one_line(footnote("serve", "--add-user", "ada"), "--users FILE")
    both = footnote("serve", "--users", file, "--auth", "ada:secret")
    assert_one_line(both, "not both")
    assert_one_line(footnote("serve", "--users", file.with_name("none")), "cannot be read")
