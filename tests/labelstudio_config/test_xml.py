from __future__ import annotations

from dataclasses import replace

import pytest
from label_studio_sdk.label_interface import LabelInterface

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Note, Question
from labelstudio_config.errors import CodebookError, ConfigError
from labelstudio_config.xml import from_xml, ignored, to_xml

TEXT = '<Text name="text" value="$text"/>'
FUNNY = '<Choices name="funny" toName="text"><Choice value="Yes"/><Choice value="No"/></Choices>'
PAIR = '<Text name="post" value="$post"/><Text name="reply" value="$answer"/>'
EVERYTHING = """<View>
  <Style>.x { color: red }</Style>
  <Text name="text" value="$text"/>
  <View style="padding: 1em">
    <Header value="Is it funny?"/>
    <View>
      <Choices name="funny" toName="text" choice="single-radio" required="true">
        <View><Choice alias="y" value="Yes, it is" hint="Somebody would laugh."/></View>
        <Choice alias="n" value="No"/>
      </Choices>
    </View>
  </View>
  <Choices name="topics" toName="text" choice="multiple">
    <Header value="What is it about?"/>
    <Choice value="Economy"/><Choice value="Health"/>
  </Choices>
  <Rating name="stars" toName="text" maxRating="3" icon="heart"/>
  <Number name="year" toName="text" min="1900" max="2100" step="0.5"/>
  <Labels name="spans" toName="text"><Label value="PER"/></Labels>
  <Header>Anything else?</Header>
  <TextArea name="note" toName="text" rows="2"/>
</View>"""


def view(*tags: str) -> str:
    return f"<View>{''.join(tags)}</View>"


def read(*tags: str, previous: Codebook | None = None) -> Codebook:
    return from_xml(view(*tags), key="posts", previous=previous)


def only(*tags: str) -> Question:
    (question,) = read(*tags).questions
    return question


def test_every_control_in_nested_views() -> None:
    book = from_xml(EVERYTHING, key="posts", title="Posts")
    text = (Field("text", "text"),)
    assert book.questions == (
        Question(
            id="funny",
            name="funny",
            kind=Kind.SINGLE,
            control=Control.CHOICES,
            fields=text,
            labels=(Label("y", "y", "Yes, it is", "Somebody would laugh."), Label("n", "n", "No")),
            wording="Is it funny?",
            required=True,
        ),
        Question(
            id="topics",
            name="topics",
            kind=Kind.MULTIPLE,
            control=Control.CHOICES,
            fields=text,
            labels=(Label("economy", "Economy", "Economy"), Label("health", "Health", "Health")),
            wording="What is it about?",
        ),
        Question(
            id="stars",
            name="stars",
            kind=Kind.ORDINAL,
            control=Control.RATING,
            fields=text,
            labels=(Label("1", "1", "1"), Label("2", "2", "2"), Label("3", "3", "3")),
        ),
        Question(
            id="year",
            name="year",
            kind=Kind.NUMBER,
            control=Control.NUMBER,
            fields=text,
            minimum=1900.0,
            maximum=2100.0,
            step=0.5,
        ),
    )
    assert book.notes == (Note("note", "text", "Anything else?"),)
    assert (book.key, book.title) == ("posts", "Posts")
    assert ignored(EVERYTHING) == ('<Labels name="spans">: it is no question about a whole text.',)


def test_pairwise_is_about_its_two_texts() -> None:
    xml = view("<Header>Which is kinder?</Header>", '<Pairwise name="pw" toName="reply,post"/>', PAIR)
    question = from_xml(xml, key="posts").question("pw")
    assert [f.column for f in question.fields] == ["answer", "post"]
    assert (question.kind, question.wording, question.to_name) == (Kind.SINGLE, "Which is kinder?", "reply")
    assert [x.code for x in question.labels] == ["left", "right"]


def test_hypertext_is_marked_as_markup() -> None:
    assert only('<HyperText name="text" value="$html"/>', FUNNY).fields == (Field("text", "html", markup=True),)


