import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A table that scrolls sideways inside its card on a narrow screen. */
export function Table({ className, label, ...props }: ComponentProps<"table"> & { label: string }) {
  return (
    <div className="relative overflow-x-auto">
      <table aria-label={label} className={cn("w-full border-collapse text-[0.8125rem]", className)} {...props} />
    </div>
  );
}

export function Th({ className, ...props }: ComponentProps<"th">) {
  return (
    <th
      scope="col"
      className={cn(
        "whitespace-nowrap border-line border-y bg-sunken/60 px-3 py-2 text-start font-medium text-ink-soft text-xs first:pl-5 last:pr-5",
        className,
      )}
      {...props}
    />
  );
}

export function Td({ className, ...props }: ComponentProps<"td">) {
  return (
    <td className={cn("border-line border-b px-3 py-2.5 align-middle first:pl-5 last:pr-5", className)} {...props} />
  );
}

export function Tr({ className, ...props }: ComponentProps<"tr">) {
  return (
    <tr className={cn("last:[&>td]:border-b-0 has-[a[data-row-link]]:hover:bg-sunken/50", className)} {...props} />
  );
}
