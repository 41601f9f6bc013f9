import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { type AnswerRequest, type ChatParameters, streamAnswer } from "@/api/chat";
import { answer, api } from "@/api/client";
import { asApiError, type Problem } from "@/api/errors";
import {
  CONVERSATIONS,
  type ConversationDetail,
  chatQueries,
  createConversation,
  type StoredTurn,
  updateConversation,
} from "./queries";

/** A turn as it is shown: kept by the server, or growing. */
export interface ShownTurn {
  /** Null until the server has said it. */
  id: number | null;
  role: "user" | "assistant";
  content: string;
  reasoning?: string | null;
  stored?: StoredTurn;
  /** Other versions of it, oldest first, itself included. */
  versions: number[];
  problem?: Problem;
}

export interface Ask {
  system: string;
  parameters: ChatParameters;
  prompt?: string;
  editOf?: number;
  regenerate?: number;
}

export interface Chat {
  id: number | undefined;
  detail: ConversationDetail | undefined;
  turns: ShownTurn[];
  isAnswering: boolean;
  /** What was left out of the last prompt, if anything. */
  dropped: number;
  error: unknown;
  ask: (ask: Ask) => Promise<void>;
  stop: () => void;
  show: (turn: number) => Promise<void>;
  rate: (turn: number, rating: "good" | "bad" | null) => Promise<void>;
}

interface Live {
  before: ShownTurn[];
  question: ShownTurn;
  reply: ShownTurn;
  dropped: number;
}

/** One model's conversation: kept by the server, with the answer that is coming in on top. */
export function useConversation(model: string, id: number | undefined, onBegin: (id: number) => void): Chat {
  const client = useQueryClient();
  const query = useQuery(chatQueries.conversation(id));
  const detail = id === undefined ? undefined : query.data;
  const [live, setLive] = useState<Live | null>(null);
  const abort = useRef<AbortController>(null);
  const stored = detail ? pathOf(detail) : [];

  const keep = useCallback(
    (found: ConversationDetail) => client.setQueryData(chatQueries.conversation(found.id).queryKey, found),
    [client],
  );

  const ask = async ({ system, parameters, prompt, editOf, regenerate }: Ask) => {
    const controller = new AbortController();
    abort.current = controller;
    const { before, question } = placeOf(stored, prompt ?? "", editOf, regenerate);
    let now: Live = { before, question, reply: blank("assistant"), dropped: 0 };
    const show = (change: Partial<ShownTurn>) => {
      now = { ...now, reply: { ...now.reply, ...change } };
      setLive(now);
    };
    show({});
    let conversation = id;
    try {
      conversation = await ready(model, id, detail, system);
      const request: AnswerRequest = {
        ...parameters,
        ...(regenerate === undefined ? { message: prompt ?? "" } : { regenerate }),
        ...(editOf !== undefined && { edit_of: editOf }),
      };
      for await (const event of streamAnswer(conversation, request, controller.signal)) {
        if (event.type === "start") now = { ...now, dropped: event.context?.dropped_turns ?? 0 };
        if (event.type === "delta") show({ content: now.reply.content + (event.text ?? "") });
        if (event.type === "reasoning") show({ reasoning: (now.reply.reasoning ?? "") + (event.text ?? "") });
      }
    } catch (error) {
      if (!controller.signal.aborted) show({ problem: asApiError(error).problem });
    }
    if (conversation !== undefined) {
      const found = await client
        .fetchQuery({ ...chatQueries.conversation(conversation), staleTime: 0 })
        .catch(() => undefined);
      void client.invalidateQueries({ queryKey: ["chat", "conversations"] });
      if (conversation !== id) onBegin(conversation);
      // A refusal leaves nothing behind on the server, so it is shown until the next question.
      const isKept = found && (!now.reply.problem || found.turns.length > (detail?.turns.length ?? 0));
      setLive(isKept ? null : now);
    } else setLive(now);
    abort.current = null;
  };

  return {
    id,
    detail,
    turns: live ? [...live.before, live.question, live.reply] : stored,
    isAnswering: live !== null && live.reply.problem === undefined,
    dropped: live?.dropped || (stored.at(-1)?.stored?.dropped_turns ?? 0),
    error: query.error,
    ask,
    stop: () => abort.current?.abort(),
    show: async (turn) => {
      if (id !== undefined) keep(await updateConversation(id, { current_turn_id: turn }));
      setLive(null);
    },
    rate: async (turn, rating) => {
      if (id === undefined) return;
      const path = { conversation_id: id, turn_id: turn };
      await answer(
        api.PUT(`${CONVERSATIONS}/{conversation_id}/turns/{turn_id}/rating`, { params: { path }, body: { rating } }),
      );
      await client.invalidateQueries({ queryKey: chatQueries.conversation(id).queryKey });
    },
  };
}

/** The conversation to ask in: begun now if there is none, told the system prompt if that has changed. */
async function ready(model: string, id: number | undefined, detail: ConversationDetail | undefined, system: string) {
  const prompt = system.trim() || null;
  if (id === undefined) {
    return (await createConversation({ model, system_prompt: prompt, parameters: {}, overflow: "drop" })).id;
  }
  if (detail && (detail.system_prompt ?? null) !== prompt) await updateConversation(id, { system_prompt: prompt });
  return id;
}

function blank(role: "user" | "assistant", content = ""): ShownTurn {
  return { id: null, role, content, versions: [] };
}

/** Which turns stay in sight, and the question that is answered. */
function placeOf(turns: ShownTurn[], prompt: string, editOf?: number, regenerate?: number) {
  if (regenerate !== undefined) {
    const at = turns.findIndex((turn) => turn.id === regenerate);
    return { before: turns.slice(0, at - 1), question: turns[at - 1] ?? blank("user") };
  }
  const at = editOf === undefined ? turns.length : turns.findIndex((turn) => turn.id === editOf);
  return { before: turns.slice(0, at), question: blank("user", prompt) };
}

/** The turns of the branch that is read. */
export function pathOf(detail: ConversationDetail): ShownTurn[] {
  const byId = new Map(detail.turns.map((turn) => [turn.id, turn]));
  return detail.path.flatMap((turnId) => {
    const turn = byId.get(turnId);
    if (!turn) return [];
    const versions = detail.turns
      .filter((other) => other.parent_id === turn.parent_id && other.role === turn.role)
      .map((other) => other.id);
    const { id, role, content, reasoning } = turn;
    return [
      {
        id,
        role,
        content,
        reasoning,
        stored: turn,
        versions,
        ...(turn.error && { problem: turn.error as unknown as Problem }),
      },
    ];
  });
}
