import { getRouteApi, Link } from "@tanstack/react-router";
import { Card } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { FindingCounts, FindingGroup, Severity } from "../queries";

const route = getRouteApi("/data/$id/doctor");
const DOTS = { red: "bg-red", amber: "bg-amber", green: "bg-green" };

interface FindingGroupsProps {
  id: number;
  groups: readonly FindingGroup[];
  counts: FindingCounts;
  severity: Severity | undefined;
  code: string | undefined;
}

/** The kinds of findings, the most severe first, each with how often it was found. */
export function FindingGroups({ id, groups, counts, severity, code }: FindingGroupsProps) {
  const { t, known, format } = useI18n();
  const navigate = route.useNavigate();
  const shown = groups.filter((group) => !severity || group.severity === severity);
  const total = shown.reduce((sum, group) => sum + group.count, 0);
  const label = (tone: Severity, name: string) => (
    <>
      <span aria-hidden className={cn("size-2 rounded-full", DOTS[tone])} />
      <span className="sr-only">{name}</span>
      <span className="numeric">{format.compact(counts[tone])}</span>
    </>
  );
  return (
    <Card className="overflow-clip lg:sticky lg:top-18">
      <div className="border-line border-b p-3">
        <Segmented<Severity | "all">
          label={t("data.severity")}
          value={severity ?? "all"}
          className="flex w-full [&>*]:flex-1"
          options={[
            { value: "all", label: t("data.all") },
            { value: "red", label: label("red", t("data.red")), name: t("data.red") },
            { value: "amber", label: label("amber", t("data.amber")), name: t("data.amber") },
            { value: "green", label: label("green", t("data.green")), name: t("data.green") },
          ]}
          onChange={(next) => {
            const chosen = next === "all" ? undefined : next;
            void navigate({ search: { severity: chosen }, replace: true });
          }}
        />
      </div>
      <nav aria-label={t("data.kindOfFinding")}>
        <ul data-testid="finding-groups" className="p-1.5">
          <Group id={id} severity={severity} isChosen={!code} name={t("data.everyKind")} count={total} />
          {shown.map((group) => (
            <Group
              key={group.code}
              id={id}
              severity={severity}
              code={group.code}
              tone={group.severity}
              isChosen={code === group.code}
              name={known("findings", group.code, group.title)}
              count={group.count}
            />
          ))}
        </ul>
      </nav>
    </Card>
  );
}

interface GroupProps {
  id: number;
  severity: Severity | undefined;
  code?: string;
  tone?: Severity;
  isChosen: boolean;
  name: string;
  count: number;
}

function Group({ id, severity, code, tone, isChosen, name, count }: GroupProps) {
  const { format } = useI18n();
  return (
    <li>
      <Link
        to="/data/$id/doctor"
        params={{ id: String(id) }}
        search={{ severity, code }}
        replace
        aria-current={isChosen ? "true" : undefined}
        className={cn(
          "flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-[0.8125rem] text-ink-soft hover:bg-sunken hover:text-ink",
          isChosen && "bg-accent-soft font-medium text-ink hover:bg-accent-soft",
        )}
        data-code={code}
      >
        <span aria-hidden className={cn("size-2 shrink-0 rounded-full", tone ? DOTS[tone] : "bg-line-strong")} />
        <span className="min-w-0 flex-1">{name}</span>
        <span className="numeric text-ink-faint text-xs">{format.number(count)}</span>
      </Link>
    </li>
  );
}
