"""Every case written out by hand: the file on the left, what must come of it on the right."""

import pytest

from ffn.errors import DataError, SettingsError
from ffn.tabular.csv.parsing.rejects import DETAILS, Reason
from tests.helpers.readings import read, reasons


def cells(content, **options):
    return [good.cells for good in read(content, **options).good]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n3,4\n", [["1", "2"], ["3", "4"]]),
        (b"a,b\n1,2\n3,4", [["1", "2"], ["3", "4"]]),
        (b"a,b\r\n1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]]),
        (b"a,b\r\n1,2\n3,4\r\n", [["1", "2"], ["3", "4"]]),
        (b"a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]]),
        (b"a,b\r1,2\r3,4", [["1", "2"], ["3", "4"]]),
        (b"a,b\n,\n", [["", ""]]),
        (b"a,b\n1,", [["1", ""]]),
        (b'a,b\n"1","2"\n', [["1", "2"]]),
        (b'a,b\n"",""', [["", ""]]),
        (b'a,b\n"x ""y"" z",""""\n', [['x "y" z', '"']]),
        (b'a,b\n"1,5","x\ny"\n3,4\n', [["1,5", "x\ny"], ["3", "4"]]),
        (b'a,b\n"x\r\ny","\r"\n', [["x\r\ny", "\r"]]),
        (b"a,b\n 1 ,\t2\n", [[" 1 ", "\t2"]]),
        (b"a\n1\n\n2\n", [["1"], ["2"]]),
        (b'a\n""\n', [[""]]),
        ("a,b\nü,日本\n".encode(), [["ü", "日本"]]),
        (b"a,b\n", []),
        (b"a,b", []),
        (b"\n\r\n\na,b\n1,2\n", [["1", "2"]]),
    ],
)
def test_well_formed(content, expected):
    reading = read(content)
    assert [good.cells for good in reading.good] == expected
    assert reading.rejects == []
    assert reading.rows == len(expected)


def test_text_and_line_ends_are_the_files_own():
    reading = read(b'a,b\r\n007,"5.10"\r\n\n1, \xc3\xa9 \n"q""q",1e5')
    assert [(good.text, good.line_end) for good in reading.good] == [
        (b'007,"5.10"', b"\r\n"),
        (b"1, \xc3\xa9 ", b"\n"),
        (b'"q""q",1e5', b""),
    ]
    assert reading.blank_lines == 1


def test_rows_count_records_and_lines_count_line_ends():
    reading = read(b'\na,b\n1,"x\ny\r\nz"\n\nbad\n3,4\n')
    assert [(good.row, good.line) for good in reading.good] == [(1, 3), (3, 8)]
    assert [(reject.row, reject.line) for reject in reading.rejects] == [(2, 7)]
    assert reading.rows == 3


@pytest.mark.parametrize(
    ("content", "rejected", "kept"),
    [
        (b"a,b\n1\n3,4\n", [(1, 2, "wrong_field_count")], [["3", "4"]]),
        (b"a,b\n1,2,3\n3,4\n", [(1, 2, "wrong_field_count")], [["3", "4"]]),
        (b"a,b\n1,2,3\n4\n3,4\n", [(1, 2, "wrong_field_count"), (2, 3, "wrong_field_count")],
         [["3", "4"]]),
        (b'a,b\n1,5" pipe\n3,4\n', [(1, 2, "bare_quote")], [["3", "4"]]),
        (b'a,b\n1, "x"\n3,4\n', [(1, 2, "bare_quote")], [["3", "4"]]),
        (b'a,b\n"x"y,2\n3,4\n', [(1, 2, "text_after_quote")], [["3", "4"]]),
        (b'a,b\n"x" ,2\n3,4\n', [(1, 2, "text_after_quote")], [["3", "4"]]),
        (b'a,b\n1,"x\n2,"y"\n3,4\n', [(1, 2, "text_after_quote")], [["2", "y"], ["3", "4"]]),
        (b"a,b\n1,\0\n3,4\n", [(1, 2, "nul_byte")], [["3", "4"]]),
        (b"a,b\n1,\xff\n3,4\n", [(1, 2, "undecodable")], [["3", "4"]]),
        (b"a,b\n1,\xed\xa0\x80\n3,4\n", [(1, 2, "undecodable")], [["3", "4"]]),
        (b"a,b\n1,x\ry,2\n3,4\n", [(1, 2, "stray_line_end"), (2, 3, "stray_line_end")],
         [["3", "4"]]),
        (b"a,b\r1,x\ny,2\r3,4\r", [(1, 2, "stray_line_end"), (2, 3, "stray_line_end")],
         [["3", "4"]]),
        (b'a,b\n1,2\n3,"4\n5,6\n\n7,8', [(2, 3, "unclosed_quote")],
         [["1", "2"], ["5", "6"], ["7", "8"]]),
    ],
)  # fmt: skip
def test_rejected_never_guessed(content, rejected, kept):
    assert reasons(content) == rejected
    assert cells(content) == kept


