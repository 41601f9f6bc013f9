import { useI18n } from "@/i18n";

/** How long ago, with the exact time for those who point at it. */
export function TimeAgo({ time }: { time: string }) {
  const { format } = useI18n();
  return (
    <time dateTime={time} title={format.dateTime(time)} className="whitespace-nowrap">
      {format.ago(time)}
    </time>
  );
}
