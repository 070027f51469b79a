// The number of an identity card: asked for where a code that was read needs one, and forgotten with the verdict.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { identityNumber } from "../../../pages/web/typed.ts";
import { withCard } from "./decide.ts";
import { WORDS } from "./words.ts";

/** Longest text that a number is looked for in: as printed, or in groups. */
export const CARD_LEN_MAX = 30;

/** The number in a text, in whatever width and groups it was typed; `null` where it is none. */
export const cardNumber = (typed: string): string | null => identityNumber(typed.normalize("NFKC"));

export function Card() {
  const field = useRef<HTMLInputElement>(null);
  const bad = useSignal(false);
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const number = cardNumber(field.current?.value ?? "");
    bad.value = number === null;
    if (number !== null) await withCard(number);
  };
  return (
    <div class="measure" role="dialog" aria-modal="true" aria-labelledby="card" data-testid="card">
      <h2 id="card">{t(WORDS.cardAsk)}</h2>
      <p>{t(WORDS.cardAskWhy)}</p>
      <form onSubmit={(event) => void submit(event)} autocomplete="off">
        <label>
          {t(WORDS.cardMust)}
          <input ref={field} name="number" autocomplete="off" maxLength={CARD_LEN_MAX} aria-invalid={bad.value} />
        </label>
        {bad.value && (
          <p class="warn" role="alert">
            {t(WORDS.cardBad)}
          </p>
        )}
        <button class="main" type="submit">
          {t(WORDS.check)}
        </button>
        <button type="button" onClick={() => void withCard(null)}>
          {t(WORDS.cardNone)}
        </button>
      </form>
    </div>
  );
}
