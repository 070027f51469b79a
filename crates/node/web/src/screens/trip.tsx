// Declaring a stay.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { fieldOfMinute, minuteOfField } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { siteNumber } from "../numbers.ts";
import { Faulty, Field } from "../parts.tsx";
import { PLACE_WORDS } from "../place_words.ts";
import { wallet } from "../state.ts";
import { declare, stayText } from "../stay.ts";
import type { Trip as Declared } from "../wallet.ts";
import { WORDS } from "../words.ts";
import { chosenPlace, forgetPlace, Place } from "./place.tsx";
import { beginLeaving, readStays, Staying } from "./staying.tsx";

const site = state("0");
const begin = state("");
const end = state("");
const bad = state({ place: false, site: false, time: false });
const sending = state(false);
/** What was declared last, at this visit. */
const done = state<Declared | null>(null);
const fault = state<Fault | null>(null);

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const now = wallet.value?.clock.minute() ?? 0;
  const place = chosenPlace();
  const number = siteNumber(site.value);
  const from = minuteOfField(begin.value);
  const until = end.value === "" ? null : minuteOfField(end.value);
  const isOrdered = from !== null && from <= now && (end.value === "" || (until !== null && until >= from));
  bad.value = { place: place === null, site: number === null, time: !isOrdered };
  if (place === null || number === null || from === null || !isOrdered || sending.value) return;
  const trip = { area: place, site: number, begin: from, end: until };
  sending.value = true;
  done.value = null;
  beginLeaving(null);
  fault.value = await declare(trip);
  sending.value = false;
  if (fault.value !== null) return;
  done.value = trip;
  empty();
  await readStays();
}

/** Nothing stands in the fields that was declared: it is not declared twice by another tap. */
function empty(): void {
  forgetPlace();
  site.value = "0";
  begin.value = nowField();
  end.value = "";
}

const nowField = () => (wallet.value ? fieldOfMinute(wallet.value.clock.minute()) : "");

export function Trip() {
  useLayoutEffect(() => {
    done.value = null;
    fault.value = null;
    if (begin.value === "") begin.value = nowField();
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.trip)}</h2>
      <Staying onBegin={() => (done.value = null)} />
      <Stay />
    </section>
  );
}

function Stay() {
  return (
    <form onSubmit={(event) => void send(event)} autocomplete="off">
      <Place bad={bad.value.place} />
      <details>
        <summary>{t(PLACE_WORDS.hasSite)}</summary>
        <Field label={PLACE_WORDS.site} bad={bad.value.site ? WORDS.tripSiteBad : null}>
          <input
            name="site"
            inputMode="numeric"
            maxLength={6}
            value={site.value}
            aria-invalid={bad.value.site}
            onInput={(event) => (site.value = event.currentTarget.value)}
          />
        </Field>
      </details>
      <Field label={WORDS.tripBegin} bad={bad.value.time ? WORDS.tripTimeBad : null}>
        <input
          name="begin"
          type="datetime-local"
          value={begin.value}
          onInput={(event) => (begin.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={WORDS.tripEnd}>
        <input name="end" type="datetime-local" value={end.value} onInput={(event) => (end.value = event.currentTarget.value)} />
      </Field>
      <Faulty fault={fault.value} />
      {done.value && (
        <p class="done" role="status">
          {t(PLACE_WORDS.declared)} {stayText(done.value)}
        </p>
      )}
      <button class="main" type="submit" disabled={sending.value}>
        {t(sending.value ? WORDS.sending : WORDS.tripSend)}
      </button>
    </form>
  );
}
