from __future__ import annotations

import pytest

from labelstudio_config.document import DEEPEST, LONGEST, parsed
from labelstudio_config.errors import ConfigError

ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 9}">' for n in range(1, 9))
LAUGHS = f'<!DOCTYPE lolz [<!ENTITY e0 "ha">{ENTITIES}]><View><Header value="&e8;"/></View>'


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("<View>", "line 1, column 7"),
        ("<View>\n<a></b></View>", "mismatched tag, line 2"),
        ("hello", "not well-formed XML"),
        ('<View a="1" a="2"/>', "duplicate attribute"),
        ("<View>&nbsp;</View>", "undefined entity"),
        ("<View\x00/>", "not well-formed XML"),
        ('<View a="\ud800"/>', "half a character"),
        (LAUGHS, "DOCTYPE"),
        ('<!DOCTYPE v SYSTEM "file:///etc/passwd"><v/>', "DOCTYPE"),
        ('<!DOCTYPE v [<!ENTITY x SYSTEM "http://127.0.0.1/x">]><v>&x;</v>', "DOCTYPE"),
        ("<v>" * (DEEPEST + 1) + "</v>" * (DEEPEST + 1), "more than 100 deep"),
        (f"<v a='{'x' * LONGEST}'/>", "at most 1,000,000 are read"),
    ],
)
def test_what_cannot_be_read_is_refused(xml: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(xml)
    assert said in str(caught.value)
    assert "passwd" not in str(caught.value)


def test_tags_in_order_with_names_as_label_studio_compares_them() -> None:
    root = parsed(
        '<?xml version="1.0" encoding="utf-16"?><View><!-- no --><TEXT Name="é" valueType="url"/><b>x &lt; y</b></View>'
    )
    assert [tag.kind for tag in root] == ["view", "text", "b"]
    text, b = root.children
    assert (text.label, text.name, text.get("valuetype"), text.get("missing")) == ("TEXT", "é", "url", "")
    assert b.text == "x < y"
    assert str(text) == '<TEXT name="é">'


def test_the_deepest_that_is_allowed() -> None:
    assert len(list(parsed("<v>" * DEEPEST + "</v>" * DEEPEST))) == DEEPEST
