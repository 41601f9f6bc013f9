import { useCallback, useState } from "react";
import { readStored, writeStored } from "@/lib/stored";

/** State of one tab that a refresh or the back button does not lose. */
export function useStoredState<T>(key: string, initial: T): [T, (next: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = readStored(key, "session");
    if (stored === null) return initial;
    try {
      return JSON.parse(stored) as T;
    } catch {
      return initial;
    }
  });
  const store = useCallback(
    (next: T) => {
      writeStored(key, next === undefined || next === null ? null : JSON.stringify(next), "session");
      setValue(next);
    },
    [key],
  );
  return [value, store];
}
