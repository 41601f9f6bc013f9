import { useCallback, useRef } from "react";
import { useStoredState } from "@/hooks/use-stored-state";
import { NOTHING, type PendingEdits } from "./pending-edits";

/** The changes to one version that are not saved yet. They outlive a refresh and the way to another tab of the page. */
export function usePendingEdits(id: number): [PendingEdits, (change: (old: PendingEdits) => PendingEdits) => void] {
  const [edits, store] = useStoredState<PendingEdits>(`tunesmith.edits.${id}`, NOTHING);
  const latest = useRef(edits);
  latest.current = edits;
  const change = useCallback(
    (next: (old: PendingEdits) => PendingEdits) => {
      latest.current = next(latest.current);
      store(latest.current);
    },
    [store],
  );
  return [edits, change];
}
