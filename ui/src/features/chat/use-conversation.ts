import { useCallback, useRef, useState } from "react";
import { type ChatMessage, type ChatParameters, streamChat } from "@/api/chat";
import { asApiError, type Problem } from "@/api/errors";
import { readStored, writeStored } from "@/lib/stored";

export interface Turn extends ChatMessage {
  finish?: string;
  tokens?: number;
  /** Until the end of the answer; the first one of a model includes loading it. */
  seconds?: number;
  /** Until the first piece of it. */
  waited?: number;
  problem?: Problem;
}

interface Ask {
  prompt: string;
  system: string;
  parameters: ChatParameters;
}

export interface Conversation {
  turns: Turn[];
  isAnswering: boolean;
  ask: (ask: Ask) => Promise<void>;
  stop: () => void;
  clear: () => void;
}

/** One model's side of the chat: its turns, kept for this tab, and the answer that is coming in. */
export function useConversation(model: string, place: string): Conversation {
  const key = `tunesmith.chat.${place}.${model}`;
  const [state, setState] = useState(() => ({ key, turns: readTurns(key) }));
  const [isAnswering, setIsAnswering] = useState(false);
  const abort = useRef<AbortController>(null);
  if (state.key !== key) setState({ key, turns: readTurns(key) });
  const { turns } = state;

  const store = useCallback(
    (next: Turn[]) => {
      writeStored(key, next.length > 0 ? JSON.stringify(next) : null, "session");
      setState((old) => (old.key === key ? { key, turns: next } : old));
    },
    [key],
  );

  const ask = async ({ prompt, system, parameters }: Ask) => {
    const controller = new AbortController();
    abort.current = controller;
    const past = [...turns.filter((turn) => !turn.problem), { role: "user" as const, content: prompt }];
    const messages: ChatMessage[] = [
      ...(system.trim() ? [{ role: "system" as const, content: system }] : []),
      ...past.map(({ role, content }) => ({ role, content })),
    ];
    let reply: Turn = { role: "assistant", content: "" };
    const show = () => store([...past, reply]);
    setIsAnswering(true);
    show();
    const started = performance.now();
    try {
      for await (const piece of streamChat(model, messages, parameters, controller.signal)) {
        reply = {
          ...reply,
          content: reply.content + (piece.text ?? ""),
          seconds: (performance.now() - started) / 1000,
          ...(piece.text && reply.waited === undefined && { waited: (performance.now() - started) / 1000 }),
          ...(piece.finish && { finish: piece.finish }),
          ...(piece.tokens !== undefined && { tokens: piece.tokens }),
        };
        show();
      }
    } catch (error) {
      if (controller.signal.aborted) reply = { ...reply, finish: "stopped" };
      else reply = { ...reply, problem: asApiError(error).problem };
      show();
    } finally {
      setIsAnswering(false);
    }
  };

  return {
    turns,
    isAnswering,
    ask,
    stop: () => abort.current?.abort(),
    clear: () => {
      abort.current?.abort();
      store([]);
    },
  };
}

function readTurns(key: string): Turn[] {
  const stored = readStored(key, "session");
  if (stored === null) return [];
  try {
    return JSON.parse(stored) as Turn[];
  } catch {
    return [];
  }
}
