// Reading a code: camera, a scanner that types, or a pasted text.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { Scanner } from "../../../pages/web/scanner.tsx";
import { decide } from "./decide.ts";
import { asked } from "./rule.ts";
import { fault, pending, reader, report } from "./state.ts";
import { WORDS } from "./words.ts";

/** Longest text that is handed on; the longest code has 439 characters, and what is longer is refused as such. */
const TEXT_LEN_MAX = 600;
/** An identity number. */
const CARD = /^\d{17}[\dX]$/;

const FAULTS = { denied: WORDS.cameraDenied, none: WORDS.noCamera };

const card = state("");
const cardBad = state(false);

function read(text: string): void {
  const number = card.value.trim().toUpperCase();
  cardBad.value = number !== "" && !CARD.test(number);
  if (cardBad.value) return;
  if (report.value || fault.value || pending.value) return;
  void decide(text.slice(0, TEXT_LEN_MAX), number).finally(() => {
    card.value = ""; // it is the last person's
  });
}

export function Scan() {
  useLayoutEffect(() => {
    // A scanner types wherever the cursor stands: it stands here whenever no result is shown, before it can type.
    if (!report.value && !fault.value && !pending.value) reader.current?.focus();
  }, [report.value, fault.value, pending.value]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = reader.current;
    if (!field || field.value === "") return;
    read(field.value.trim());
    field.value = "";
  };

  return (
    <>
      <Scanner onText={read} faults={FAULTS} />
      <form onSubmit={submit} autocomplete="off">
        <label>
          {t(WORDS.text)}
          <input ref={reader} name="code" autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
        <label>
          {t(asked.value?.asksForCard ? WORDS.cardMust : WORDS.card)}
          <input
            name="card"
            autocomplete="off"
            maxLength={18}
            value={card.value}
            aria-invalid={cardBad.value}
            onInput={(event) => {
              card.value = event.currentTarget.value;
            }}
          />
        </label>
        {cardBad.value && (
          <p class="warn" role="alert">
            {t(WORDS.cardBad)}
          </p>
        )}
        <button class="main" type="submit">
          {t(WORDS.check)}
        </button>
      </form>
    </>
  );
}
