import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Download, Trash2 } from "lucide-react";
import { useState } from "react";
import { call, callJob } from "@/api/call";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { BASE_MODELS, type ModelDetails, modelQueries } from "./queries";

/** Fetches the model; how far that is stands above the list, also after a refresh. */
export function DownloadModel({ model, token }: { model: ModelDetails; token: string }) {
  const { t, format } = useI18n();
  const queries = useQueryClient();
  const download = useMutation({
    mutationFn: () =>
      callJob("POST", `${BASE_MODELS}/download`, {
        query: { wait: 0 },
        body: {
          model_id: model.model_id,
          ...(model.is_local && { revision: "main" }),
          ...(token && { access_token: token }),
        },
      }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: modelQueries.all() }),
  });
  return (
    <>
      <Button
        variant="primary"
        size="small"
        pending={download.isPending}
        disabled={model.fits_on_disk === false}
        onClick={() => download.mutate()}
      >
        <Download aria-hidden />
        {t(model.is_local ? "models.update" : "models.download")}
      </Button>
      {model.download_bytes != null && (
        <span className="text-[0.8125rem] text-ink-soft">
          {model.fits_on_disk === false
            ? t("models.noDisk", { size: format.bytes(model.download_bytes) })
            : format.bytes(model.download_bytes)}
        </span>
      )}
      {download.isError && <ProblemNotice error={download.error} className="basis-full" />}
    </>
  );
}

/** Takes a model out of the local store, after asking. */
export function DeleteModel({ model }: { model: ModelDetails }) {
  const { t, format } = useI18n();
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const size = model.files.reduce((sum, file) => sum + (file.size_bytes ?? 0), 0);
  const remove = useMutation({
    mutationFn: () => call("DELETE", `${BASE_MODELS}/${model.model_id}`),
    onSuccess: () => void queries.invalidateQueries({ queryKey: modelQueries.all() }),
  });
  return (
    <>
      <Button variant="danger" size="small" pending={remove.isPending} onClick={() => setAsks(true)}>
        <Trash2 aria-hidden />
        {t("models.delete")}
      </Button>
      <ConfirmDialog
        open={asks}
        title={t("models.deleteTitle", { name: model.model_id })}
        text={t("models.deleteText", { size: format.bytes(size) })}
        confirm={t("models.delete")}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsks(false)}
      />
      {remove.isError && <ProblemNotice error={remove.error} className="basis-full" />}
    </>
  );
}
