from pathlib import Path

import pytest

from orders.importing.reading import Row, Unreadable, read

COLUMNS = ("id", "street", "city")


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "firms.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_one(folder: Path, line: str | bytes) -> Row:
    raw = line if isinstance(line, bytes) else line.encode()
    [row] = read(write(folder, b"id,street,city\n" + raw + b"\n"), COLUMNS)
    return row


def test_row_knows_its_place(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "id,street,city\n1,a,b\n\n2,c,d\n"), COLUMNS)

    assert [(row.place, row["city"]) for row in rows] == [("firms.csv:2", "b"), ("firms.csv:4", "d")]


def test_null_is_an_empty_text(tmp_path: Path) -> None:
    assert read_one(tmp_path, "1,NULL,Reims")["street"] == ""


def test_quoted_cell_keeps_its_comma(tmp_path: Path) -> None:
    assert read_one(tmp_path, '1,"Rua do Paço,67",Rio')["street"] == "Rua do Paço,67"


def test_comma_before_a_blank_is_part_of_the_text(tmp_path: Path) -> None:
    row = read_one(tmp_path, "1,2, rue du Commerce,Lyon")

    assert (row["street"], row["city"], row.fault) == ("2, rue du Commerce", "Lyon", "")


def test_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    [row] = read(write(tmp_path, b"\xef\xbb\xbfid,street,city\r\n1,a,b\r\n"), COLUMNS)

    assert (row["id"], row["city"]) == ("1", "b")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param("1,a", "it has 2 columns, not 3", id="a column is missing"),
        pytest.param("1,a,b,c", "it has 4 columns, not 3", id="a column too many"),
        pytest.param("1,Straße,Köln".encode("latin-1"), "it is not UTF-8", id="wrong encoding"),
        pytest.param('1,"a,b', "it is not CSV: unexpected end of data", id="a quote left open"),
    ],
)
def test_broken_line_says_what_is_wrong_and_what_it_is_about(
    tmp_path: Path, line: str | bytes, fault: str
) -> None:
    row = read_one(tmp_path, line)

    assert (row.fault, row["id"]) == (fault, "1")


def test_broken_line_spoils_no_other(tmp_path: Path) -> None:
    rows = read(write(tmp_path, 'id,street,city\n1,"a,b\n2,c,d\n'), COLUMNS)

    assert [bool(row.fault) for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("id,street\n", "firms.csv:1: the column city is missing", id="column"),
        pytest.param("id,street,city\n".encode("utf-16"), "firms.csv:1: it is not UTF-8", id="encoding"),
        pytest.param("", "firms.csv:1: the column id is missing", id="empty"),
    ],
)
def test_file_with_a_wrong_header_is_unreadable(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(write(tmp_path, content), COLUMNS)


def test_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"firms.csv: No such file"):
        read(tmp_path / "firms.csv", COLUMNS)
