// A pass to be printed, for whoever goes without a phone: worth something only beside the identity card.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { CodePicture } from "../code.tsx";
import { minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { Faulty } from "../parts.tsx";
import { attempt, go, wish } from "../state.ts";
import { Refused } from "../stock.ts";
import type { Sheet } from "../wallet.ts";
import { WORDS } from "../words.ts";

const sheet = state<Sheet | null>(null);
const busy = state(false);
const refused = state(false);
const fault = state<Fault | null>(null);

async function fetchSheet(): Promise<void> {
  if (busy.value) return;
  busy.value = true;
  refused.value = false;
  fault.value = await attempt(async (open) => {
    try {
      sheet.value = await open.paper(wish.value);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.value = true;
    }
  });
  busy.value = false;
}

export function Paper() {
  useEffect(() => {
    sheet.value = fault.value = null;
    refused.value = false;
  }, [wish.value]);
  return (
    <section class="deeds">
      <h2>{t(WORDS.paper)}</h2>
      <p>{t(WORDS.paperText)}</p>
      <Faulty fault={fault.value} />
      {refused.value && (
        <div class="notice" role="alert">
          <p>{t(WORDS.refused)}</p>
          <button onClick={() => go("status")}>{t(WORDS.seeStatus)}</button>
        </div>
      )}
      {sheet.value ? (
        <>
          <Printed sheet={sheet.value} />
          <button class="main" onClick={() => print()}>
            {t(WORDS.paperPrint)}
          </button>
          <p class="hint">{t(WORDS.paperHint)}</p>
        </>
      ) : (
        <button class="main" disabled={busy.value} onClick={() => void fetchSheet()}>
          {t(busy.value ? WORDS.fetching : WORDS.paperMake)}
        </button>
      )}
      <button onClick={() => go("ask")}>{t(WORDS.asked)}</button>
    </section>
  );
}

/** What is printed: both languages, for a gate may read either; no name, no number, no colour. */
function Printed({ sheet }: { sheet: Sheet }) {
  return (
    <article class="sheet" data-testid="sheet">
      <h3>纸质凭证 PAPER PASS</h3>
      <p class="only">
        {WORDS.paperOnlyCard.zh}
        <br />
        <span lang="en">{WORDS.paperOnlyCard.en}</span>
      </p>
      <CodePicture code={sheet} name="paper-code" />
      <p class="until" data-testid="paper-until">
        有效至 <span lang="en">Valid until</span>: {minuteText("zh", sheet.goodUntil)} ·{" "}
        <span lang="en">{minuteText("en", sheet.goodUntil)}</span> (UTC+8)
      </p>
      <p>
        {WORDS.paperRevoked.zh}
        <br />
        <span lang="en">{WORDS.paperRevoked.en}</span>
      </p>
    </article>
  );
}
