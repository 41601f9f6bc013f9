import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const VARIANTS = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border-transparent shadow-sm",
  secondary: "bg-surface text-ink border-line-strong/70 hover:bg-sunken",
  ghost: "bg-transparent text-ink-soft border-transparent hover:bg-sunken hover:text-ink",
  danger: "bg-surface text-red border-line-strong/70 hover:bg-red-soft hover:border-red/40",
};
const SIZES = {
  small: "h-8 px-2.5 text-[0.8125rem] gap-1.5",
  medium: "h-9 px-3.5 text-sm gap-2",
  large: "h-11 px-5 text-[0.9375rem] gap-2",
  icon: "size-9 justify-center",
};

interface ButtonProps extends ComponentProps<"button"> {
  variant?: keyof typeof VARIANTS;
  size?: keyof typeof SIZES;
  /** Renders its only child (a link) with the look of a button. */
  asChild?: boolean;
  pending?: boolean;
}

export function Button({
  variant = "secondary",
  size = "medium",
  asChild = false,
  pending = false,
  className,
  children,
  disabled,
  ...props
}: ButtonProps) {
  const classes = cn(
    "inline-flex shrink-0 items-center justify-center whitespace-nowrap rounded-lg border font-medium transition-colors",
    "disabled:pointer-events-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
    VARIANTS[variant],
    SIZES[size],
    className,
  );
  if (asChild) {
    return (
      <Slot.Root className={classes} {...props}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      className={classes}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      {...props}
    >
      {pending && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
