"""Adapters swapped under load: requests never fail, and each answer is what the release that it names gives."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import select

from backend.app import create_app
from backend.assist.asked import asked, read
from backend.assist.catalogue import Catalogue, ProjectState
from backend.assist.order import POLICY, order_score
from backend.engines import adapter
from backend.engines.causal import CausalEngine
from backend.settings import load
from db import releases, revisions
from db.content import content_hash
from db.models import Adapter, Prediction, Project, Release, Scorer, Text
from db.store import FILE, Store, sqlite_url
from labelstudio_config.codebook import Codebook
from labelstudio_config.xml import to_xml
from tests.backend.assist.world import World, make_world
from tests.backend.engines.llamas import llama, tiny_tokenizer
from tests.backend.engines.loras import lora
from tests.backend.engines.questions import question

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft's, of transformers
BOOK = Codebook("moods", "Moods", (question(),))
SWAPS, CLIENTS, TEXTS = 20, 6, 400
NAME = "1.1000"  # the assisted Label Studio project of a world, as /predict says it


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> CausalEngine:
    """A random Llama; of four adapters it keeps two in memory, so that some have to be loaded again."""
    folder = tmp_path_factory.mktemp("llama") / "model"
    return CausalEngine(llama(folder, tiny_tokenizer(), window=900), device="cpu", kept=2)


@pytest.fixture(scope="module")
def adapters(engine: CausalEngine, tmp_path_factory: pytest.TempPathFactory) -> list[Path | None]:
    """None, the model as it is, and four adapters."""
    folder = tmp_path_factory.mktemp("adapters")
    return [None, *(lora(engine, question(), folder / str(seed), seed=seed) for seed in range(4))]


@dataclass
class Load:
    """Clients that ask all the time, while somebody moves the pointer."""

    client: httpx.AsyncClient
    world: World
    ended: bool = False

    def __post_init__(self) -> None:
        self.answers: list[tuple[str, dict[str, Any]]] = []  # text, result

    async def ask(self, seed: int) -> None:
        random_ = random.Random(seed)
        while not self.ended:
            numbers = random_.sample(range(TEXTS), random_.choice((1, 1, 3)))
            body = {
                "tasks": [{"id": n, "data": {"text": text(n)}, "project": 1} for n in numbers],
                "project": NAME,
                "label_config": to_xml(BOOK),
                "params": {"context": None},
            }
            response = await self.client.post(f"/ls/{self.world.key}/predict", json=body)
            assert response.status_code == 200, response.text
            results = response.json()["results"]
            assert len(results) == len(numbers)
            self.answers += zip(map(text, numbers), results, strict=True)

    async def swap(self, store: Store, made: dict[int, str]) -> None:
        """Move the pointer again and again, each time when the release that it points to has answered."""
        ids = list(made)
        async with asyncio.timeout(300):
            await self._answered(made[ids[0]])
            for turn in range(1, SWAPS + 1):
                release_id = ids[turn % len(ids)]
                await asyncio.to_thread(_point, store, self.world, release_id)
                await self._answered(made[release_id])
        self.ended = True

    async def _answered(self, release: str) -> None:
        """Wait for some more answers, one of them this release's."""
        start = len(self.answers)
        while len(self.answers) < start + 2 * CLIENTS or release not in self._named(start):
            await asyncio.sleep(0.005)

    def _named(self, start: int) -> set[str]:
        return {str(result.get("model_version")) for _, result in self.answers[start:]}


def text(number: int) -> str:
    random_ = random.Random(number)
    return "".join(random_.choices("abcdefgh no", k=random_.randint(3, 60))) + f" {number}"


def _point(store: Store, world: World, release_id: int) -> None:
    with store.writing() as s:
        releases.point(s, world.project_id, s.get_one(Release, release_id), by="test", reason="A swap.")


