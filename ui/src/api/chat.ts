import { ApiError, toApiError } from "@/api/errors";
import { openStream } from "@/api/stream";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatParameters {
  temperature: number;
  top_p: number;
  max_tokens: number;
  seed: number | null;
}

export interface ChatPiece {
  text?: string;
  finish?: string;
  /** Tokens of the answer, as the server counted them. */
  tokens?: number;
}

interface Chunk {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  usage?: { completion_tokens?: number } | null;
  error?: { message?: string; code?: string; type?: string };
}

/** One answer, piece by piece, in the protocol of OpenAI's chat completions. */
export async function* streamChat(
  model: string,
  messages: ChatMessage[],
  parameters: ChatParameters,
  signal: AbortSignal,
): AsyncGenerator<ChatPiece> {
  const { seed, ...rest } = parameters;
  const body = {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...rest,
    ...(seed !== null && { seed }),
  };
  const events = await openStream("/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  for await (const { data } of events ?? []) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data) as Chunk & Record<string, unknown>;
    if (chunk.error) throw midStreamError(chunk.error);
    if ("title" in chunk && "status" in chunk) throw toApiError(500, chunk);
    const choice = chunk.choices?.[0];
    const piece: ChatPiece = {
      ...(choice?.delta?.content && { text: choice.delta.content }),
      ...(choice?.finish_reason && { finish: choice.finish_reason }),
      ...(typeof chunk.usage?.completion_tokens === "number" && { tokens: chunk.usage.completion_tokens }),
    };
    yield piece;
  }
}

function midStreamError(error: NonNullable<Chunk["error"]>): ApiError {
  const type = error.code ?? error.type ?? "generation";
  return new ApiError({ type, title: error.message ?? type, status: 500, detail: error.message ?? "" });
}
