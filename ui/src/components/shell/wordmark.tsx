import { Link } from "@tanstack/react-router";

export function Wordmark() {
  return (
    <Link to="/" className="inline-flex items-center gap-2.5 rounded-md font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className="size-7" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path
          d="M6.500 21c3.500 0 3.800-10.500 7.300-10.500S17 21 20.300 21s2.500-7 5.200-7"
          fill="none"
          strokeWidth="2.600"
          strokeLinecap="round"
          className="stroke-on-accent"
        />
      </svg>
      <span className="text-[1.0625rem]">Tunesmith</span>
    </Link>
  );
}
