import { useQueryClient } from "@tanstack/react-query";
import { JobProgress } from "@/components/job-progress";
import { useEndJob } from "@/features/jobs/queries";
import { useI18n } from "@/i18n";
import { type DatasetDetail, datasetQueries, isBusy } from "./queries";

/** The rows are being checked: how far it is. When it has ended, everything on the page is asked for again. */
export function CheckProgress({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const end = useEndJob();
  if (!isBusy(dataset) || dataset.job_id === null) return null;
  const job = dataset.job_id;
  return (
    <JobProgress
      key={job}
      job={job}
      title={t("data.checking")}
      className="mb-5"
      onCancel={() => end.mutate({ id: job, how: "cancel" })}
      onEnd={() => void client.invalidateQueries({ queryKey: datasetQueries.all() })}
    />
  );
}
