"""In which encoding a file is read: by its mark, all of it checked, or found out from its letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.corpus.tables.encodings import encoding_of
from backend.corpus.tables.reading import open_table

GERMAN = "Größe und Übermut; die Vögel über den Häusern für 5 Euro."
FRENCH = "L'été dernier, le garçon a mangé des crêpes à la crème brûlée près de l'île où naît la forêt."
POLISH = "Zażółć gęślą jaźń. Dziś świeci słońce, więc poszliśmy na spacer do parku, żeby odpocząć."
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes svítí slunce, šli jsme na procházku."
TURKISH = "Bugün hava çok güzel, arkadaşlarımla parkta yürüyüşe çıktık. Şimdi eve döndük."
RUSSIAN = "Привет, как дела? Сегодня хорошая погода, и мы пошли гулять в парк вместе с друзьями."
JAPANESE = "こんにちは、お元気ですか。今日は天気がいいので友達と公園を散歩しました。"
CHINESE = "你好，今天天气很好，我们和朋友一起去公园散步了。这是一个测试文件。"
ARABIC = "مرحبا كيف حالك اليوم الطقس جميل وذهبنا للتنزه في الحديقة مع الأصدقاء"


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        (FRENCH + " « “5 €” »", "cp1252"),
        (FRENCH, "mac_roman"),
        (GERMAN, "cp850"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (CZECH, "cp1250"),
        (TURKISH, "cp1254"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (CHINESE, "gb18030"),
        (ARABIC, "cp1256"),
        (GERMAN, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (CHINESE, "utf-16-le"),
        (GERMAN, "utf-32-le"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "utf-32"),
        (CHINESE, "utf-8-sig"),
    ],
)
def test_the_letters_are_right_and_what_was_found_out_is_said(
    tmp_path: Path, text: str, encoding: str, rows: int
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(("id,text\r\n" + f'1,"{text}"\r\n' * rows).encode(encoding))
    table = open_table(path)
    assert list(table.rows()) == [["1", text]] * rows
    marked = encoding in ("utf-16", "utf-32", "utf-8-sig")
    assert [remark for remark in table.remarks if "is read as" in remark] == list(table.remarks)
    assert len(table.remarks) == (not marked)


def test_a_letter_far_behind_decides(tmp_path: Path) -> None:
    """The beginning is UTF-8 of ASCII alone; a megabyte on stands a letter that is not."""
    path = tmp_path / "in.csv"
    path.write_bytes(b"text\n" + b"nothing but ASCII\n" * 60_000 + "très cher\n".encode("cp1252"))
    assert encoding_of(path).name == "cp1252"
    assert list(open_table(path).rows())[-1] == ["très cher"]


def test_utf_8_with_some_broken_places_stays_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"text\n" + f"{RUSSIAN}\n".encode() * 3 + b"a\xe9b\n")
    table = open_table(path)
    assert [row.line for row in table.bad] == [5]
    assert "UTF-8 but for 1 place." in table.remarks[0]
    assert [*table.rows()] == [[RUSSIAN]] * 3


def test_zeros_in_cells_are_no_wide_encoding(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"ab,c\r\n" + b"\x00a,\x00b\r\n" * 8)
    assert encoding_of(path).name == "utf-8"
    assert list(open_table(path).rows()) == [["\x00a", "\x00b"]] * 8
