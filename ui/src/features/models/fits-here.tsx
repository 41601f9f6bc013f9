import { Check, X } from "lucide-react";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { type BaseModel, USES } from "./queries";

interface FitsHereProps {
  fits: NonNullable<BaseModel["fits_here"]>;
  className?: string;
}

/** For each use whether the free memory is enough, in words and not by colour alone. */
export function FitsHere({ fits, className }: FitsHereProps) {
  const { t, format } = useI18n();
  return (
    <ul aria-label={t("models.fits")} className={cn("flex flex-wrap gap-1.5", className)}>
      {USES.map((use) => {
        const need = fits[use];
        const Icon = need.fits ? Check : X;
        return (
          <li
            key={use}
            title={t("models.needs", {
              needed: format.bytes(need.needed_bytes),
              available: format.bytes(fits.available_bytes),
              device: fits.device,
            })}
            className={cn(
              "inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-xs ring-1 ring-inset",
              need.fits ? "bg-green-soft text-green ring-green/20" : "bg-sunken text-ink-faint ring-line",
            )}
          >
            <Icon aria-hidden className="size-3" />
            <span className="sr-only">{t(need.fits ? "models.fitsYes" : "models.fitsNo")}</span>
            {t(`models.uses.${use}`)}
            <span className="numeric opacity-80">{format.bytes(need.needed_bytes)}</span>
          </li>
        );
      })}
    </ul>
  );
}