def test_a_reject_shows_the_record_as_it_stands():
    (reject,) = read(b'a,b\n1,5" pipe\n').rejects
    assert reject.value == '1,5" pipe'
    assert reject.column == ""
    assert reject.detail == "a quote inside an unquoted cell"
    (reject,) = read(b"a,b\n\xff\0,2\n").rejects
    assert reject.value == r"\xff\x00,2"
    (reject,) = read(b"a,b\n" + b"x" * 300).rejects
    assert reject.value == "x" * 199 + "…"
    assert reject.detail == "1 cells where the header has 2"


def test_a_record_beyond_the_limit_ends_the_reading():
    content = b'a,b\n1,2\n3,"' + b"x\n" * 40 + b'"\n5,6\n'
    reading = read(content, record_limit=60)
    assert [good.cells for good in reading.good] == [["1", "2"]]
    assert {str(reject.reason) for reject in reading.rejects} == {"record_too_long"}
    assert [reject.line for reject in reading.rejects] == list(range(3, 3 + 40 + 2))
    assert cells(content, record_limit=100)[-1] == ["5", "6"]


def test_a_record_beyond_the_limit_ends_where_others_begin():
    content = b'a,b\n1,2\n3,"' + b"x\n" * 4 + b"4,5\n" * 40 + b'"\n5,6\n'
    reading = read(content, record_limit=60)
    assert [good.cells for good in reading.good] == [["1", "2"], *[["4", "5"]] * 40, ["5", "6"]]
    assert [(r.row, r.line, r.lines, str(r.reason)) for r in reading.rejects] == [
        (2, 3, 4, "record_too_long"),
        # The quote that closed it now opens one that never closes.
        (43, 47, 1, "unclosed_quote"),
    ]


def test_fields_longer_than_the_csv_modules_limit():
    long = "x" * 1_000_000
    assert cells(f'a,b\n{long},"{long}\n"\n'.encode()) == [[long, long + "\n"]]


def test_a_line_end_cut_by_a_block():
    assert cells(b"a,b\r\n1,2\r\n3,4\r\n", block_size=1) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":"])
def test_delimiters(delimiter):
    content = f'a{delimiter}b\n1,5{delimiter}"{delimiter}"\n'.encode()
    assert cells(content, delimiter=delimiter) == [["1,5", delimiter]]


@pytest.mark.parametrize("delimiter", ["", ".", '"', "\n", "1", ",,"])
def test_impossible_delimiter(delimiter):
    with pytest.raises(SettingsError, match=r'delimiter ".*" is not one of "," ";"'):
        read(b"a,b\n", delimiter=delimiter)


def test_header_names_lose_the_spaces_around_them():
    assert read(b'a ,"b ""c"""\n').names == ("a", 'b "c"')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"t\.csv is empty\."),
        (b"\xef\xbb\xbf", r"t\.csv is empty\."),
        (b"\n\r\n\n", r"t\.csv has blank lines only\."),
        (b"sep=;\r\na;b\r\n", r't\.csv line 1: "sep=;" tells Excel the separator .* give ";" as'),
        (b'"sep=,"\na,b\n', r't\.csv line 1: .* Remove that line, and give "," as the delimiter'),
        (b"SEP=\t\na\tb\n", r"t\.csv line 1: .* and give a tab as the delimiter"),
        (b'a,b"c\n', r"t\.csv line 1: the header has a quote inside an unquoted cell\."),
        (b'\n\n"a"b\n', r"t\.csv line 3: the header has text after a closing quote\."),
        (b'a,"b\n1,2\n', r"the header has a quote that is never closed\."),
        (
            b"a,\xff\n",
            r'line 1: the header has the byte 0xFF in "\\xff", which is not UTF-8',
        ),
        (b"a,\0b\n", r"t\.csv line 1: the header has a NUL byte"),
    ],
)
def test_header_problems(content, message):
    for block_size in (1, 1000):
        with pytest.raises(DataError, match=message):
            read(content, block_size=block_size)


def test_header_beyond_the_limit():
    with pytest.raises(DataError, match=r"the header has .*too long to be one"):
        read(b"x" * 1000, record_limit=100, block_size=10)


def test_every_reason_has_words():
    assert set(DETAILS) == set(Reason)
