"""The checklist GUIDE-LLM, filled in: what the store knows is answered, what it cannot know is marked, never guessed.

GUIDE-LLM: reporting of language models in behavioural and social science, Nature Human Behaviour 2026. The words for
what an item asks are ours; the letters and numbers are the checklist's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from backend.findings.study import Study
from backend.findings.validity import Validity
from backend.findings.words import counted, figure, tallied, times
from backend.reports.methods.marks import words
from backend.reports.methods.paragraph import Program

Status = Literal["answered", "partly answered", "to be filled in by the authors", "cannot be known by this program"]
NO_MODEL = "No model has suggested or assigned a label in this project yet."


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the checklist. `answer`: sentences from the store; `needed`: what a person has to add, or ''."""

    code: str
    asked: str
    status: Status
    answer: tuple[str, ...]
    needed: str = ""


def items(study: Study, found: Sequence[Validity], program: Program) -> tuple[Item, ...]:
    """The 14 core items, in order."""
    return (
        _use(study),
        _people(study),
        _identity(study),
        _access(study),
        _parameters(study),
        _tuning(study),
        _state(study),
        _prompts(study),
        _system(study),
        _personal(study),
        _validated(study, found),
        _processed(study),
        _code(program),
        Item(
            "G.1", "Funding and interests", "cannot be known by this program", (),
            "Who paid for the work and the computing, and what ties there are to makers of models.",
        ),
    )  # fmt: skip


def guide(study: Study, found: Sequence[Validity], program: Program) -> str:
    """The checklist as Markdown."""
    listed = items(study, found, program)
    counts = tallied({status: sum(one.status == status for one in listed) for status in {i.status for i in listed}})
    lines = [
        f"# GUIDE-LLM checklist of {words(study.facts.project.title)}",
        "",
        f"14 core items: {counts}. Optional items of the checklist are not in it.",
        "",
    ]
    for one in listed:
        lines += [f"## {one.code} {one.asked}", "", f"**Status:** {one.status}", ""]
        lines += [line for sentence in one.answer for line in (words(sentence), "")]
        lines += [f"**To add:** {one.needed}", ""] if one.needed else []
    return "\n".join(lines)


def _use(study: Study) -> Item:
    book = study.facts.book
    answer = (
        f"To label {counted(len(study.facts.texts.ids), 'text')} on {counted(len(book.questions), 'question')} of the "
        f"codebook '{book.title}': {', '.join(q.name for q in book.questions)}."
    )
    does = (
        "Its labels were suggested to coders and assigned to the texts that nobody coded."
        if study.releases
        else NO_MODEL
    )
    return Item(
        "A.1", "What the model was used for", "partly answered", (answer, does),
        "Any use outside of this program: writing, translation, the codebook itself, the analysis.",
    )  # fmt: skip


def _people(study: Study) -> Item:
    coded, texts = study.coded, len(study.facts.texts.ids)
    return Item(
        "A.2", "People in the loop, or automated", "answered",
        (
            f"People coded {coded.texts:,} of {counted(texts, 'text')} in the phase '{study.facts.phase}'; "
            f"{texts - coded.texts:,} have a label of the model at most.",
            f"{counted(coded.blind, 'answer')} were given without a suggestion on the screen, {coded.assisted:,} where "
            f"suggestions may be shown, of which {coded.kept:,} left the suggestion unchanged; "
            f"{counted(coded.bulk, 'annotation')} made from predictions by nobody are not counted as answers.",
        ),
    )  # fmt: skip


def _identity(study: Study) -> Item:
    scorer, release = study.facts.scorer, study.facts.release
    if scorer is None or release is None:
        return Item("B.1", "Model: name, version, source", "answered", (NO_MODEL,))
    since = f"; it has answered since {study.served[0][0].created_at:%Y-%m-%d}" if study.served else ""
    return Item(
        "B.1", "Model: name, version, source", "partly answered",
        (
            f"{scorer.base}, run by the engine '{scorer.engine}'; release {release.name}{since}.",
            f"Digest of the weights (sha256): {scorer.base_digest}. It identifies the version; a name does not.",
        ),
        "Provider, number of parameters and date of publication, from the model's own card.",
    )  # fmt: skip


def _access(study: Study) -> Item:
    scorer = study.facts.scorer
    if scorer is None:
        return Item("B.2", "How the model was reached", "answered", (NO_MODEL,))
    if scorer.engine == "remote":
        return Item(
            "B.2", "How the model was reached", "partly answered",
            ("Texts were sent to an inference server, named by the person who ran the program.",),
            "Who runs that server, where it stands, and under what terms.",
        )  # fmt: skip
    return Item(
        "B.2", "How the model was reached", "answered",
        ("The weights were run by this program on the machine that it is installed on; no text was sent elsewhere to "
         "be labelled.",),
    )  # fmt: skip


def _parameters(study: Study) -> Item:
    scorer = study.facts.scorer
    if scorer is None:
        return Item("B.3", "Parameters", "answered", (NO_MODEL,))
    heat = {key: f"{one.temperature:.3g}" for key, one in study.facts.scores.items()}
    read = f"Calibration temperatures by question: {', '.join(f'{k} {t}' for k, t in heat.items())}."
    return Item(
        "B.3", "Parameters", "answered",
        (
            f"The labels of a question are scored (method: {scorer.method}; numbers: {scorer.dtype}) and the likeliest "
            "one, or in a multiple choice every one above one half, is taken. Nothing is generated: there is no "
            "sampling temperature, no limit of tokens to write and no seed of it, and one run gives the answer.",
            f"{read} A temperature of 1 is no calibration." if heat else "No text has stored scores yet.",
        ),
    )  # fmt: skip


