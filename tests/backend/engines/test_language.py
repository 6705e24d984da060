from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.language import foreign

FOREIGN = {
    "de": "Ich habe gestern den ganzen Tag auf den Zug gewartet und niemand hat uns etwas gesagt.",
    "fr": "Je n'ai jamais vu un service aussi mauvais, personne ne répond au téléphone depuis trois jours.",
    "es": "No puedo creer que hayan cancelado el vuelo otra vez, estoy muy enfadado con ellos.",
    "it": "Basta con questi ritardi, ogni mattina la stessa storia alla stazione.",
    "nl": "Ik heb de hele dag op de monteur gewacht en hij kwam niet opdagen.",
    "pl": "Nie mogę uwierzyć, że znowu odwołali mój pociąg, to skandal.",
    "tr": "Bugün bütün gün telefonda bekledim ama kimse cevap vermedi.",
    "ru": "Сегодня опять отменили поезд, никто ничего не объяснил.",
    "ja": "今日も電車が遅れていて、誰も説明してくれませんでした。",
    "ar": "تم إلغاء القطار مرة أخرى اليوم ولم يشرح أحد السبب.",
    "hi": "आज फिर ट्रेन रद्द हो गई और किसी ने कुछ नहीं बताया।",
    "vi": "Hôm nay tàu lại bị hủy và không ai giải thích lý do.",
}
ENGLISH = [
    "",
    "lol",
    "omg nooo 😭😭",
    "@user @user so true!!",
    "Why do we itch?",
    "Malaysia launches tourism campaign",
    "dayumm!! who is that",
    "naïve café",
    "#mondaymotivation https://example.org/über-uns",
    "No buyer in sight for Napster",
    "¿?!",
    "I love hoodies man. am i skinny ? nobody knows",
    "Сергей is my favourite painter of the century, his horses are alive",
]


@pytest.mark.parametrize("language", FOREIGN)
def test_a_sentence_in_another_language_is_found(language: str) -> None:
    assert foreign(FOREIGN[language]) == language


def test_another_script_is_enough_even_when_short() -> None:
    assert foreign("Спасибо") is not None
    assert foreign("ありがとう") is not None


@pytest.mark.parametrize("text", ENGLISH)
def test_english_and_what_cannot_be_told_are_left_alone(text: str) -> None:
    assert foreign(text) is None


def test_real_english_posts_are_left_alone(shared: Path) -> None:
    """One text in a thousand at most: a corpus may hold a foreign one."""
    texts: list[str] = []
    for task in ("irony", "emotion", "complaints", "humor", "intimacy"):
        with (shared / "data" / task / "test.csv").open(encoding="utf-8", newline="") as stream:
            texts += [row["text"] for row in list(csv.DictReader(stream))[:220]]
    assert len(texts) > 1000
    assert sum(foreign(text) is not None for text in texts) <= 1


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert foreign(text) is None or len(str(foreign(text))) <= 3
