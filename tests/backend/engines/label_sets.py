"""The answers of SOCIALITE-LLAMA's 26 tasks, and of some that try a scorer harder."""

from __future__ import annotations

from labelstudio_config.codebook import Control, Field, Kind, Label, Question

TASKS = {
    "SENTIMENT": ("negative", "neutral", "positive"),
    "EMOTION": ("anger", "joy", "optimism", "sadness"),
    "VALENCECLS": ("low valence", "high valence"),
    "AROUSALCLS": ("low arousal", "high arousal"),
    "DOMINANCECLS": ("low dominance", "high dominance"),
    "EMPATHYEXPLORATIONS": ("no exploration", "weak exploration", "strong exploration"),
    "EMPATHYSELFRATED": ("low empathy", "high empathy"),
    "DISTRESSSELFRATED": ("low distress", "high distress"),
    "FLUTE": ("idiom", "metaphor", "sarcasm", "simile"),
    "HYPERBOLE": ("not hyperbole", "hyperbole"),
    "SAMESIDESTANCE": ("not same side", "same side"),
    "HUMOR": ("non-humorous", "humorous"),
    "HUMOURRATING": ("low humor", "high humor"),
    "POLITENESSHAYATI": ("impolite", "polite"),
    "INTIMACY": (
        "very intimate",
        "intimate",
        "somewhat intimate",
        "not very intimate",
        "not intimate",
        "not intimate at all",
    ),
    "SUBJECTIVEBIAS": ("first sentence", "second sentence"),
    "OFFENSIVE": ("not offensive", "offensive"),
    "SEXIST": ("not sexism", "sexism"),
    "INTENTTOOFFEND": ("not intentional", "intentional"),
    "BIASEDIMPLICATION": ("not biased", "biased"),
    "HATESPEECH": ("not hate speech", "hate speech"),
    "IRONY": ("not ironic", "ironic"),
    "POLITENESSSTANFORD": ("polite", "impolite"),
    "OPTIMISM": ("pessimistic", "neutral", "optimistic"),
    "COMPLAINTS": ("not complaint", "complaint"),
    "AGREEDISAGREE": ("disagree", "agree", "n/a"),
}
HARD = {
    "prefixes": ("not intimate", "not intimate at all", "not"),
    "lengths": ("joy", "counterrevolutionary thoughts today", "no"),
    "signs": ("😀", "ärgerlich", "n/a"),
}
PAIRS = {"EMPATHYEXPLORATIONS", "FLUTE", "SAMESIDESTANCE", "SUBJECTIVEBIAS", "AGREEDISAGREE"}
TITLES = {"FLUTE": ("Premise", "Hypothesis"), "EMPATHYEXPLORATIONS": ("Patient", "Counselor's response")}


def asked(
    name: str,
    words: tuple[str, ...],
    kind: Kind = Kind.SINGLE,
    instruction: str = "Which of these is it?",
    examples: int = 0,
) -> Question:
    """A question with these words for labels, about one text or, where the task is, about two."""
    titles = TITLES.get(name, ("", ""))
    fields = (Field("first", "first", titles[0]), Field("second", "second", titles[1]))
    labels = tuple(
        Label(
            f"label{n}", f"label{n}", word, f"What is meant by {n}.", tuple(f"Text {i} of {n}" for i in range(examples))
        )
        for n, word in enumerate(words)
    )
    one = fields if name in PAIRS else fields[:1]
    return Question(name.lower(), name, kind, Control.CHOICES, one, labels, instruction=instruction)
