"""Explore a dataset, and count its tokens: each once for the same content."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel

from tunesmith.domains.datasets.exploration import EdaAnswer, Pass, Question, explored
from tunesmith.domains.datasets.exploration.document import Explored
from tunesmith.domains.datasets.explorations import ExplorationService, TokenizerInUse
from tunesmith.domains.datasets.schemas.tokens import TokenAnalysis, TokenAnalysisRequest
from tunesmith.domains.datasets.tasks.watching import Watch, run_watched
from tunesmith.domains.datasets.tokens import Counted, count_tokens, counted
from tunesmith.domains.jobs import JobContext, JobKind


class ExploreSpec(Question):
    """An exploration of one dataset, and what of it is the answer."""

    dataset_id: int = Field(description="Dataset to explore.")


class TokensSpec(TokenAnalysisRequest):
    """A count of one dataset's tokens."""

    dataset_id: int = Field(description="Dataset to count.")


class ExploreResult(RootModel[Annotated[EdaAnswer, Field(discriminator="view")]]):
    """The view that was asked for."""


def kinds(explorations: ExplorationService) -> list[JobKind]:
    """The kinds of jobs that explore and count."""
    task = _Exploration(explorations)
    return [
        JobKind("explore", ExploreSpec, ExploreResult, task.explore),
        JobKind("analyze-tokens", TokensSpec, TokenAnalysis, task.analyze_tokens),
    ]


class _Exploration:
    def __init__(self, explorations: ExplorationService) -> None:
        self._explorations = explorations
        self._datasets = explorations.datasets

    async def explore(self, context: JobContext) -> ExploreResult:
        """One pass over the rows, unless this content has been explored; answers the view."""
        spec = context.spec
        assert isinstance(spec, ExploreSpec)
        question = Question.model_validate(spec.model_dump(exclude={"dataset_id"}))
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
        answer = await self._explorations.find_view(row, question)
        if answer is None:
            source = await self._datasets.source_of(row)

            def work(watch: Watch) -> Explored:
                return explored(Pass().run(source, watch.look), watch.check)

            made = await run_watched(context, work, source.path.stat().st_size)
            await self._explorations.keep(row, made, context.folder)
            answer = await self._explorations.find_view(row, question)
            assert answer is not None
        return ExploreResult(answer)

    async def analyze_tokens(self, context: JobContext) -> TokenAnalysis:
        """One pass over the rows, unless this content has been counted with this tokenizer; answers the analysis."""
        spec = context.spec
        assert isinstance(spec, TokensSpec)
        asked = TokenAnalysisRequest.model_validate(spec.model_dump(exclude={"dataset_id"}))
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, spec.dataset_id)
            tokenizer = await self._explorations.tokenizer_of(unit, spec.model)
        answer = await self._explorations.find_tokens(row, asked, tokenizer)
        if answer is None:
            await self._count(context, spec.dataset_id, tokenizer)
            answer = await self._explorations.find_tokens(row, asked, tokenizer)
            assert answer is not None
        return answer

    async def _count(self, context: JobContext, dataset_id: int, tokenizer: TokenizerInUse) -> None:
        async with context.read() as unit:
            row = await self._datasets.get_row(unit, dataset_id)
        source = await self._datasets.source_of(row)

        def work(watch: Watch) -> Counted:
            return counted(count_tokens(source, tokenizer.tokenization, watch.look))

        kept = await run_watched(context, work, source.path.stat().st_size)
        await self._explorations.keep_tokens(row, tokenizer, kept, context.folder)
