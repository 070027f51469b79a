// Binding this phone to a person.

import { signal as state } from "@preact/signals";

import { t } from "../../../../pages/web/looks.tsx";
import type { Fault } from "../fault.ts";
import { byteLength, identityNumber } from "../numbers.ts";
import { Faulty, Field } from "../parts.tsx";
import { attempt, go, hasLeft } from "../state.ts";
import { WORDS } from "../words.ts";

/** Longest name, in bytes. */
const NAME_BYTES_MOST = 96;
/** Longest evidence, in bytes. */
const EVIDENCE_BYTES_MOST = 1_024;

const number = state("");
const name = state("");
const evidence = state("");
/** Whether every other phone is lost. */
const isOnly = state(false);
const numberBad = state(false);
const nameBad = state(false);
const sending = state(false);
const fault = state<Fault | null>(null);

async function send(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const sent = identityNumber(number.value);
  const called = name.value.trim();
  numberBad.value = sent === null;
  nameBad.value = called === "" || byteLength(called) > NAME_BYTES_MOST;
  if (sent === null || nameBad.value || sending.value) return;
  sending.value = true;
  const person = { number: sent, name: called, evidence: evidence.value, isOnly: isOnly.value };
  fault.value = await attempt((open) => open.register(person));
  sending.value = false;
  if (fault.value) return;
  number.value = name.value = evidence.value = "";
  isOnly.value = false;
  go("");
}

export function Register() {
  return (
    <form onSubmit={(event) => void send(event)} autocomplete="off">
      {hasLeft && (
        <p class="done" role="status">
          {t(WORDS.left)}
        </p>
      )}
      <h2>{t(WORDS.register)}</h2>
      <p>{t(WORDS.registerText)}</p>
      <Field label={WORDS.name} bad={nameBad.value ? WORDS.nameBad : null}>
        <input
          name="name"
          autocomplete="off"
          value={name.value}
          aria-invalid={nameBad.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={WORDS.number} bad={numberBad.value ? WORDS.numberBad : null}>
        <input
          name="number"
          autocomplete="off"
          autocapitalize="characters"
          maxLength={24}
          value={number.value}
          aria-invalid={numberBad.value}
          onInput={(event) => (number.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={WORDS.evidence}>
        <input
          name="evidence"
          autocomplete="off"
          maxLength={EVIDENCE_BYTES_MOST / 4}
          value={evidence.value}
          onInput={(event) => (evidence.value = event.currentTarget.value)}
        />
      </Field>
      <label class="tick">
        <input type="checkbox" name="only" checked={isOnly.value} onChange={(event) => (isOnly.value = event.currentTarget.checked)} />
        {t(WORDS.onlyThis)}
      </label>
      {isOnly.value && <p class="warn">{t(WORDS.onlyThisText)}</p>}
      <Faulty fault={fault.value} />
      <button type="button" onClick={() => go("family")}>
        {t(WORDS.persons)}
      </button>
      <button class="main" type="submit" disabled={sending.value}>
        {t(sending.value ? WORDS.sending : WORDS.register)}
      </button>
    </form>
  );
}
