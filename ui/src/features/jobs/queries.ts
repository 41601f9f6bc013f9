import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "@/api/client";
import { ApiError } from "@/api/errors";

export type Job = Schema<"JobView">;

const PATH = "/api/v1/admin/jobs";
const ACTIVE = new Set<string>(["waiting", "queued", "running", "stopping"]);
const POLL_MS = 500;

export const isActive = (state: string) => ACTIVE.has(state);

export const jobQueries = {
  all: () => ["jobs"] as const,
  detail: (id: number) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "detail", id],
      queryFn: ({ signal }) => answer(api.GET(`${PATH}/{job_id}`, { signal, params: { path: { job_id: id } } })),
      refetchInterval: ({ state }) => (state.data && isActive(state.data.state) ? 1_500 : false),
    }),
  graph: (id: number) =>
    queryOptions({
      queryKey: [...jobQueries.all(), "graph", id],
      queryFn: ({ signal }) => answer(api.GET(PATH, { signal, params: { query: { graph_id: id, page_size: 50 } } })),
      refetchInterval: ({ state }) => (state.data?.items.some((job) => isActive(job.state)) ? 1_500 : false),
    }),
};

/** Waits until a job has ended; one that did not succeed is thrown with its own reason. */
export async function waitForJob(id: number): Promise<Job> {
  while (true) {
    const job = await answer(api.GET(`${PATH}/{job_id}`, { params: { path: { job_id: id } } }));
    if (job.state === "succeeded") return job;
    if (!isActive(job.state)) throw jobFailure(job);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function jobFailure(job: Job): ApiError {
  const type = job.error?.code ?? `job-${job.state}`;
  return new ApiError({
    type,
    status: 409,
    title: job.name,
    detail: job.error?.message ?? "",
    hint: job.error?.hint ?? null,
  });
}
