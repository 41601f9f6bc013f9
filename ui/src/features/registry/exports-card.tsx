import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CertificateBadge, CertificateChecks } from "@/components/certificate";
import { ProblemNotice } from "@/components/problem";
import { QueryView } from "@/components/query-view";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { type Export, registryQueries, useExportVersion } from "./queries";

const FORMATS = {
  "gguf Q8_0": { format: "gguf", methods: ["Q8_0"] },
  "gguf F16": { format: "gguf", methods: ["F16"] },
  merged: { format: "merged", methods: [] },
} as const;

/** The artefacts of a version, each with the proof that it answers as its source does; and a way to make another. */
export function ExportsCard({ id }: { id: number }) {
  const { t } = useI18n();
  const exports = useQuery(registryQueries.exports(id));
  const start = useExportVersion(id);
  const [choice, setChoice] = useState<keyof typeof FORMATS>("gguf Q8_0");
  const send = () => {
    const { format, methods } = FORMATS[choice];
    start.mutate({ format, methods: [...methods] });
  };
  return (
    <Card className="overflow-hidden">
      <CardHeader title={t("registry.exports")} />
      <QueryView query={exports}>
        {(items) =>
          items.length === 0 ? (
            <p className="px-5 pb-4 text-ink-soft">{t("registry.noExports")}</p>
          ) : (
            <ul className="divide-y divide-line border-line border-t">
              {items.map((one) => (
                <ExportItem key={one.id} one={one} />
              ))}
            </ul>
          )
        }
      </QueryView>
      <div className="border-line border-t bg-sunken/50 px-5 py-4">
        <div className="flex gap-2">
          <Select
            aria-label={t("registry.exportAs")}
            className="flex-1"
            value={choice}
            onChange={(event) => setChoice(event.currentTarget.value as keyof typeof FORMATS)}
          >
            {Object.keys(FORMATS).map((name) => (
              <option key={name} value={name}>
                {name.replace("gguf", "GGUF")}
              </option>
            ))}
          </Select>
          <Button pending={start.isPending} onClick={send}>
            {t("registry.export")}
          </Button>
        </div>
        {start.isPending && (
          <p role="status" className="mt-2 text-ink-soft text-xs">
            {t("registry.exporting")}
          </p>
        )}
        {start.isError && <ProblemNotice error={start.error} className="mt-3" />}
      </div>
    </Card>
  );
}

function ExportItem({ one }: { one: Export }) {
  const { t, format } = useI18n();
  return (
    <li className="space-y-2 px-5 py-4 text-[0.8125rem]">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium">
          <span className="uppercase">{one.format}</span> {one.method}
          <span className="numeric ml-2 font-normal text-ink-soft">{format.bytes(one.size_bytes)}</span>
        </span>
        <CertificateBadge certificate={one.certificate} />
      </div>
      <p className="truncate text-ink-faint text-xs" title={one.path}>
        {t("registry.file")} <code className="select-all font-mono">{one.path}</code>
      </p>
      <p className="truncate text-ink-faint text-xs" title={one.sha256}>
        {t("registry.checksum")} <code className="select-all font-mono">{one.sha256}</code>
      </p>
      {one.certificate && <CertificateChecks certificate={one.certificate} />}
    </li>
  );
}
