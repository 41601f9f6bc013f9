import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { callJob } from "@/api/call";
import { answer, api, type Schema } from "@/api/client";
import { DATASETS, type DatasetDetail, datasetQueries } from "@/features/datasets/queries";
import { type Task, useTask } from "@/hooks/use-task";

export type MappingProposal = Schema<"ColumnMappingResponse">;

export function proposeMapping(body: Schema<"ColumnMappingRequest">, signal?: AbortSignal): Promise<MappingProposal> {
  return answer(api.POST(`${DATASETS}/mapping`, { body, ...(signal && { signal }) }));
}

export const mappingQueries = {
  ofUpload: (id: number) =>
    queryOptions({
      queryKey: ["uploads", "mapping", id],
      queryFn: ({ signal }) => proposeMapping({ upload_id: id }, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  ofDataset: (dataset: DatasetDetail) =>
    queryOptions({
      queryKey: [...datasetQueries.all(), "mapping", dataset.id],
      queryFn: ({ signal }) => proposeMapping({ dataset_id: dataset.id }, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
};

const SURE = 0.9;

/** Whether somebody should look at a proposal before it is used. */
export const needsAPerson = (proposal: MappingProposal) => !proposal.saved && proposal.confidence < SURE;

interface Remap {
  format: string;
  mapping: Record<string, string>;
}

/** Reads the file anew under another mapping, and has it checked again. */
export function useRemap(dataset: DatasetDetail, onDone: (id: number) => void): Task<Remap, DatasetDetail> {
  const client = useQueryClient();
  return useTask<Remap, DatasetDetail>({
    key: `mapping.${dataset.id}`,
    send: (body) => callJob<DatasetDetail>("PUT", `${DATASETS}/${dataset.id}/mapping`, { body }),
    onDone: (made) => onDone(made.id ?? dataset.id),
    onSettled: () => void client.invalidateQueries({ queryKey: datasetQueries.all() }),
  });
}
