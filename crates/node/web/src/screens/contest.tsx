// Contesting an event of the own record.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { language, t } from "../../../../pages/web/looks.tsx";
import { minuteText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { freshId, fromHex, hex } from "../keys.ts";
import { byteLength } from "../numbers.ts";
import { Faulty, Field } from "../parts.tsx";
import { about, attempt, home, status } from "../state.ts";
import { WORDS } from "../words.ts";

/** Longest statement, in bytes. */
const STATEMENT_BYTES_MOST = 1_000;
/** Hours within which an office decides; of what another province sent. The home tells the minute as soon as it is asked. */
const HOURS = 8;
const HOURS_FOREIGN = 24;

const statement = state("");
const bad = state(false);
const sending = state(false);
const due = state<number | null>(null);
const fault = state<Fault | null>(null);
let named = { id: freshId(), what: "" };
/** The event that the statement was written about. */
let written = "";

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const why = statement.value.trim();
  bad.value = why === "" || byteLength(why) > STATEMENT_BYTES_MOST;
  if (bad.value || sending.value) return;
  const of = about.value;
  const what = `${of} ${why}`;
  if (named.what !== what) named = { id: freshId(), what };
  const sent = (status.value?.foreignEvents ?? []).find((one) => hex(one.eventId) === of);
  const isForeign = sent !== undefined && sent.senderProvince !== home.value?.province;
  sending.value = true;
  let by = 0;
  const failed = await attempt(async (open) => {
    const hours = isForeign ? HOURS_FOREIGN : HOURS;
    const receipt = await open.contest(named.id, fromHex(of), why, hours);
    by = receipt.at + Number(receipt.said.hours) * 60;
  });
  sending.value = false;
  // What came of one event says nothing of another that is contested by now.
  if (about.value !== of) return;
  fault.value = failed;
  if (failed) return;
  due.value = by;
  statement.value = "";
}

export function Contest() {
  useLayoutEffect(() => {
    due.value = null;
    fault.value = null;
    bad.value = false;
    if (about.value !== written) statement.value = "";
    written = about.value;
  }, [about.value]);
  return (
    <form onSubmit={(event) => void send(event)}>
      <h2>{t(WORDS.contestTitle)}</h2>
      <p class="detail">
        {t(WORDS.contestEvent)}: {about.value}
      </p>
      {due.value !== null && (
        <p class="done" role="status">
          {t(WORDS.contestDone)}: {minuteText(language.value, due.value)}
        </p>
      )}
      {due.value === null && (
        <>
          <Field label={WORDS.contestWhy} bad={bad.value ? WORDS.contestWhyBad : null}>
            <textarea
              name="statement"
              rows={5}
              value={statement.value}
              aria-invalid={bad.value}
              onInput={(event) => (statement.value = event.currentTarget.value)}
            />
          </Field>
          <Faulty fault={fault.value} />
          <button class="main" type="submit" disabled={sending.value}>
            {t(sending.value ? WORDS.sending : WORDS.contestSend)}
          </button>
        </>
      )}
    </form>
  );
}
