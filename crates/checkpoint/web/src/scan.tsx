// Reading a code: camera, a scanner that types, or a pasted text.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { Scanner } from "../../../pages/web/scanner.tsx";
import { CARD_LEN_MAX, cardNumber } from "./card.tsx";
import { decide } from "./decide.ts";
import { asked } from "./rule.ts";
import { isBusy, reader } from "./state.ts";
import { WORDS } from "./words.ts";

/** Longest text that is handed on; the longest code has 439 characters, and what is longer is refused as such. */
const TEXT_LEN_MAX = 600;
const FAULTS = { denied: WORDS.cameraDenied, none: WORDS.noCamera };

const card = state("");
const cardBad = state(false);

function read(text: string): void {
  if (isBusy.value) return;
  const code = text.slice(0, TEXT_LEN_MAX);
  const number = card.value.trim() === "" ? "" : cardNumber(card.value);
  cardBad.value = number === null;
  // With a number that is none, the code waits in its field until that is mended.
  if (reader.current) reader.current.value = number === null ? code : "";
  if (number === null) return;
  void decide(code, number).finally(() => {
    card.value = ""; // it is the last person's
  });
}

export function Scan() {
  useLayoutEffect(() => {
    // A scanner types wherever the cursor stands: it stands here whenever no result is shown, before it can type.
    if (!isBusy.value) reader.current?.focus();
  }, [isBusy.value]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = reader.current;
    if (!field || field.value === "") return;
    read(field.value.trim());
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
            maxLength={CARD_LEN_MAX}
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
