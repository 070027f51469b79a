// Declaring a stay.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { provinceName } from "../../../../pages/web/provinces.ts";
import { fieldOfMinute, minuteOfField } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { freshId } from "../keys.ts";
import { areaCode, siteNumber } from "../numbers.ts";
import { Faulty, Field } from "../parts.tsx";
import { attempt, wallet } from "../state.ts";
import { WORDS } from "../words.ts";

const area = state("");
const site = state("0");
const begin = state("");
const end = state("");
const bad = state({ area: false, site: false, time: false });
const sending = state(false);
const done = state(false);
const fault = state<Fault | null>(null);
/** The name of what stands in the fields, and what stood there when it was named: sent again after a fault, it is the same stay. */
let named = { id: freshId(), what: "" };

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const now = wallet.value?.clock.minute() ?? 0;
  const place = areaCode(area.value);
  const number = siteNumber(site.value);
  const from = minuteOfField(begin.value);
  const until = end.value === "" ? null : minuteOfField(end.value);
  const isOrdered = from !== null && from <= now && (end.value === "" || (until !== null && until >= from));
  bad.value = { area: place === null, site: number === null, time: !isOrdered };
  if (place === null || number === null || from === null || !isOrdered || sending.value) return;
  const trip = { area: place, site: number, begin: from, end: until };
  const what = JSON.stringify(trip);
  if (named.what !== what) named = { id: freshId(), what };
  sending.value = true;
  done.value = false;
  fault.value = await attempt(async (open) => void (await open.declareTrip(named.id, trip)));
  sending.value = false;
  done.value = fault.value === null;
  if (done.value) named = { id: freshId(), what: "" };
}

export function Trip() {
  useLayoutEffect(() => {
    done.value = false;
    fault.value = null;
    if (begin.value === "" && wallet.value) begin.value = fieldOfMinute(wallet.value.clock.minute());
  }, []);
  const province = provinceName(Number(area.value.trim().slice(0, 2)));
  return (
    <form onSubmit={(event) => void send(event)} autocomplete="off">
      <h2>{t(WORDS.trip)}</h2>
      <Field label={WORDS.tripArea} bad={bad.value.area ? WORDS.tripAreaBad : null}>
        <input
          name="area"
          inputMode="numeric"
          maxLength={9}
          value={area.value}
          aria-invalid={bad.value.area}
          onInput={(event) => (area.value = event.currentTarget.value)}
        />
      </Field>
      <p class="hint" role="status">
        {province ? t(province) : ""}
      </p>
      <Field label={WORDS.tripSite} bad={bad.value.site ? WORDS.tripSiteBad : null}>
        <input
          name="site"
          inputMode="numeric"
          maxLength={6}
          value={site.value}
          aria-invalid={bad.value.site}
          onInput={(event) => (site.value = event.currentTarget.value)}
        />
      </Field>
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
          {t(WORDS.tripDone)}
        </p>
      )}
      <button class="main" type="submit" disabled={sending.value}>
        {t(sending.value ? WORDS.sending : WORDS.tripSend)}
      </button>
    </form>
  );
}
