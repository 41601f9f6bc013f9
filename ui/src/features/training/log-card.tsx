import { useEffect, useRef, useState } from "react";
import { Card, CardHeader } from "@/components/ui/card";
import { Switch } from "@/components/ui/switch";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import type { LogLine } from "./queries";

const TONES: Record<string, string> = { warning: "text-amber", error: "text-red", debug: "text-ink-faint" };

/** The log; it follows the newest line until someone scrolls up to read. */
export function LogCard({ lines }: { lines: LogLine[] }) {
  const { t, format } = useI18n();
  const [follows, setFollows] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const last = lines.at(-1)?.offset;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last line is the reason to scroll
  useEffect(() => {
    if (follows) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [last, follows]);

  return (
    <Card className="overflow-hidden">
      <CardHeader
        title={t("runs.log")}
        action={
          // biome-ignore lint/a11y/noLabelWithoutControl: the switch inside is the control
          <label className="flex items-center gap-2 text-[0.8125rem] text-ink-soft">
            {t("runs.follow")}
            <Switch checked={follows} onCheckedChange={setFollows} />
          </label>
        }
      />
      <div
        ref={box}
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={t("runs.log")}
        onWheel={(event) => event.deltaY < 0 && setFollows(false)}
        className="h-80 overflow-auto border-line border-t bg-sunken/60 px-4 py-3 font-mono text-xs leading-5"
      >
        {lines.length === 0 && <p className="text-ink-faint">{t("runs.noLog")}</p>}
        {lines.map((line) => (
          <p key={line.offset} className="flex gap-3">
            <time dateTime={line.at} className="shrink-0 text-ink-faint">
              {format.clock(line.at)}
            </time>
            <span className={cn("min-w-0 whitespace-pre-wrap break-words", TONES[line.level.toLowerCase()])}>
              {line.message}
            </span>
          </p>
        ))}
      </div>
    </Card>
  );
}
