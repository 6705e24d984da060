from __future__ import annotations

from dataclasses import replace

from labelstudio_config.codebook import Codebook, Control, Field, Kind, Label, Provenance, Question
from labelstudio_config.library import load
from labelstudio_config.revision import completed
from labelstudio_config.xml import from_xml, to_xml

TEXT = '<Text name="text" value="$text"/>'


def choices(name: str, *codes_and_wordings: str, kind: str = "single") -> str:
    parts = (c.partition("=") for c in codes_and_wordings)
    inner = "".join(f'<Choice alias="{code}" value="{words or code}"/>' for code, _, words in parts)
    return f'<Choices name="{name}" toName="text" choice="{kind}">{inner}</Choices>'


def read(*controls: str, previous: Codebook | None = None, text: str = TEXT) -> Codebook:
    return from_xml(f"<View>{text}{''.join(controls)}</View>", key="posts", previous=previous)


def labels(book: Codebook, question: str = "mood") -> dict[str, str]:
    return {label.code: label.id for label in book.question(question).labels}


def test_a_label_keeps_its_id_under_a_new_wording_and_under_a_new_code() -> None:
    first = read(choices("mood", "p=Positive", "n=Negative"))
    reworded = read(choices("mood", "n=Bad", "p=Good"), previous=first)
    assert labels(reworded) == {"n": "n", "p": "p"}
    recoded = read(choices("mood", "1=good ", "-1=Bad"), previous=reworded)
    assert labels(recoded) == {"1": "p", "-1": "n"}


def test_labels_that_swap_their_wordings_are_matched_by_code() -> None:
    first = read(choices("mood", "a=Joy", "b=Anger"))
    assert labels(read(choices("mood", "a=Anger", "b=Joy"), previous=first)) == {"a": "a", "b": "b"}


def test_a_label_that_takes_over_the_wording_of_a_removed_one_stays_itself() -> None:
    first = read(choices("mood", "a=Joy", "b=Anger", "c=Fear"))
    assert labels(read(choices("mood", "a=Anger", "c=Fear"), previous=first)) == {"a": "a", "c": "c"}


def test_a_new_label_never_takes_over_an_old_id() -> None:
    first = read(choices("mood", "A+", "B"))
    second = read(choices("mood", "A-", "B"), previous=first)
    assert labels(first) == {"A+": "a", "B": "b"}
    assert labels(second)["A-"] not in ("a", "b")
    assert labels(second)["A-"].startswith("a-")


def test_a_question_keeps_its_id_by_name_and_a_new_one_takes_no_old_id() -> None:
    old = Codebook("posts", "", (replace(read(choices("mood", "a", "b")).questions[0], id="tone"),))
    second = read(choices("tone", "x", "y"), choices("mood", "a", "b", kind="multiple"), previous=old)
    assert [q.name for q in second.questions] == ["tone", "mood"]
    assert second.question("mood").id == second.questions[1].id
    assert second.questions[1].id == "tone"
    assert second.questions[0].id.startswith("tone-")
    assert second.questions[1].kind is Kind.MULTIPLE


def test_what_the_configuration_cannot_say_is_taken_over() -> None:
    humor = load("humor")
    stripped = to_xml(humor).replace("hint=", "title=")
    again = from_xml(stripped, key="posts", title="My posts", previous=humor)
    assert again == replace(humor, key="posts", title="My posts")


def test_rules_are_taken_over_only_where_a_label_has_no_hint_at_all() -> None:
    first = read(
        '<Choices name="mood" toName="text"><Choice value="a" hint="d&#10;Include: i"/><Choice value="b"/></Choices>'
    )
    assert first.questions[0].labels[0].include == "i"
    assert read(choices("mood", "a", "b"), previous=first) == first
    now = read(
        '<Choices name="mood" toName="text"><Choice value="a" hint="d"/><Choice value="b"/></Choices>', previous=first
    )
    assert (now.questions[0].labels[0].definition, now.questions[0].labels[0].include) == ("d", "")


def test_what_the_configuration_says_goes_first() -> None:
    humor = load("humor")
    xml = (
        to_xml(humor)
        .replace("Did the author mean this to be funny?", "Funny?")
        .replace("A text made to amuse", "A joke")
    )
    label = from_xml(xml, key="posts", previous=humor).questions[0].labels[1]
    assert from_xml(xml, key="posts", previous=humor).questions[0].wording == "Funny?"
    assert label.definition.startswith("A joke: a joke, a pun")
    assert label.examples == humor.questions[0].labels[1].examples


