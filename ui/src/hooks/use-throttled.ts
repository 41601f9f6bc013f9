import { useEffect, useRef, useState } from "react";

/** The value, at most once in this many milliseconds; the last one always arrives. */
export function useThrottled<T>(value: T, milliseconds: number): T {
  const [passed, setPassed] = useState(value);
  const last = useRef(0);
  useEffect(() => {
    const wait = last.current + milliseconds - Date.now();
    const pass = () => {
      last.current = Date.now();
      setPassed(value);
    };
    if (wait <= 0) {
      pass();
      return;
    }
    const timer = setTimeout(pass, wait);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return passed;
}
