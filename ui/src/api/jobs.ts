import { answer, api, type Outcome, type Schema } from "@/api/client";
import { ApiError } from "@/api/errors";

export type Job = Schema<"JobView">;

const ACTIVE = new Set<string>(["waiting", "queued", "running", "stopping"]);
const POLL_MS = 500;

export const isActive = (state: string) => ACTIVE.has(state);

/** Waits until a job has ended; one that did not succeed is thrown with its own reason. */
export async function waitForJob(id: number): Promise<Job> {
  while (true) {
    const job = await answer(api.GET("/api/v1/admin/jobs/{job_id}", { params: { path: { job_id: id } } }));
    if (job.state === "succeeded") return job;
    if (!isActive(job.state)) throw jobFailure(job);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function waitForResult<R>(id: number): Promise<R> {
  return (await waitForJob(id)).result as R;
}

/** The answer itself, or the result of the job that works on it. */
export async function finished<R>(outcome: Outcome<R>): Promise<R> {
  return "done" in outcome ? outcome.done : waitForResult<R>(outcome.job);
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
