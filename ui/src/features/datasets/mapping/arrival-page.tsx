import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { asApiError } from "@/api/errors";
import { Page } from "@/components/page";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { datasetQueries } from "../queries";
import { makeDataset } from "../upload/upload-transport";
import { useUploadQueue } from "../upload/use-upload-queue";
import { type Format, forFormat, missingFields, UNKNOWN } from "./fields";
import { type MappingDraft, MappingEditor } from "./mapping-editor";
import { type MappingProposal, mappingQueries } from "./queries";

const route = getRouteApi("/data/uploads/$upload");

/** A file has arrived whose columns have names of their own: somebody says what they are, then it becomes a dataset. */
export function ArrivalPage() {
  const { t } = useI18n();
  const id = Number(route.useParams().upload);
  const proposal = useQuery(mappingQueries.ofUpload(id));
  return (
    <Page
      title={t("mapping.arrivalTitle")}
      description={t("mapping.arrivalText")}
      trail={
        <Link to="/data" className="hover:text-accent hover:underline">
          {t("data.title")}
        </Link>
      }
    >
      <QueryView query={proposal}>{(found) => <Arrival key={id} id={id} proposal={found} />}</QueryView>
    </Page>
  );
}

function Arrival({ id, proposal }: { id: number; proposal: MappingProposal }) {
  const { t } = useI18n();
  const search = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [items, queue] = useUploadQueue();
  const columns = proposal.columns ?? [];
  const [name, setName] = useState(search.name ?? "");
  const [draft, setDraft] = useState<MappingDraft>(() => {
    const format: Format = proposal.format ?? UNKNOWN;
    return { format, mapping: forFormat(proposal.mapping, format) };
  });
  const [version, setVersion] = useState<string | null>(null);
  const make = useMutation({
    mutationFn: () => makeDataset(id, name.trim(), version, { format: draft.format, columns: draft.mapping }),
    onSuccess: (made) => {
      for (const item of items) if (item.uploadId === id) queue.forget(item.key);
      void client.invalidateQueries({ queryKey: datasetQueries.all() });
      void navigate({ to: "/data/$id", params: { id: String(made.id) } });
    },
    onError: (error) => {
      const { problem, code } = asApiError(error);
      const { next_version: free } = problem as { next_version?: unknown };
      if (code === "dataset-exists" && typeof free === "string") setVersion(free);
    },
  });
  const isReady = missingFields(columns, draft.mapping, draft.format).length === 0 && name.trim() !== "";

  return (
    <div className="space-y-5">
      <MappingEditor columns={columns} rows={proposal.sample_rows ?? []} draft={draft} onDraft={setDraft} />
      {make.isError && <ProblemNotice error={make.error} />}
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Field label={t("data.name")} className="w-72 max-w-full">
          {(control) => (
            <Input
              {...control}
              value={name}
              required
              maxLength={200}
              onChange={(event) => {
                setName(event.currentTarget.value);
                setVersion(null);
              }}
            />
          )}
        </Field>
        <Button type="submit" variant="primary" pending={make.isPending} disabled={!isReady}>
          {version ? t("upload.asVersion", { name: name.trim(), version }) : t("mapping.make")}
        </Button>
      </form>
    </div>
  );
}
