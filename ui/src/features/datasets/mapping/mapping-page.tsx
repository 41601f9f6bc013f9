import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { JobProgress } from "@/components/job-progress";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import type { DatasetDetail } from "../queries";
import { useDataset } from "../use-dataset";
import { type Format, forFormat, missingFields } from "./fields";
import { type MappingDraft, MappingEditor } from "./mapping-editor";
import { type MappingProposal, mappingQueries, useRemap } from "./queries";

/** How the columns of this dataset are read, to be changed. The rows are then checked again. */
export function MappingPage() {
  const dataset = useDataset();
  const proposal = useQuery(mappingQueries.ofDataset(dataset));
  return (
    <QueryView query={proposal}>
      {(found) => <DatasetMapping key={dataset.id} dataset={dataset} proposal={found} />}
    </QueryView>
  );
}

function DatasetMapping({ dataset, proposal }: { dataset: DatasetDetail; proposal: MappingProposal }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const start: MappingDraft = {
    format: dataset.format,
    mapping: forFormat(mappingOf(dataset) ?? {}, dataset.format),
  };
  const [draft, setDraft] = useState(start);
  const remap = useRemap(dataset, (id) => void navigate({ to: "/data/$id/doctor", params: { id: String(id) } }));
  const columns = proposal.columns ?? [];
  const isChanged = JSON.stringify(draft) !== JSON.stringify(start);
  const isReady = missingFields(columns, draft.mapping, draft.format).length === 0;
  const likely: Format = proposal.format ?? dataset.format;
  const proposed: MappingDraft = { format: likely, mapping: forFormat(proposal.mapping, likely) };
  const isProposalNew = JSON.stringify(proposed) !== JSON.stringify(draft);

  return (
    <div className="space-y-5">
      <MappingEditor columns={columns} rows={proposal.sample_rows ?? []} draft={draft} onDraft={setDraft} />
      {remap.error ? <ProblemNotice error={remap.error} /> : null}
      {remap.job !== null && <JobProgress job={remap.job} title={t("data.checking")} onEnd={() => undefined} />}
      <div className="flex flex-wrap items-center gap-3">
        <Button
          variant="primary"
          pending={remap.isPending}
          disabled={!isChanged || !isReady || dataset.status === "archived"}
          onClick={() => remap.start(draft)}
        >
          {t("mapping.apply")}
        </Button>
        {isChanged && <Button onClick={() => setDraft(start)}>{t("table.discard")}</Button>}
        {isProposalNew && <Button onClick={() => setDraft(proposed)}>{t("mapping.useProposal")}</Button>}
        <span className="text-ink-faint text-xs">{t("mapping.applyText")}</span>
      </div>
    </div>
  );
}

const mappingOf = (dataset: DatasetDetail) =>
  (dataset as { column_mapping?: Record<string, string> | null }).column_mapping ?? null;
