import createClient from "openapi-fetch";
import { toApiError, unreachable } from "@/api/errors";
import type { components, paths } from "@/api/schema";

export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** The server's calls, typed by its OpenAPI document. Always used through `answer`. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => globalThis.fetch(request),
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a call that went well; every other end is thrown as an `ApiError`. */
export async function answer<T>(call: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await outcome(call);
  if (!response.ok) throw toApiError(response.status, error);
  return data as T;
}

export type Outcome<T> = { done: T } | { job: number };
/** What a call answers when it is done at once. */
type Done<T> = Exclude<T, components["schemas"]["Accepted"]>;

/** Like `answer` for calls that may say "accepted": `job` names the job that does the work. */
export async function answerOrJob<T>(call: Promise<Answered<T>>): Promise<Outcome<Done<T>>> {
  const { data, error, response } = await outcome(call);
  if (!response.ok) throw toApiError(response.status, error);
  if (response.status === 202) return { job: (data as { job_id: number }).job_id };
  return { done: data as Done<T> };
}

async function outcome<T>(call: Promise<Answered<T>>): Promise<Answered<T>> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
}

/** A header that makes a repeated POST safe: the server gives the first answer again. */
export function idempotency(): { "Idempotency-Key": string } {
  // randomUUID exists only on https and localhost; a phone on the same network uses plain http.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { "Idempotency-Key": Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
