// The temperature of somebody whose pass was accepted: asked for before anything is shown of that, judged, and forgotten.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { degrees } from "./asks.tsx";
import { measured, notMeasured } from "./decide.ts";
import { pending } from "./state.ts";
import { WORDS } from "./words.ts";

export function Temperature() {
  const field = useRef<HTMLInputElement>(null);
  const bad = useSignal(false);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? "";
    bad.value = !(await measured(text));
    if (field.current) field.current.value = "";
  };
  return (
    <div class="measure" role="dialog" aria-modal="true" aria-labelledby="measure" data-testid="measure">
      <h2 id="measure">{t(WORDS.measure)}</h2>
      {pending.value && (
        <p>
          {t(WORDS.limit)} {degrees(pending.value.limit)}
        </p>
      )}
      <form onSubmit={(event) => void submit(event)} autocomplete="off">
        <label>
          {t(WORDS.temperature)}
          <input ref={field} name="temperature" inputMode="decimal" autocomplete="off" aria-invalid={bad.value} />
        </label>
        {bad.value && (
          <p class="warn" role="alert">
            {t(WORDS.temperatureBad)}
          </p>
        )}
        <button class="main" type="submit">
          {t(WORDS.goOn)}
        </button>
        <button type="button" onClick={() => void notMeasured()}>
          {t(WORDS.notMeasured)}
        </button>
      </form>
    </div>
  );
}