def test_tags_and_attributes_in_any_case() -> None:
    text = '<text NAME="text" Value="$text"/>'
    choices = '<CHOICES name="q" ToName="text"><choice VALUE="a"/><choice value="b"/></CHOICES>'
    assert only(text, choices).labels == (Label("a", "a", "a"), Label("b", "b", "b"))


def test_what_label_studio_infers_is_inferred() -> None:
    assert only(TEXT, FUNNY.replace(' toName="text"', "")).to_name == "text"
    assert len(only(TEXT, '<Rating name="r" toName="text"/>').labels) == 5


class TestPairsOfTexts:
    def test_where_all_answers_go_to_one_of_two_texts_the_question_is_about_both(self) -> None:
        on_reply = FUNNY.replace('"text"', '"reply"')
        question = only('<Header value="Post"/>', PAIR.replace("/><", '/><Header value="Reply"/><'), on_reply)
        assert question.fields == (Field("post", "post", "Post"), Field("reply", "answer", "Reply"))
        assert question.to_name == question.target == "reply"
        assert question.wording == ""

    def test_where_each_text_has_a_question_each_is_about_its_own(self) -> None:
        second = FUNNY.replace('"funny" toName="text"', '"rude" toName="reply"')
        book = read(PAIR, FUNNY.replace('"text"', '"post"'), second)
        assert [[f.name for f in q.fields] for q in book.questions] == [["post"], ["reply"]]

    def test_beside_questions_about_two_texts_a_third_is_not_read(self) -> None:
        second = FUNNY.replace('"funny" toName="text"', '"rude" toName="reply"')
        book = read(PAIR, FUNNY, second, TEXT)
        assert [[f.name for f in q.fields] for q in book.questions] == [["text"], ["reply"]]

    def test_where_several_texts_have_no_question_they_are_left_out(self) -> None:
        xml = view(TEXT, PAIR, FUNNY)
        assert [f.name for f in from_xml(xml, key="posts").fields] == ["text"]
        assert ignored(xml) == (
            '<Text name="post">: no question is about it.',
            '<Text name="reply">: no question is about it.',
        )

    def test_two_names_in_to_name(self) -> None:
        question = only(PAIR, FUNNY.replace('"text"', '"reply, post"'))
        assert [f.name for f in question.fields] == ["reply", "post"]


class TestHeadings:
    def test_over_the_only_text_is_the_wording_of_the_only_question(self) -> None:
        question = only('<Header value="Is it funny?"/>', TEXT, FUNNY)
        assert (question.wording, question.fields[0].title) == ("Is it funny?", "")

    def test_over_the_only_text_of_several_questions_is_nobodys(self) -> None:
        book = read('<Header value="Study 3"/>', TEXT, FUNNY, FUNNY.replace('"funny"', '"rude"'))
        assert [q.wording for q in book.questions] == ["", ""]

    def test_the_nearest_one_counts_and_only_once(self) -> None:
        book = read(
            TEXT, '<Header value="Study 3"/><Header value="Funny?"/>', FUNNY, FUNNY.replace('"funny"', '"rude"')
        )
        assert [q.wording for q in book.questions] == ["Funny?", ""]

    def test_over_a_control_that_is_not_read_is_not_the_next_ones(self) -> None:
        labels = '<Header value="Mark names"/><Labels name="ner" toName="text"><Label value="PER"/></Labels>'
        assert only(TEXT, labels, FUNNY).wording == ""

    def test_from_each_task_is_no_wording(self) -> None:
        assert only(TEXT, '<Header value="About $speaker"/>', FUNNY).wording == ""


