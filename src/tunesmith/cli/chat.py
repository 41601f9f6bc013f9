"""`tunesmith chat`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.options import CommandError
from tunesmith.cli.runner import AsJson, in_session

if TYPE_CHECKING:
    from tunesmith.cli.session import Session


def chat(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="tunesmith/tiny, name@version, run:ID, a folder or a local Hub id.")],
    prompt: Annotated[
        str | None, typer.Argument(help="Ask this and end (- reads it from stdin); without it a conversation begins.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 256,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0 always takes the likeliest token.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Seed, for the same answer again.")] = None,
    top_p: Annotated[float, typer.Option(min=0.01, max=1, help="Draw from the likeliest tokens of this share.")] = 1.0,
    stop: Annotated[list[str] | None, typer.Option(help="The answer ends before this text; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Talk to a model. In a conversation: /system, /clear, /stats, /exit; Ctrl-C stops an answer."""
    from tunesmith.cli.output import print_json
    from tunesmith.cli.train import absolute_model

    if as_json and prompt is None:
        raise CommandError("An interactive chat has no --json.", 'Give a prompt: tunesmith chat MODEL "…" --json')
    if prompt == "-":
        prompt = sys.stdin.read().strip()
        if not prompt:
            raise CommandError("There is no question on stdin.", 'Try: echo "…" | tunesmith chat MODEL -')
    start = [{"role": "system", "content": system}] if system else []
    parameters = {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p, "seed": seed, "stop": stop}
    parameters = {k: v for k, v in parameters.items() if v is not None}
    reference = absolute_model(model)
    request = parameters | {"model": reference}

    async def body(session: Session) -> dict[str, Any] | None:
        if prompt is None:
            from tunesmith.cli.conversing import converse

            await converse(session, reference, system, parameters)
            return None
        messages = [*start, {"role": "user", "content": prompt}]
        if as_json:
            return await session.client.chat(request | {"messages": messages})
        await _say(session, request | {"messages": messages})
        return None

    answer = in_session(ctx, body)
    if answer is not None:
        choice = answer["choices"][0]
        print_json(
            {
                "model": answer["model"],
                "answer": choice["message"]["content"],
                "finish_reason": choice["finish_reason"],
                "usage": answer["usage"],
            }
        )


async def _say(session: Session, request: dict[str, Any]) -> str:
    answer = ""
    async for piece in session.client.stream_chat(request):
        for choice in piece.get("choices", []):
            text = choice.get("delta", {}).get("content") or ""
            answer += text
            sys.stdout.write(text)
            sys.stdout.flush()
    sys.stdout.write("\n")
    return answer
