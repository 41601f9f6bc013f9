import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type DatasetDetail, datasetQueries } from "./queries";

/** The dataset that the page is about. The frame of the page has loaded it before any tab is shown. */
export function useDataset(): DatasetDetail {
  const { id } = useParams({ strict: false });
  return useSuspenseQuery(datasetQueries.detail(Number(id))).data;
}
