// A pass to be printed, for whoever goes without a phone: worth something only beside the identity card.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { CodePicture } from "../code.tsx";
import { momentText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { Refused } from "../made.ts";
import { Faulty } from "../parts.tsx";
import { attempt, go, rulesOf, screen, wish } from "../state.ts";
import type { Sheet } from "../wallet.ts";
import { wishName, type Wish } from "../wish.ts";
import { WORDS } from "../words.ts";

const sheet = state<Sheet | null>(null);
const busy = state(false);
const refused = state(false);
const fault = state<Fault | null>(null);

/** Fetches a sheet of the wish that stands in the end: whoever chose another meanwhile is not handed the one before. */
async function fetchSheet(): Promise<void> {
  if (busy.value) return;
  busy.value = true;
  refused.value = false;
  fault.value = null;
  let isOfWish = false;
  while (!isOfWish && screen.value === "paper") isOfWish = await fetchOnce(wish.value);
  busy.value = false;
}

/** Fetches a sheet of a wish; false, and nothing is shown of it, if another was made meanwhile. */
async function fetchOnce(wanted: Wish): Promise<boolean> {
  let found: Sheet | null = null;
  let isRefused = false;
  const failed = await attempt(async (open) => {
    try {
      found = await open.paper(wanted);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      isRefused = true;
    }
  });
  if (wishName(wish.value) !== wishName(wanted)) return false;
  sheet.value = found;
  refused.value = isRefused;
  fault.value = failed;
  return true;
}

export function Paper() {
  useLayoutEffect(() => {
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
          <button onClick={() => go("status", rulesOf(wish.value))}>{t(WORDS.seeStatus)}</button>
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
      <Claims of={sheet.wish} />
      <p class="until" data-testid="paper-until">
        有效至 <span lang="en">Valid until</span>: {momentText("zh", sheet.goodUntil * 60)} ·{" "}
        <span lang="en">{momentText("en", sheet.goodUntil * 60)}</span> (UTC+8)
      </p>
      <p>
        {WORDS.paperRevoked.zh}
        <br />
        <span lang="en">{WORDS.paperRevoked.en}</span>
      </p>
    </article>
  );
}

/** What the pass claims, in both languages: in words of reasons, for a colour on paper would be looked at instead of scanned. */
function Claims({ of }: { of: Wish }) {
  const grade = of.worst === "green" ? WORDS.paperClear : WORDS.paperNotGravest;
  const hours = of.testAge;
  return (
    <ul class="claims" data-testid="paper-claims">
      <li>
        {WORDS.paperRules.zh} <span lang="en">{WORDS.paperRules.en}</span>: {of.ruleSet || WORDS.ruleSetNation.zh}
        {of.ruleSet === "" && <span lang="en"> {WORDS.ruleSetNation.en}</span>}
      </li>
      <li>
        {grade.zh} <span lang="en">{grade.en}</span>
      </li>
      {hours !== 0 && (
        <li>
          {hours} {WORDS.within.zh}{WORDS.askedTest.zh}{" "}
          <span lang="en">
            {WORDS.askedTest.en} within {hours} {WORDS.within.en}
          </span>
        </li>
      )}
    </ul>
  );
}
