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
    prompt: Annotated[str | None, typer.Argument(help="Ask this and end; without it a conversation begins.")] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 256,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0 always takes the likeliest token.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Seed, for the same answer again.")] = None,
    as_json: AsJson = False,
) -> None:
    """Talk to a model."""
    from tunesmith.cli.output import print_json
    from tunesmith.cli.train import absolute_model

    if as_json and prompt is None:
        raise CommandError("An interactive chat has no --json.", 'Give a prompt: tunesmith chat MODEL "…" --json')
    start = [{"role": "system", "content": system}] if system else []
    request = {"model": absolute_model(model), "max_tokens": max_tokens, "temperature": temperature, "seed": seed}
    request = {k: v for k, v in request.items() if v is not None}

    async def body(session: Session) -> dict[str, Any] | None:
        if prompt is None:
            await _converse(session, request, start)
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


async def _converse(session: Session, request: dict[str, Any], start: list[dict[str, str]]) -> None:
    import anyio

    from tunesmith.cli.output import note

    note("[dim]An empty line or Ctrl-D ends the conversation; /reset starts again.[/]")
    messages = list(start)
    while True:
        try:
            text = (await anyio.to_thread.run_sync(input, "› ")).strip()
        except EOFError:
            return
        if not text:
            return
        if text == "/reset":
            messages = list(start)
            continue
        messages.append({"role": "user", "content": text})
        answer = await _say(session, request | {"messages": messages})
        messages.append({"role": "assistant", "content": answer})
