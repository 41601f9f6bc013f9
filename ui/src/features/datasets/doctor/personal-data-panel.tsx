import { useNavigate } from "@tanstack/react-router";
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { useI18n } from "@/i18n";
import { PreviewPanel } from "../derivation/preview-panel";
import { useDerive, usePreview } from "../derivation/queries";
import type { DatasetDetail, FindingGroup } from "../queries";

const ACTIONS = ["mask", "redact", "pseudonymise", "drop", "keep"] as const;
type Action = (typeof ACTIONS)[number];

/** What becomes of each kind of personal data: hidden, taken out, replaced by an invented value, or the row left out. */
export function PersonalDataPanel({ dataset, groups }: { dataset: DatasetDetail; groups: readonly FindingGroup[] }) {
  const { t, known, format } = useI18n();
  const navigate = useNavigate();
  const personal = groups.filter((group) => group.code.startsWith("pii-"));
  const [chosen, setChosen] = useState<Record<string, Action>>({});
  const preview = usePreview(dataset.id, "personal");
  const work = useDerive(dataset, "personal", ({ dataset: made, changed }) => {
    if (changed) void navigate({ to: "/data/$id/doctor", params: { id: String(made.id) } });
  });
  const actionOf = (code: string): Action => chosen[code] ?? "mask";
  const actions = Object.fromEntries(
    personal.flatMap(({ code }) => {
      const action = actionOf(code);
      return action === "keep" ? [] : [[entityOf(code), action]];
    }),
  );
  const isOpen = preview.isPending || preview.data !== undefined || preview.isError;

  return (
    <>
      <section aria-labelledby="personal-data" className="border-line border-b bg-sunken/50 px-5 py-4">
        <h3 id="personal-data" className="font-semibold text-[0.8125rem]">
          {t("doctor.personalTitle")}
        </h3>
        <p className="mb-3 text-[0.8125rem] text-ink-soft">{t("doctor.personalText")}</p>
        <ul className="space-y-2">
          {personal.map((group) => {
            const name = known("findings", group.code, group.title);
            return (
              <li key={group.code} className="flex flex-wrap items-center gap-x-4 gap-y-1">
                <span className="min-w-0 flex-1 text-[0.8125rem]">
                  {name} <span className="numeric text-ink-faint">{format.number(group.count)}</span>
                </span>
                <Select
                  aria-label={t("doctor.actionFor", { name })}
                  className="w-56"
                  value={actionOf(group.code)}
                  onChange={(event) => {
                    setChosen({ ...chosen, [group.code]: event.currentTarget.value as Action });
                    preview.reset();
                  }}
                >
                  {ACTIONS.map((action) => (
                    <option key={action} value={action}>
                      {t(`doctor.actions.${action}`)}
                    </option>
                  ))}
                </Select>
              </li>
            );
          })}
        </ul>
        <Button
          className="mt-3"
          variant="primary"
          pending={preview.isPending || work.isPending}
          disabled={Object.keys(actions).length === 0 || dataset.status === "archived"}
          onClick={() => preview.mutate({ actions })}
        >
          <ShieldCheck aria-hidden />
          {t("doctor.personalApply")}
        </Button>
      </section>
      {isOpen && (
        <PreviewPanel
          title={t("doctor.personalPreview")}
          preview={preview}
          work={work}
          onApply={() => work.start({ actions })}
          onClose={preview.reset}
        />
      )}
    </>
  );
}

const entityOf = (code: string) => code.replace(/^pii-/, "").replaceAll("-", "_");