def _releases(store: Store, world: World, engine: CausalEngine, adapters: list[Path | None]) -> dict[int, str]:
    """A release of each adapter, as a promotion leaves them: id -> name."""
    made: dict[int, str] = {}
    with store.writing() as s:
        project, revision = s.get_one(Project, world.project_id), revisions.current(s, world.project_id)
        assert revision is not None
        for folder in adapters:
            digest = adapter.digest(folder) if folder else ""
            if folder:
                s.add(Adapter(project_id=project.id, digest=digest, path=str(folder), manifest={}))
            mine = engine.identity
            scorer = releases.scorer(
                s,
                engine=mine.engine,
                base=mine.base,
                base_digest=mine.digest,
                adapter_digest=digest,
                prompt_hash=mine.prompt,
                scoring_hash=BOOK.scoring_hash,
                dtype=mine.dtype,
                method=mine.method,
            )
            release = releases.release(s, project.id, scorer, revision, order_policy=POLICY)
            made[release.id] = release.name
    return made


async def _under_load(app: Any, world: World, store: Store, made: dict[int, str]) -> list[tuple[str, dict[str, Any]]]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 50000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9090", timeout=60) as client,
    ):
        load = Load(client, world)
        async with asyncio.TaskGroup() as group:
            for seed in range(CLIENTS):
                group.create_task(load.ask(seed))
            group.create_task(load.swap(store, made))
    return load.answers


def test_twenty_swaps_under_load(
    engine: CausalEngine, adapters: list[Path | None], tmp_path: Path, empty_store: Path
) -> None:
    (tmp_path / FILE).write_bytes(empty_store.read_bytes())
    settings = load(home=tmp_path, database_url=sqlite_url(tmp_path), engine="causal", predict_deadline=60)
    store = Store(settings.database_url)
    world = make_world(store, codebook=BOOK)
    made = _releases(store, world, engine, adapters)
    _point(store, world, next(iter(made)))

    answers = asyncio.run(_under_load(create_app(settings, engine=engine), world, store, made))

    named = {result["model_version"] for _, result in answers}
    names = {name: n for n, name in enumerate(made.values())}
    assert named == names.keys(), "every release answered, and no other"
    assert len(answers) > SWAPS * CLIENTS
    state = Catalogue(store, engine.identity).state(world.key)
    offline = CausalEngine(engine.weights, device="cpu")
    apart = [_expected(offline, state, folder, sorted({words for words, _ in answers})) for folder in adapters]
    for words, result in answers:
        regions, score = apart[names[result["model_version"]]][words]
        (found,), (one,) = result["result"], regions
        assert found["value"] == one["value"]
        assert found["score"] == pytest.approx(one["score"], abs=1e-4)
        assert result["score"] == pytest.approx(score, abs=1e-4)
    assert len({str(apart[n][words][0][0]["value"]) for n in range(5) for words in apart[0]}) > 1
    _check_stored(store, offline, adapters)
    store.close()


def _expected(
    offline: CausalEngine, state: ProjectState, folder: Path | None, words: list[str]
) -> dict[str, tuple[list[Any], float]]:
    """What another engine, in peace, suggests with an adapter: by text the regions, and the place in the queue."""
    (one,) = asked(offline, state.codebook, state.question_ids)
    scores = offline.score(one.question, [(text,) for text in words], folder).log_probabilities
    found = {}
    for text, row in zip(words, scores, strict=True):
        regions, margins = read(state.codebook, [(one, row)], {})
        found[text] = (regions, order_score("work", None, margins))
    return found


def _check_stored(store: Store, offline: CausalEngine, adapters: list[Path | None]) -> None:
    """The log-probabilities that were stored are those of the scorer they are stored under."""
    by_digest = {adapter.digest(folder) if folder else "": folder for folder in adapters}
    with store.reading() as s:
        rows = s.execute(
            select(Scorer.adapter_digest, Text.content_hash, Prediction.log_probabilities)
            .join(Prediction, Prediction.scorer_id == Scorer.id)
            .join(Text, Text.id == Prediction.text_id)
        ).all()
    by_hash = {content_hash((text(n),)): text(n) for n in range(TEXTS)}
    assert {digest for digest, _, _ in rows} == set(by_digest)
    for digest, folder in by_digest.items():
        mine = [(by_hash[content], values) for d, content, values in rows if d == digest]
        scores = offline.score(question(), [(words,) for words, _ in mine], folder).log_probabilities
        found = np.stack([np.frombuffer(values, dtype="<f8") for _, values in mine])
        np.testing.assert_allclose(found, scores, atol=1e-4)