MISSING = [
    ((), "no text: add <Text"),
    ((FUNNY.replace(' toName="text"', ' toName="funny"'),), "no text: add <Text"),
    (('<Image name="i" value="$i"/>',), 'no text: add <Text name="text" value="$text"/>'),
    ((TEXT,), 'no question: add <Choices name="label"'),
    ((TEXT, '<TextArea name="why" toName="text"/>'), "no question: add"),
    (
        (TEXT, '<Labels name="s" toName="text"><Label value="A"/></Labels>'),
        '<Labels name="s">: it is no question about',
    ),
    (('<Text name="text" value="Read this."/>', FUNNY), "its words are the same in every task"),
    (('<Text name="text" value="$u" valueType="url"/>', FUNNY), "its text is fetched from an address"),
    (('<Text name="text" value="$u" encoding="base64"/>', FUNNY), "its text is encoded"),
    (('<Text name="text" value="$a and $b"/>', FUNNY), "it mixes several columns"),
    (('<Paragraphs name="text" value="$talk"/>', FUNNY), "it is not a text (Text or HyperText)"),
    ((TEXT, FUNNY.replace("<Choices", '<Choices perRegion="true"')), "it is about marked passages (perRegion)"),
    ((TEXT, FUNNY.replace("<Choices", '<Choices perItem="true"')), "it is about items of a list (perItem)"),
    ((TEXT, '<Choices name="c" toName="text" value="$options"/>'), "its choices come from each task"),
    ((TEXT, FUNNY.replace('"text"', '"body"')), "is about 'body' (toName), but no tag has that name; there is 'text'."),
    ((TEXT, '<Labels name="s" toName="body"/>', FUNNY), "<Labels name=\"s\"> is about 'body' (toName)"),
    ((TEXT, PAIR, FUNNY.replace(' toName="text"', "")), '<Choices name="funny"> has no toName'),
    ((TEXT, FUNNY.replace(' name="funny"', "")), "<Choices> has no name: add one"),
    ((TEXT, FUNNY, FUNNY), "Two tags have the name 'funny'"),
    ((TEXT, FUNNY.replace("<Choices", '<Choices choice="many"')), 'choice="many": use "single", "single-radio" or'),
    ((TEXT, FUNNY.replace("<Choices", '<Choices allowNested="true"')), "nests choices in choices"),
    (
        (TEXT, FUNNY.replace('<Choice value="No"/>', '<Choice value="No"><Choice value="Never"/></Choice>')),
        "nests choices",
    ),
    ((TEXT, FUNNY.replace('value="No"', 'value=" "')), "has a <Choice> without a value"),
    ((TEXT, FUNNY.replace('value="No"', 'value="$no"')), "whose words come from each task"),
    ((TEXT, FUNNY.replace('value="No"', 'alias="true" value="No"')), "has the alias 'true'"),
    ((TEXT, FUNNY.replace('value="No"', 'value="Yes"')), "have the code 'Yes': each needs its own."),
    ((TEXT, FUNNY.replace('<Choice value="No"/>', "")), "has 1 label(s): a single question needs at least 2"),
    ((TEXT, '<Rating name="r" toName="text" maxRating="1"/>'), 'maxRating="1": give a whole number from 2 to 100.'),
    ((TEXT, '<Rating name="r" toName="text" maxRating="many"/>'), 'maxRating="many"'),
    ((TEXT, '<Number name="n" toName="text" min="low"/>'), 'min="low": give a number, or leave min out.'),
    ((TEXT, '<Number name="n" toName="text" max="inf"/>'), 'max="inf"'),
    ((TEXT, '<Number name="n" toName="text" min="2" max="1"/>'), "the minimum must be the smaller"),
    ((TEXT, '<Pairwise name="p" toName="text"/>'), "is about 1 texts: it needs two texts"),
    ((TEXT, PAIR, FUNNY.replace('"text"', '"text,post,reply"')), "is about 3 texts"),
    (("<Repeater>", TEXT, FUNNY, "</Repeater>"), "its texts and questions differ from task to task"),
]


@pytest.mark.parametrize(("tags", "said"), MISSING, ids=[said for _, said in MISSING])
def test_what_is_missing_or_wrong_is_said(tags: tuple[str, ...], said: str) -> None:
    with pytest.raises(CodebookError) as caught:
        read(*tags)
    assert said in str(caught.value)


def test_a_question_about_a_picture_is_passed_over_beside_one_about_a_text() -> None:
    xml = view('<Image name="i" value="$i"/>', FUNNY.replace('funny" toName="text"', 'nice" toName="i"'), TEXT, FUNNY)
    assert [q.name for q in from_xml(xml, key="posts").questions] == ["funny"]
    assert ignored(xml) == (
        '<Image name="i">: it is not a text (Text or HyperText).',
        '<Choices name="nice">: what it is about is not read as a text.',
    )