def test_beside_a_new_question_the_instruction_stays_with_the_old_one() -> None:
    humor = load("humor")
    xml = to_xml(humor).replace("</View>\n</View>", choices("mood", "a", "b") + "</View>\n</View>")
    book = from_xml(xml, key="posts", previous=humor)
    assert book.instruction == ""
    assert book.provenance == Provenance()
    assert book.question("humor").instruction == humor.instruction
    assert book.question("humor").provenance == humor.provenance
    assert book.question("mood").asked == "mood"
    again = from_xml(xml, key="posts", previous=book)
    assert again == book


def test_a_new_question_does_not_change_what_a_model_sees_of_the_old_one() -> None:
    humor = load("humor")
    xml = to_xml(humor).replace("</View>\n</View>", choices("mood", "a", "b") + "</View>\n</View>")
    book = from_xml(xml, key="posts", previous=humor)
    alone = replace(book, questions=book.questions[:1])
    assert alone.scoring_hash == humor.scoring_hash


def test_a_scale_of_choices_stays_ordered_and_takes_the_order_on_the_screen() -> None:
    first = read(choices("mood", "low", "high"))
    ordered = replace(first, questions=(replace(first.questions[0], kind=Kind.ORDINAL),))
    longer = read(choices("mood", "low", "middle", "high"), previous=ordered)
    assert longer.questions[0].kind is Kind.ORDINAL
    assert [x.code for x in longer.questions[0].labels] == ["low", "middle", "high"]
    assert read(choices("mood", "low", "high", kind="multiple"), previous=ordered).questions[0].kind is Kind.MULTIPLE


def test_verbalisers_of_labels_that_are_gone_go_too() -> None:
    first = read(choices("mood", "a", "b"))
    spoken = replace(first, questions=(replace(first.questions[0], verbalisers=(("a", "joy"), ("b", "anger"))),))
    assert read(choices("mood", "a", "c"), previous=spoken).questions[0].verbalisers == (("a", "joy"),)


def test_the_words_of_a_rating_live_in_the_codebook() -> None:
    scale = (Label("none", "1", "not at all", "Nothing."), Label("all", "2", "entirely"))
    rating = Question("r", "r", Kind.ORDINAL, Control.RATING, (Field("text", "text"),), scale)
    previous = Codebook("posts", "", (rating,))
    again = read('<Rating name="r" toName="text" maxRating="3"/>', previous=previous)
    assert again.questions[0].labels == (*scale, Label("3", "3", "3"))


class TestTexts:
    pair = '<Text name="post" value="$post"/><Text name="text" value="$text"/>'

    def test_a_question_about_one_of_two_texts_stays_so(self) -> None:
        both = read(choices("mood", "a", "b"), text=self.pair)
        assert [f.name for f in both.questions[0].fields] == ["post", "text"]
        question = replace(both.questions[0], fields=both.questions[0].fields[1:], target="")
        other = Question("o", "o", Kind.NUMBER, Control.NUMBER, both.questions[0].fields, target="text")
        previous = Codebook("posts", "", (question, other))
        number = '<Number name="o" toName="text"/>'
        again = read(choices("mood", "a", "b"), number, text=self.pair, previous=previous)
        assert [[f.name for f in q.fields] for q in again.questions] == [["text"], ["post", "text"]]

    def test_a_text_that_was_added_is_read_too(self) -> None:
        previous = read(choices("mood", "a", "b"))
        now = read(choices("mood", "a", "b"), text=self.pair, previous=previous)
        assert [f.name for f in now.questions[0].fields] == ["post", "text"]

    def test_a_text_that_was_removed_is_read_no_more(self) -> None:
        previous = read(choices("mood", "a", "b"), text=self.pair)
        now = read(choices("mood", "a", "b"), previous=previous)
        assert [f.name for f in now.questions[0].fields] == ["text"]
        assert now.questions[0].target == ""

    def test_columns_are_those_on_the_screen_and_titles_those_of_the_codebook(self) -> None:
        previous = read(choices("mood", "a", "b"))
        titled = replace(previous.questions[0], fields=(Field("text", "text", "Post"),))
        now = read(
            choices("mood", "a", "b"),
            choices("new", "a", "b"),
            text='<HyperText name="text" value="$body"/>',
            previous=replace(previous, questions=(titled,)),
        )
        assert now.fields == (Field("text", "body", "Post", markup=True),)


def test_completing_with_itself_changes_nothing() -> None:
    humor = load("humor")
    assert completed(humor, humor) == humor
