// Stays that go on: each is ended by declaring when it was left.

import { signal as state } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { namesOf } from "../area_names.ts";
import { fieldOfMinute, minuteOfField } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { openStays } from "../open_stays.ts";
import { Faulty, Field } from "../parts.tsx";
import { PLACE_WORDS } from "../place_words.ts";
import { wallet } from "../state.ts";
import { declare, stayText } from "../stay.ts";
import type { Trip } from "../wallet.ts";
import { WORDS } from "../words.ts";

const stays = state<Trip[]>([]);
/** The one whose departure is being declared. */
const leaving = state<Trip | null>(null);
const until = state("");
const isBad = state(false);
const isSending = state(false);
const fault = state<Fault | null>(null);
const left = state<Trip | null>(null);

/** Reads again which stays go on. */
export async function readStays(): Promise<void> {
  stays.value = openStays((await wallet.value?.receipts()) ?? []);
  await namesOf(stays.value.map(({ area }) => area));
}

/** Begins to declare a departure; `null` puts away what was begun, and what was said of the last one. */
export function beginLeaving(stay: Trip | null): void {
  leaving.value = stay;
  fault.value = left.value = null;
  isBad.value = false;
  until.value = fieldOfMinute(wallet.value?.clock.minute() ?? 0);
}

async function send(event: SubmitEvent, stay: Trip): Promise<void> {
  event.preventDefault();
  const end = minuteOfField(until.value);
  isBad.value = end === null || end < stay.begin;
  if (end === null || isBad.value || isSending.value) return;
  isSending.value = true;
  const ended = { ...stay, end };
  const failed = await declare(ended);
  isSending.value = false;
  if (failed === null) {
    await readStays();
    beginLeaving(null);
    left.value = ended;
  } else fault.value = failed;
}

/** `onBegin` is called once a departure is begun. */
export function Staying({ onBegin }: { onBegin: () => void }) {
  useLayoutEffect(() => {
    beginLeaving(null);
    void readStays();
  }, []);
  return (
    <>
      {left.value && (
        <p class="done" role="status">
          {t(PLACE_WORDS.declared)} {stayText(left.value)}
        </p>
      )}
      {stays.value.map((stay) => (
        <article key={`${stay.area}/${stay.site}/${stay.begin}`} class="reason" data-testid="staying">
          <p>{stayText(stay)}</p>
          {leaving.value === stay ? (
            <Leaving stay={stay} />
          ) : (
            <button
              onClick={() => {
                onBegin();
                beginLeaving(stay);
              }}
            >
              {t(PLACE_WORDS.leave)}
            </button>
          )}
        </article>
      ))}
    </>
  );
}

function Leaving({ stay }: { stay: Trip }) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <form onSubmit={(event) => void send(event, stay)} autocomplete="off">
      <Field label={PLACE_WORDS.left} bad={isBad.value ? PLACE_WORDS.leftBad : null}>
        <input
          name="left"
          ref={field}
          type="datetime-local"
          value={until.value}
          aria-invalid={isBad.value}
          onInput={(event) => (until.value = event.currentTarget.value)}
        />
      </Field>
      <Faulty fault={fault.value} />
      <button class="main" type="submit" disabled={isSending.value}>
        {t(isSending.value ? WORDS.sending : PLACE_WORDS.leaveSend)}
      </button>
      <button type="button" onClick={() => beginLeaving(null)}>
        {t(WORDS.not)}
      </button>
    </form>
  );
}
