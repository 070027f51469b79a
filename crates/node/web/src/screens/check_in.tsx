// Today's check-in: two taps from the first screen.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { language, t } from "../../../../pages/web/looks.tsx";
import { dayOf, minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { freshId } from "../keys.ts";
import { Faulty, Sure } from "../parts.tsx";
import { attempt, wallet } from "../state.ts";
import type { Receipt } from "../store.ts";
import { WORDS } from "../words.ts";

const asking = state(false);
const sending = state(false);
const done = state(false);
const fault = state<Fault | null>(null);
/** One name for each answer of a visit, so that what is sent again after a fault is the same. */
const names = { none: freshId(), some: freshId() };

/** Today's newest check-in from this phone. */
const before = state<Receipt | null>(null);

async function look(): Promise<void> {
  const open = wallet.value;
  if (!open) return;
  const today = dayOf(open.clock.minute());
  const receipts = await open.receipts().catch(() => []);
  before.value = receipts.find(({ kind, said }) => kind === "check-in" && said.day === today) ?? null;
}

async function send(hasSymptoms: boolean): Promise<void> {
  if (sending.value) return;
  sending.value = true;
  done.value = false;
  fault.value = await attempt(async (open) => {
    await open.checkIn(hasSymptoms ? names.some : names.none, hasSymptoms);
  });
  sending.value = false;
  asking.value = false;
  done.value = fault.value === null;
}

export function CheckIn() {
  useLayoutEffect(() => {
    names.none = freshId();
    names.some = freshId();
    asking.value = done.value = false;
    fault.value = null;
    before.value = null;
    void look();
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.checkInToday)}</h2>
      <Faulty fault={fault.value} />
      {before.value !== null && !done.value && (
        <p class="done" role="status" data-testid="before">
          {t(WORDS.checkedInToday)}: {minuteText(language.value, before.value.at)} ·{" "}
          {t(before.value.said.symptoms ? WORDS.checkInSome : WORDS.checkInNone)}
        </p>
      )}
      {done.value && (
        <p class="done" role="status">
          {t(WORDS.checkedIn)}
        </p>
      )}
      {sending.value && <p role="status">{t(WORDS.sending)}</p>}
      {!done.value && !asking.value && (
        <>
          <button class="main" disabled={sending.value} onClick={() => void send(false)}>
            {t(WORDS.checkInNone)}
          </button>
          <button disabled={sending.value} onClick={() => (asking.value = true)}>
            {t(WORDS.checkInSome)}
          </button>
        </>
      )}
      {asking.value && (
        <Sure words={WORDS.checkInSure} busy={sending.value} act={() => void send(true)} not={() => (asking.value = false)} />
      )}
    </section>
  );
}
