import { useQueryClient } from "@tanstack/react-query";
import { JobProgress } from "@/components/job-progress";
import { useI18n } from "@/i18n";
import { type DatasetDetail, datasetQueries, isBusy, useCancelJob } from "./queries";

/** The rows are being checked: how far it is. When it has ended, everything on the page is asked for again. */
export function CheckProgress({ dataset }: { dataset: DatasetDetail }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const cancel = useCancelJob();
  if (!isBusy(dataset) || dataset.job_id === null) return null;
  const job = dataset.job_id;
  return (
    <JobProgress
      key={job}
      job={job}
      title={t("data.checking")}
      className="mb-5"
      onCancel={() => cancel.mutate(job)}
      onEnd={() => void client.invalidateQueries({ queryKey: datasetQueries.all() })}
    />
  );
}
