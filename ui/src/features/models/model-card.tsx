import { Link } from "@tanstack/react-router";
import { ChevronDown, GraduationCap, Lock, MessageSquare } from "lucide-react";
import { useId, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { useI18n } from "@/i18n";
import { cn } from "@/lib/cn";
import { FitsHere } from "./fits-here";
import { ModelDetails } from "./model-details";
import type { BaseModel } from "./queries";

/** One model: what it is, whether it fits, and what can be done with it. */
export function ModelCard({ model }: { model: BaseModel }) {
  const { t, format } = useI18n();
  const [open, setOpen] = useState(false);
  const id = useId();
  const facts = [
    model.architecture,
    model.num_parameters ? t("models.parametersOf", { count: format.compact(model.num_parameters) }) : null,
    model.size_bytes ? format.bytes(model.size_bytes) : null,
    model.license,
    model.downloads != null ? t("models.downloadsOf", { count: format.compact(model.downloads) }) : null,
  ].filter(Boolean);
  return (
    <li
      className={cn(
        "flex flex-col rounded-lg border border-line p-4 transition-colors hover:border-line-strong",
        open && "md:col-span-2",
      )}
    >
      <div className="flex items-start justify-between gap-3">
        <h3 className="min-w-0 break-words font-semibold">
          {model.title || model.model_id}
          {model.title && <span className="block font-normal text-ink-faint text-xs">{model.model_id}</span>}
        </h3>
        <span className="flex shrink-0 flex-wrap justify-end gap-1.5">
          {model.gated && (
            <Badge tone="amber">
              <Lock aria-hidden className="size-3" />
              {t("models.gated")}
            </Badge>
          )}
          {model.is_local && <Badge tone="green">{t("models.isHere")}</Badge>}
        </span>
      </div>
      <p className="mt-1 text-[0.8125rem] text-ink-soft">{facts.join(" · ")}</p>
      {model.fits_here && <FitsHere fits={model.fits_here} className="mt-3" />}
      <div className="mt-auto flex flex-wrap items-center gap-2 pt-4">
        {model.is_local && (
          <>
            <Button asChild size="small">
              <Link to="/chat" search={{ model: model.model_id }}>
                <MessageSquare aria-hidden />
                {t("models.chat")}
              </Link>
            </Button>
            <Button asChild size="small">
              <Link to="/train" search={{ base: model.model_id }}>
                <GraduationCap aria-hidden />
                {t("models.train")}
              </Link>
            </Button>
          </>
        )}
        <Button
          size="small"
          variant="ghost"
          aria-expanded={open}
          aria-controls={id}
          className="ml-auto"
          onClick={() => setOpen(!open)}
        >
          {t("models.details")}
          <ChevronDown aria-hidden className={cn("transition-transform", open && "rotate-180")} />
        </Button>
      </div>
      {open && <ModelDetails id={id} model={model} />}
    </li>
  );
}
