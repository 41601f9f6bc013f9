import type { Schema } from "@/api/client";
import { type Problem, toApiError } from "@/api/errors";
import { openStream } from "@/api/stream";

export interface ChatParameters {
  temperature: number;
  top_p: number;
  max_tokens: number;
  seed: number | null;
  stop: string[];
}

export type ChatAnswer = Schema<"ChatAnswer">;

/** A piece of an answer as it grows. */
export interface ChatEvent {
  type: "start" | "delta" | "reasoning" | "end" | "error";
  text?: string | null;
  context?: Schema<"ContextUse"> | null;
  answer?: ChatAnswer | null;
  error?: Problem | null;
}

export type AnswerRequest = Partial<ChatParameters> & {
  message?: string;
  edit_of?: number;
  regenerate?: number;
};

/** One answer in a conversation, event by event; what fails on the way is thrown. */
export async function* streamAnswer(
  conversation: number,
  request: AnswerRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const { seed, ...rest } = request;
  const body = { ...rest, ...(typeof seed === "number" && { seed }), stream: true };
  const events = await openStream(`/api/v1/admin/conversations/${conversation}/answers`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  for await (const { data } of events ?? []) {
    const event = JSON.parse(data) as ChatEvent;
    if (event.type === "error") throw toApiError(500, event.error);
    yield event;
  }
}
