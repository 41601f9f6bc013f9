import { type ReactNode, useEffect } from "react";
import { cn } from "@/lib/cn";

interface PageProps {
  title: string;
  /** Above the title: where one is (a link back). */
  trail?: ReactNode;
  badge?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** The frame of a page: one `h1`, what it is for, what can be done, then the content. */
export function Page({ title, trail, badge, description, actions, className, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Tunesmith`;
  }, [title]);
  return (
    <div className={cn("mx-auto w-full max-w-6xl px-4 py-6 sm:px-6 lg:px-8 lg:py-8", className)}>
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-3xl">
          {trail && <div className="mb-1 text-[0.8125rem] text-ink-soft">{trail}</div>}
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 break-words font-semibold text-2xl tracking-tight">{title}</h1>
            {badge}
          </div>
          {description && <p className="mt-1 text-ink-soft">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
