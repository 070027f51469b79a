// How long there is until a deadline: in words, by shape and by colour.

import { useEffect, useState } from "preact/hooks";

import { language, t } from "../../../pages/web/looks.tsx";
import { spanText } from "./dates.ts";
import { nowMinute } from "./session.ts";
import { left, overdueBy } from "./words.ts";

/** From here on a deadline is near: time enough to read, to decide, and to have somebody agree. */
const NEAR_MIN = 120;
const TICK_EVERY_MS = 10_000;

/** Has what shows the time follow it. */
export function useTicks(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), TICK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

export function Due({ by }: { by: number }) {
  useTicks();
  const minutes = by - nowMinute();
  const state = minutes < 0 ? "over" : minutes < NEAR_MIN ? "near" : "ample";
  return (
    <span class={`due ${state}`} data-testid="due">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {state === "over" && <path d="M8 2h8l6 6v8l-6 6H8l-6-6V8zM11 6v8h2V6zM11 16v2h2v-2z" fill-rule="evenodd" />}
        {state === "near" && <path d="M12 3 22 21H2zM11 9v6h2V9zM11 17v2h2v-2z" fill-rule="evenodd" />}
        {state === "ample" && <path d="M12 2a10 10 0 1 0 .01 0zM11 6h2v6l4 3-1 1.6-5-3.8z" fill-rule="evenodd" />}
      </svg>
      {t((minutes < 0 ? overdueBy : left)(spanText(language.value, Math.abs(minutes))))}
    </span>
  );
}
