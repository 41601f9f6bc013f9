import { answer, answerOrJob, api, idempotency } from "@/api/client";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
interface Options {
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

/** One call by its address, for paths that are put together at run time. */
function raw(method: Method, path: string, { query, body, signal }: Options) {
  const headers = method === "GET" ? {} : idempotency();
  return (api as never as Record<Method, (path: string, init: unknown) => Promise<never>>)[method](path, {
    signal,
    headers,
    body,
    params: { query },
  });
}

export const call = <T>(method: Method, path: string, options: Options = {}) => answer<T>(raw(method, path, options));
export const callJob = <T>(method: Method, path: string, options: Options = {}) =>
  answerOrJob<T>(raw(method, path, options));