def test_what_leads_coders_or_is_lost_is_said() -> None:
    ticked = FUNNY.replace('value="No"', 'value="No" selected="true"')
    shown = FUNNY.replace('"funny"', '"rude" visibleWhen="choice-selected" whenTagName="funny"')
    preset = '<Number name="n" toName="text" defaultValue="3"/>'
    said = ignored(view('<Text name="text" value="Post: $text"/>', ticked, shown, preset))
    assert said == (
        '<Text name="text">: only $text is read of it, not the words around.',
        '<Choices name="funny">: a choice is ticked beforehand (selected="true"), which leads coders and is not read.',
        '<Choices name="rude">: it is shown only under a condition, which is not read.',
        '<Number name="n">: it has a default value, which leads coders and is not read.',
    )


def test_a_note_on_a_text_without_question_is_left_out() -> None:
    xml = view(TEXT, PAIR, FUNNY, '<TextArea name="why" toName="reply"/>')
    assert from_xml(xml, key="posts").notes == ()
    assert '<TextArea name="why">: it belongs to no text of a question.' in ignored(xml)


def test_names_that_make_the_same_id_stay_apart() -> None:
    book = read(TEXT, FUNNY.replace('"funny"', '"Is it?"'), FUNNY.replace('"funny"', '"is-it"'))
    first, second = book.questions
    assert first.id == "is-it"
    assert second.id.startswith("is-it-")


FULL = Codebook(
    key="posts",
    title="",
    questions=(
        Question(
            "q1",
            "funny",
            Kind.ORDINAL,
            Control.CHOICES,
            (Field("text", "text", "Post"),),
            (Label("l1", "y", "Yes", "It is.", ("Ha.",)), Label("l2", "n", "No", "It is not.")),
            instruction="Look for jokes.",
        ),
    ),
)


def test_written_and_read_with_the_previous_state() -> None:
    assert from_xml(to_xml(FULL), key="posts", previous=FULL) == FULL


@pytest.mark.parametrize("words", ["Costs $five", "$text", "$a.b"])
@pytest.mark.parametrize("place", ["label", "heading", "note"])
def test_words_that_label_studio_would_replace_are_refused(words: str, place: str) -> None:
    question = FULL.questions[0]
    if place == "label":
        labels = (replace(question.labels[0], wording=words), question.labels[1])
        book = replace(FULL, questions=(replace(question, labels=labels),))
    elif place == "heading":
        book = replace(FULL, questions=(replace(question, wording=words),))
    else:
        book = replace(FULL, notes=(Note("why", "text", words),))
    with pytest.raises(ConfigError, match="Label Studio would show a task's data in the place of"):
        to_xml(book)


def test_a_dollar_that_names_no_column_is_kept() -> None:
    book = replace(FULL, questions=(replace(FULL.questions[0], wording="More than 5 $ or $-free?"),))
    assert from_xml(to_xml(book), key="posts", previous=FULL).questions[0].wording == "More than 5 $ or $-free?"


def test_what_the_editor_cannot_read_is_refused() -> None:
    question = FULL.questions[0]
    for changed in (replace(question.labels[0], code="true"), replace(question.labels[0], definition="false")):
        with pytest.raises(ConfigError, match="use another word"):
            to_xml(replace(FULL, questions=(replace(question, labels=(changed, question.labels[1])),)))
    for part in ("definition", "include", "exclude"):
        changed = replace(question.labels[0], **{"include": "puns", "exclude": "irony", part: "a\nExclude: b"})
        with pytest.raises(ConfigError, match="a line that begins with 'Include:' or 'Exclude:'"):
            to_xml(replace(FULL, questions=(replace(question, labels=(changed, question.labels[1])),)))
    column = replace(question, fields=(Field("text", "my column"),))
    with pytest.raises(ConfigError, match="column 'my column', which Label Studio cannot read"):
        to_xml(replace(FULL, questions=(column,)))


def test_nobody_is_led_by_what_is_written() -> None:
    xml = to_xml(FULL)
    LabelInterface(xml).validate()
    assert "selected" not in xml
    assert "default" not in xml.lower()
