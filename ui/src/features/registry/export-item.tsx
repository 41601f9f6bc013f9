import { Link } from "@tanstack/react-router";
import { Download, FileCheck2, Trash2 } from "lucide-react";
import { useState } from "react";
import { CertificateBadge } from "@/components/certificate";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { ProblemNotice } from "@/components/problem";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { commandsFor } from "./export-commands";
import { type Export, exportPath, useDeleteExport } from "./queries";

/** One artefact: what it is, whether it may be trusted, how to get it and how to run it. */
export function ExportItem({ version, one }: { version: number; one: Export }) {
  const { t, format } = useI18n();
  const [asking, setAsking] = useState(false);
  const remove = useDeleteExport(version);
  return (
    <li className="space-y-2 px-5 py-4 text-[0.8125rem]">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium">
          <span className="uppercase">{one.format}</span> {one.method}
          <span className="numeric ml-2 font-normal text-ink-soft">{format.bytes(one.size_bytes)}</span>
        </span>
        <CertificateBadge certificate={one.certificate} />
      </div>
      {one.status === "failed" && <p className="text-red text-xs">{t("exports.failedNote")}</p>}
      <p className="truncate text-ink-faint text-xs" title={one.path}>
        {t("registry.file")} <code className="select-all font-mono">{one.path}</code>
      </p>
      <p className="truncate text-ink-faint text-xs" title={one.sha256}>
        {t("registry.checksum")} <code className="select-all font-mono">{one.sha256}</code>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button asChild size="small">
          <a href={exportPath(version, one.id, "download")} download>
            <Download aria-hidden />
            {t("exports.download")}
          </a>
        </Button>
        <Button asChild size="small">
          <Link to="/models/$id/exports/$exportId" params={{ id: String(version), exportId: String(one.id) }}>
            <FileCheck2 aria-hidden />
            {t("exports.certificate")}
          </Link>
        </Button>
        <Button size="small" variant="ghost" pending={remove.isPending} onClick={() => setAsking(true)}>
          <Trash2 aria-hidden />
          {t("exports.delete")}
        </Button>
      </div>
      {remove.isError && <ProblemNotice error={remove.error} />}
      <Commands one={one} />
      <ConfirmDialog
        open={asking}
        title={t("exports.deleteTitle")}
        text={t("exports.deleteText")}
        confirm={t("exports.delete")}
        onConfirm={() => remove.mutate(one.id)}
        onClose={() => setAsking(false)}
      />
    </li>
  );
}

function Commands({ one }: { one: Export }) {
  const { t } = useI18n();
  return (
    <details>
      <summary className="cursor-pointer text-ink-soft">{t("exports.useIt")}</summary>
      <dl className="mt-2 space-y-2">
        {commandsFor(one).map(({ tool, command }) => (
          <div key={tool}>
            <dt className="text-ink-faint text-xs">{tool}</dt>
            <dd>
              <pre className="overflow-x-auto rounded-lg bg-sunken px-3 py-2 text-xs">
                <code className="select-all">{command}</code>
              </pre>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
