"""A conversation in the terminal; it is kept like any other, and can be read on in the browser."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from tunesmith.cli.output import note
from tunesmith.client import ApiError, Conversation

if TYPE_CHECKING:
    from tunesmith.cli.session import Session

HELP = (
    "[dim]/system TEXT changes the system prompt, /clear begins anew, /stats counts tokens, /exit (or Ctrl-D) ends.[/]"
)


async def converse(session: Session, model: str, system: str | None, parameters: dict[str, Any]) -> None:
    """Ask until the person leaves."""
    talk = Talk(session, model, system, parameters)
    note(HELP)
    while True:
        text = await read_line("› ")
        if text is None or not text.strip() or text.strip() in ("/exit", "/quit"):
            return
        if text.startswith("/"):
            await talk.command(*text.strip().partition(" ")[::2])
        else:
            await talk.say(text.strip())


class Talk:
    """The conversation that goes on."""

    def __init__(self, session: Session, model: str, system: str | None, parameters: dict[str, Any]) -> None:
        self._client = session.client
        self._model = model
        self._system = system
        self._parameters = parameters
        self._conversation: Conversation | None = None

    async def command(self, name: str, rest: str) -> None:
        """A line that begins with a slash."""
        if name in ("/clear", "/reset"):
            self._conversation = None
            note("[dim]A new conversation begins.[/]")
        elif name == "/system":
            if rest:
                self._system = rest
                if self._conversation:
                    await self._conversation.change(system_prompt=rest)
            note(f"[dim]System prompt: {escape(self._system or 'none')}[/]")
        elif name == "/stats":
            await self._stats()
        else:
            note(HELP)

    async def say(self, text: str) -> None:
        """Ask, and write the answer as it grows; Ctrl-C stops it and leaves the conversation open."""
        if self._conversation is None:
            self._conversation = await Conversation.begin(self._client, model=self._model, system_prompt=self._system)
        answering = asyncio.ensure_future(self._write(self._conversation, text))
        try:
            with _interrupts(answering):
                await answering
        except asyncio.CancelledError:
            if not answering.cancelled():
                raise
            note("[dim](stopped)[/]")
        except ApiError as error:  # a message that is refused ends no conversation
            note(f"[red]{escape(error.detail)}[/] {escape(error.hint)}")

    async def _write(self, conversation: Conversation, text: str) -> None:
        is_reasoning = False
        async for event in conversation.answer(message=text, **self._parameters):
            if event["type"] == "reasoning":
                is_reasoning = True
                sys.stderr.write(event["text"])
                sys.stderr.flush()
            elif event["type"] == "delta":
                if is_reasoning:
                    is_reasoning = False
                    sys.stderr.write("\n")
                sys.stdout.write(event["text"])
                sys.stdout.flush()
            elif event["type"] == "start" and (said := (event.get("context") or {}).get("message")):
                note(f"[dim]{said}[/]")
        sys.stdout.write("\n")
        sys.stdout.flush()

    async def _stats(self) -> None:
        if self._conversation is None:
            note("[dim]Nothing has been said yet.[/]")
            return
        found = await self._conversation.get()
        counted = [turn for turn in found["turns"] if turn["completion_tokens"] is not None]
        wrote = sum(turn["completion_tokens"] for turn in counted)
        seconds = sum(turn["seconds"] or 0 for turn in counted)
        last = counted[-1] if counted else None
        used = last["prompt_tokens"] + last["completion_tokens"] if last else 0
        context = f" of {last['context_length']}" if last else ""
        speed = f", {wrote / seconds:.1f} tokens/s" if seconds else ""
        note(
            f"[dim]{len(found['path'])} turns, {wrote} tokens written{speed}; {used}{context} tokens of the context.[/]"
        )


@contextlib.contextmanager
def _interrupts(answering: asyncio.Future[None]) -> Any:
    """Ctrl-C cancels ``answering`` instead of the program, for as long as it runs."""
    before = signal.getsignal(signal.SIGINT)
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, answering.cancel)
    except (RuntimeError, ValueError):  # no such handlers on this system: Ctrl-C ends the program
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


async def read_line(prompt: str) -> str | None:
    """A line of the person's, None at the end of input; Ctrl-C does not have to wait for it."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str | None] = loop.create_future()

    def deliver(text: str | None) -> None:
        if not line.done():
            line.set_result(text)

    def read() -> None:
        text: str | None
        try:
            text = input(prompt)
        except EOFError:
            text = None
        with contextlib.suppress(RuntimeError):  # the loop is closed: the person has left
            loop.call_soon_threadsafe(deliver, text)

    threading.Thread(target=read, daemon=True).start()
    return await line