def _tuning(study: Study) -> Item:
    asked = "Fine-tuning"
    if study.facts.scorer is None:
        return Item("B.4", asked, "answered", (NO_MODEL,))
    tried = f"{counted(len(study.runs), 'tuning run')} and {counted(study.releases, 'release')} were made in all."
    if not study.facts.scorer.adapter_digest:
        return Item("B.4", asked, "answered", ("The model that answers was not tuned on this corpus.", tried))
    if study.adapter is None:
        which = (
            f"The adapter in use has the digest {study.facts.scorer.adapter_digest}; how it was made is not recorded."
        )
        return Item("B.4", asked, "partly answered", (which, tried), "How and on what the adapter was tuned.")
    parts = study.adapter.manifest.get("parts", {})
    told = [
        f"{key}: {part['method']} tuned on {study.taught[key]:,} labelled texts, seed {part['seed']}, labels frozen as "
        f"snapshot {part['snapshot']}."
        for key, part in parts.items()
    ]
    kept = f"Adapter digest {study.adapter.digest}. Settings and versions of each part are in manifest.json."
    never = "Texts set aside for development and test, their near-duplicates and group mates were never tuned on."
    return Item("B.4", asked, "answered", (*told, kept, never, tried))


def _state(study: Study) -> Item:
    if study.facts.scorer is None:
        return Item("B.5", "State between texts", "answered", (NO_MODEL,))
    served = f"Releases that answered one after the other, by the log: {len(study.served):,}."
    told = "Each text is scored by itself: no conversation, no memory of other texts, no retrieval."
    return Item("B.5", "State between texts", "answered", (told, served))


def _prompts(study: Study) -> Item:
    scorer, revision = study.facts.scorer, study.facts.revision
    book = (
        f"The codebook is in codebook.yaml word for word: revision {revision.number} of {study.revisions}, content "
        f"hash {revision.content_hash}, hash of what a model sees {revision.scoring_hash}."
    )
    if scorer is None:
        return Item("C.1", "Exact prompts", "answered", (NO_MODEL, book))
    how = f"Hash of the prompt, or of the recipe by which labels are scored: {scorer.prompt_hash}."
    if scorer.engine in ("causal", "remote"):
        frame = (
            "A prompt is 'Instruction: ', the instruction, 'Input: ', the text, 'Output:', and each label's word is "
            "scored as what follows."
        )
        return Item(
            "C.1", "Exact prompts", "partly answered", (book, frame, how),
            "Whose wording the instruction has (the setting SOCIALITE_INSTRUCTIONS: ours, made of the codebook, or "
            "authors, those of the model), and how many examples of each label were shown (SOCIALITE_SHOTS).",
        )  # fmt: skip
    none = (
        "The model is given no prompt: a text is compared with labels' definitions and examples, or with tuned labels."
    )
    return Item("C.1", "Exact prompts", "answered", (none, book, how))


def _system(study: Study) -> Item:
    told = NO_MODEL if study.facts.scorer is None else "None: there is no system message beside the prompt of C.1."
    return Item("C.2", "System instructions", "answered", (told,))


def _personal(study: Study) -> Item:
    told = [
        "The store holds the texts on the machine of the project; the files of this folder hold none, but the columns "
        "of the corpus that data-dictionary.csv lists. Coders are known by pseudonyms."
    ]
    told += [f"The words of {counted(study.erased, 'text')} were erased."] * bool(study.erased)
    return Item(
        "D.1", "Personal and sensitive data", "to be filled in by the authors", tuple(told),
        "Whether texts or columns hold personal data, consent and ethical review, and what was done to protect people.",
    )  # fmt: skip


def _validated(study: Study, found: Sequence[Validity]) -> Item:
    facts, told = study.facts, []
    for one in found:
        fit = f"; the model's {one.measure} {figure(one.fit)} on n = {one.fit.n:,}" if one.measure else ""
        alpha = one.agreement.alpha
        told.append(
            f"{one.question.name}: Krippendorff's alpha of coders {figure(alpha)} on n = {alpha.n:,} texts coded "
            f"blind; {counted(one.n, 'text')} with an accepted label in the {one.role}{fit}."
        )
    opened = (
        f"The final test was opened {times(len(facts.looks))}"
        + (f", for this release on {facts.opened.created_at:%Y-%m-%d}" if facts.opened else ", not for this release")
        + ". Figures of development texts come from those by which the release was chosen."
    )
    needed = "Who the coders are and how they were trained."
    if not any(one.n for one in found):
        needed = f"A validation: no text set aside has an accepted label yet. {needed}"
    return Item("E.1", "Validation by people", "partly answered", (*told, opened), needed)


def _processed(study: Study) -> Item:
    parts = (study.facts.gate, study.facts.test)
    lost = {reason for part in parts for reasons in part.unresolved.values() for reason in reasons}
    left = f"Reasons for which texts set aside have no accepted label: {', '.join(sorted(lost)) or 'none'}."
    return Item(
        "E.2", "Post-processing and filtering", "answered",
        (
            "No reply is parsed, corrected or thrown away: a text gets its label from the scores of the legal labels.",
            f"{left} The report counts them, with bounds for what they might have been.",
        ),
    )  # fmt: skip


def _code(program: Program) -> Item:
    commit = f", commit {program.commit}" if program.commit else "; it runs without its history, so no commit is known"
    return Item(
        "F.1", "Code shared", "partly answered",
        (
            f"Labels and figures were made by socialite {program.version}{commit}. analysis.R and analysis.do "
            "compute the corrected estimates from table.csv.",
        ),
        "Where this folder, and the authors' own code, can be had.",
    )  # fmt: skip
