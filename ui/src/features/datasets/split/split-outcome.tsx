import { Link } from "@tanstack/react-router";
import { Card, CardHeader } from "@/components/ui/card";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { useI18n } from "@/i18n";
import type { SplitResult } from "./queries";
import type { Part } from "./shares";

/** What a split made: a dataset for each part, and how every stratum was shared out. */
export function SplitOutcome({ result }: { result: SplitResult }) {
  const { t, format } = useI18n();
  const names: Record<Part, string> = {
    train: t("split.train"),
    validation: t("split.validation"),
    test: t("split.test"),
  };
  const nameOf = (part: string) => names[part as Part] ?? part;
  return (
    <Card>
      <CardHeader
        title={t("split.doneTitle")}
        description={t("split.doneText", { groups: format.number(result.groups), seed: String(result.seed) })}
      />
      <p className="numeric px-5 pb-4 text-ink-soft text-[0.8125rem]">
        {t("split.together", {
          prompt: result.kept_together.same_prompt,
          group: result.kept_together.same_group,
          near: result.kept_together.near_duplicates,
        })}
      </p>
      <ul data-testid="split-parts" className="grid gap-3 px-5 pb-5 sm:grid-cols-3">
        {result.parts.map((part) => (
          <li key={part.dataset_id} className="rounded-lg border border-line px-4 py-3">
            <Link
              to="/data/$id"
              params={{ id: String(part.dataset_id) }}
              className="font-medium text-accent hover:underline"
            >
              {nameOf(part.part)}
            </Link>
            <p className="numeric text-ink-soft">
              {t("data.rowCount", { count: part.rows })} · {format.percent(part.share, 1)}
            </p>
            <p className="truncate text-ink-faint text-xs">
              {part.name} {part.version}
            </p>
          </li>
        ))}
      </ul>
      {result.strata.length > 0 && (
        <Table label={t("split.strata")}>
          <thead>
            <tr>
              <Th>{t("split.stratum")}</Th>
              <Th className="text-end">{t("data.rows")}</Th>
              {result.parts.map((part) => (
                <Th key={part.part} className="text-end">
                  {nameOf(part.part)}
                </Th>
              ))}
            </tr>
          </thead>
          <tbody>
            {result.strata.map((stratum) => (
              <Tr key={String(stratum.value)}>
                <Td>{stratum.value ?? "–"}</Td>
                <Td className="numeric text-end">{format.number(stratum.rows)}</Td>
                {result.parts.map((part) => {
                  const rows = stratum.parts[part.part] ?? 0;
                  return (
                    <Td key={part.part} className="numeric text-end">
                      {format.number(rows)}{" "}
                      <span className="text-ink-faint">
                        {format.percent(stratum.rows ? rows / stratum.rows : 0, 1)}
                      </span>
                    </Td>
                  );
                })}
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}
