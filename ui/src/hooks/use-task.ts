import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { waitForResult } from "@/api/jobs";
import { useStoredState } from "@/hooks/use-stored-state";

interface TaskOptions<B, R> {
  /** Names the task in this tab: a refresh finds the job that is still at work. */
  key: string;
  send: (body: B) => Promise<{ done: R } | { job: number }>;
  onDone?: (result: R) => void;
  onSettled?: () => void;
}

export interface Task<B, R> {
  start: (body: B) => void;
  /** The job that does the work, when it takes longer than a moment. */
  job: number | null;
  isPending: boolean;
  data: R | undefined;
  error: unknown;
  reset: () => void;
}

type Ask<B> = { body: B } | { job: number };

/** Work that is asked of the server and may take long: it is followed to its end, also across a refresh. */
export function useTask<B, R>({ key, send, onDone, onSettled }: TaskOptions<B, R>): Task<B, R> {
  const [job, setJob] = useStoredState<number | null>(`tunesmith.task.${key}`, null);
  const { mutate, ...mutation } = useMutation({
    mutationFn: async (ask: Ask<B>): Promise<R> => {
      const outcome = "job" in ask ? ask : await send(ask.body);
      if ("done" in outcome) return outcome.done;
      setJob(outcome.job);
      return waitForResult<R>(outcome.job);
    },
    onSettled: () => {
      setJob(null);
      onSettled?.();
    },
  });
  const done = useRef(onDone);
  done.current = onDone;
  const follow = useRef((ask: Ask<B>) => mutate(ask, { onSuccess: (result) => done.current?.(result) }));
  const left = useRef(job);
  useEffect(() => {
    if (left.current !== null) follow.current({ job: left.current });
    left.current = null;
  }, []);
  return {
    start: (body) => follow.current({ body }),
    job,
    isPending: mutation.isPending,
    data: mutation.data,
    error: mutation.error,
    reset: mutation.reset,
  };
}
