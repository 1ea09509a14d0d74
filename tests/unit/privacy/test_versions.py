import base64

import pytest

from libs.privacy.versions import VERSION_MAX, KeyVersions

FIRST, SECOND, ROWS = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
LINE = base64.b64encode(FIRST).decode()


def test_a_line_of_base64_alone_is_the_first_version() -> None:
    assert KeyVersions.read(LINE + "\n") == KeyVersions(1, {1: FIRST})


def test_the_version_in_use_stands_first_whatever_its_number() -> None:
    both = {1: FIRST, 2: SECOND}
    second, first = KeyVersions(2, both), KeyVersions(1, both, ROWS)

    assert KeyVersions.read(second.written()) == second
    assert KeyVersions.read(first.written()) == first
    assert second.written().splitlines()[1] == f"1 {LINE}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 hunter2",
        f"0 {LINE}",
        f"01 {LINE}",
        f"{VERSION_MAX + 1} {LINE}",
        f"one {LINE}",
        f"² {LINE}",
        f"rows {LINE}",
        f"1 {LINE}\n1 {LINE}",
        f"1 {LINE}\n\n2 {LINE}",
        f"1 {LINE[:-4]}",
        LINE[:-4],
        "1 pkcs11:object=",
        "1 pkcs11:object=hunter2 and more",
        f"1 {LINE}\nrows pkcs11:object=kek-1",
    ],
)
def test_a_file_of_another_form_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        KeyVersions.read(text)

    assert LINE[:-4] not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_version_may_stand_in_a_security_module_by_its_label() -> None:
    text = f"2 pkcs11:object=kek-2\n1 {LINE}\n"
    versions = KeyVersions.read(text)

    assert versions == KeyVersions(2, {1: FIRST}, labels={2: "kek-2"})
    assert versions.numbers == [1, 2]
    assert versions.written() == text
    with pytest.raises(ValueError, match="a secret of its own"):
        KeyVersions.read("1 pkcs11:object=kek\n2 pkcs11:object=kek\n")


def test_a_renewed_key_opens_with_all_that_were_there_and_makes_with_a_new_one() -> None:
    changed = KeyVersions.read(f"2 pkcs11:object=kek-2\n1 {LINE}\n").renewed(ROWS)

    assert changed == KeyVersions(3, {1: FIRST, 3: ROWS}, labels={2: "kek-2"})
    assert KeyVersions().renewed(ROWS) == KeyVersions.of(ROWS)
    assert KeyVersions(1, {1: FIRST}, rows=ROWS).renewed(bytes(32)).rows is None


def test_no_version_has_the_secret_of_another() -> None:
    for other in ("2", "rows"):
        with pytest.raises(ValueError, match="a secret of its own"):
            KeyVersions.read(f"1 {LINE}\n{other} {LINE}\n")


def test_no_repr_tells_a_key() -> None:
    assert "\\x01" not in repr(KeyVersions(1, {1: FIRST}, ROWS))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyVersions.of(bytes(length))
