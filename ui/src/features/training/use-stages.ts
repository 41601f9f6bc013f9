import { useQuery } from "@tanstack/react-query";
import { isActive, type Job } from "@/api/jobs";
import { jobQueries } from "@/features/jobs/queries";
import type { Run } from "./queries";

/** What a recipe is compiled to, in the order in which it happens. */
const ORDER = ["split", "train", "evaluate", "register", "export"];

export interface Stage {
  kind: string;
  jobId: number;
  state: Job["state"];
  job: Job;
}

/** The jobs of a run's graph with their states and results; they go on after the training has ended. */
export function useStages(run: Run): Stage[] {
  const first = Math.min(run.id, ...run.graph.map((step) => step.job_id));
  const jobs = useQuery(jobQueries.graph(first));
  const place = (kind: string) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return (jobs.data?.items ?? [])
    .map((job) => ({ kind: job.kind, jobId: job.id, state: job.state, job }))
    .sort((a, b) => place(a.kind) - place(b.kind) || a.jobId - b.jobId);
}

export const isMoving = (stages: Stage[]) => stages.some((stage) => isActive(stage.state));
