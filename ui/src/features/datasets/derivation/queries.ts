import { useMutation, useQueryClient } from "@tanstack/react-query";
import { callJob } from "@/api/call";
import { answer, answerOrJob, api, idempotency, type Outcome, type Schema } from "@/api/client";
import { finished } from "@/api/jobs";
import { DATASETS, type DatasetDetail, type Derivation, datasetQueries } from "@/features/datasets/queries";
import { type Task, useTask } from "@/hooks/use-task";

export type FixBody = Partial<Omit<Schema<"FixRequest">, "preview">>;
export interface PersonalBody {
  actions: Record<string, "mask" | "redact" | "pseudonymise" | "drop">;
}
interface Bodies {
  fix: FixBody;
  personal: PersonalBody;
}
/** The ways to make a version that can be looked at before. */
export type Way = keyof Bodies;

type Ask<W extends Way> = (id: number, body: Bodies[W], preview: boolean) => Promise<Outcome<Derivation>>;

const params = (id: number, preview: boolean) => ({ path: { id }, query: { wait: preview ? 10 : 2 } });

const WAYS: { [W in Way]: Ask<W> } = {
  fix: (id, fixes, preview) => {
    const body = { codes: [], rows: [], findings: [], ...fixes, preview };
    const init = { params: params(id, preview), headers: idempotency(), body };
    return answerOrJob(api.POST(`${DATASETS}/{id}/fixes`, init));
  },
  personal: (id, body, preview) =>
    callJob("POST", `${DATASETS}/${id}/pii/apply`, { body: { ...body, preview }, query: { wait: 5 } }),
};

/** Asks what would be done, without doing it. */
export function usePreview<W extends Way>(id: number, way: W) {
  return useMutation({ mutationFn: async (body: Bodies[W]) => finished(await WAYS[way](id, body, true)) });
}

/** Makes a version. The work is followed across a refresh. */
export function useDerive<W extends Way>(
  dataset: DatasetDetail,
  way: W,
  onDone: (made: Derivation) => void,
): Task<Bodies[W], Derivation> {
  const client = useQueryClient();
  return useTask<Bodies[W], Derivation>({
    key: `${way}.${dataset.id}`,
    send: (body) => WAYS[way](dataset.id, body, false),
    onDone,
    onSettled: () => void client.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}

/** Takes a version back: it is archived, and the one that it was made from is answered. */
export function useUndo(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => {
      const init = { params: { path: { id } }, headers: idempotency() };
      return answer(api.POST(`${DATASETS}/{id}/undo`, init));
    },
    onSettled: () => client.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}
