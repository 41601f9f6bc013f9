import { answerOrJob, api, idempotency, type Schema } from "@/api/client";
import { DATASETS } from "@/features/datasets/queries";

export type SplitBody = Schema<"DatasetSplitRequest">;
export type SplitResult = Schema<"DatasetSplitResponse">;

export function sendSplit(id: number, body: SplitBody) {
  const params = { path: { id }, query: { wait: 2 } };
  return answerOrJob(api.POST(`${DATASETS}/{id}/split`, { params, body, headers: idempotency() }));
}
