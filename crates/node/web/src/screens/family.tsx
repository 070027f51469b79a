// Acting for each other: who acts for me, until when, and for whom this phone acts.

import { signal as state } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { Proxy } from "@viridian/wire/proxies";

import { language, t } from "../../../../pages/web/looks.tsx";
import { CodeReader } from "../code_reader.tsx";
import { endOfField, minuteText, momentText } from "../dates.ts";
import type { Fault } from "../fault.ts";
import { hex } from "../keys.ts";
import { readMandate } from "../mandate.ts";
import { byteLength } from "../numbers.ts";
import { Faulty, Field, Sure } from "../parts.tsx";
import { attempt, onPhone, registered, status, switchTo, wallet } from "../state.ts";
import type { Person } from "../store.ts";
import { who } from "../who.ts";
import { WORDS } from "../words.ts";

/** Longest label, in bytes. */
const LABEL_BYTES_MOST = 48;
/** Most days ahead. */
const DAYS_MOST = 366;

const code = state("");
/** Whether the camera looks for a code. */
const isReading = state(false);
const label = state("");
const until = state("");
const bad = state({ code: false, label: false, until: false });
const sending = state(false);
const done = state(false);
const fault = state<Fault | null>(null);
const persons = state<Person[]>([]);
const personLabel = state("");
const personBad = state(false);
/** The key of the proxy that is to be ended, and has not been confirmed. */
const ending = state<string | null>(null);
/** Who is to be removed, and has not been confirmed. */
const removing = state<string | null>(null);

const isLabel = (text: string) => text !== "" && byteLength(text) <= LABEL_BYTES_MOST;

/** Takes a code that the camera has read; goes on looking where it is another's. */
async function read(text: string): Promise<void> {
  const isCode = (await readMandate(text)) !== null;
  bad.value = { ...bad.value, code: !isCode };
  if (!isCode || !isReading.value) return;
  code.value = text;
  isReading.value = false;
}

async function consent(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const key = await readMandate(code.value);
  const called = label.value.trim();
  const end = endOfField(until.value, wallet.value?.clock.minute() ?? 0, DAYS_MOST);
  bad.value = { code: key === null, label: !isLabel(called), until: end === null };
  if (!key || end === null || bad.value.label || sending.value) return;
  await send(key, called, end);
  if (!fault.value) code.value = label.value = "";
}

async function send(key: Uint8Array, called: string, end: number): Promise<void> {
  sending.value = true;
  done.value = false;
  fault.value = await attempt((open) => open.setProxy(key, called, end));
  sending.value = false;
  ending.value = null;
  done.value = fault.value === null;
}

export function Family() {
  useLayoutEffect(() => {
    done.value = false;
    fault.value = null;
    removing.value = ending.value = null;
    isReading.value = false;
    void begin();
  }, []);
  return (
    <section class="deeds">
      <h2>{t(WORDS.family)}</h2>
      {registered.value && <ForMe />}
      <ForOthers />
    </section>
  );
}

function ForMe() {
  const proxies = status.value?.proxies ?? [];
  return (
    <>
      <h3>{t(WORDS.proxies)}</h3>
      <p>{t(WORDS.proxiesText)}</p>
      {proxies.length === 0 && <p>{t(WORDS.proxiesNone)}</p>}
      {proxies.map((proxy) => (
        <Known key={hex(proxy.proxyKey)} proxy={proxy} />
      ))}
      <Faulty fault={fault.value} />
      {done.value && (
        <p class="done" role="status">
          {t(WORDS.proxyDone)}
        </p>
      )}
      <button aria-expanded={isReading.value} onClick={() => (isReading.value = !isReading.value)}>
        {t(isReading.value ? WORDS.proxyScanEnd : WORDS.proxyScan)}
      </button>
      {isReading.value && <CodeReader onText={(text) => void read(text)} />}
      <form onSubmit={(event) => void consent(event)} autocomplete="off">
        <Field label={WORDS.proxyCode} bad={bad.value.code ? WORDS.proxyCodeBad : null}>
          <input
            name="proxy-code"
            maxLength={120}
            value={code.value}
            aria-invalid={bad.value.code}
            onInput={(event) => (code.value = event.currentTarget.value)}
          />
        </Field>
        <Field label={WORDS.proxyLabel} bad={bad.value.label ? WORDS.labelBad : null}>
          <input
            name="proxy-label"
            maxLength={LABEL_BYTES_MOST}
            value={label.value}
            aria-invalid={bad.value.label}
            onInput={(event) => (label.value = event.currentTarget.value)}
          />
        </Field>
        <Field label={WORDS.proxyUntil} bad={bad.value.until ? WORDS.proxyUntilBad : null}>
          <input
            name="proxy-until"
            type="date"
            value={until.value}
            aria-invalid={bad.value.until}
            onInput={(event) => (until.value = event.currentTarget.value)}
          />
        </Field>
        <button class="main" type="submit" disabled={sending.value}>
          {t(sending.value ? WORDS.sending : WORDS.proxyConsent)}
        </button>
      </form>
    </>
  );
}

function Known({ proxy }: { proxy: Proxy }) {
  return (
    <article class="reason" data-testid="proxy">
      <h4>{proxy.label}</h4>
      {proxy.namedBy !== "" && (
        <p data-testid="named-by">
          {t(WORDS.proxyNamedBy)} <strong>{t(who(proxy.namedBy))}</strong>
        </p>
      )}
      <p>
        {t(WORDS.proxySince)} {minuteText(language.value, proxy.sinceMinute)} · {t(WORDS.proxyUntil)}{" "}
        {momentText(language.value, proxy.untilMinute * 60)} · {t(WORDS.proxyUsed)}{" "}
        {proxy.lastUsedMinute === 0 ? t(WORDS.proxyUnused) : minuteText(language.value, proxy.lastUsedMinute)}
      </p>
      {ending.value === hex(proxy.proxyKey) ? (
        <Sure
          words={WORDS.proxyEndSure}
          busy={sending.value}
          act={() => void send(proxy.proxyKey, "", 0)}
          not={() => (ending.value = null)}
        />
      ) : (
        <button disabled={sending.value} onClick={() => (ending.value = hex(proxy.proxyKey))}>
          {t(WORDS.proxyEnd)}
        </button>
      )}
    </article>
  );
}

async function load(): Promise<void> {
  persons.value = (await wallet.value?.persons()) ?? [];
}

async function begin(): Promise<void> {
  const failed = await onPhone(load);
  const asked = registered.value ? await attempt(async (open) => void (await open.query())) : null;
  // What was done meanwhile has said how it ended.
  fault.value ??= failed ?? asked;
}

async function remove(id: string): Promise<void> {
  if (sending.value) return;
  sending.value = true;
  fault.value = await onPhone(async (open) => {
    await open.stopActingFor(id);
    await load();
  });
  sending.value = false;
  removing.value = null;
}

async function add(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const called = personLabel.value.trim();
  personBad.value = !isLabel(called);
  if (personBad.value || sending.value) return;
  sending.value = true;
  fault.value = await attempt(async (open) => switchTo(await open.actFor(called)));
  sending.value = false;
  if (!fault.value) personLabel.value = "";
}

function ForOthers() {
  return (
    <>
      <h3>{t(WORDS.persons)}</h3>
      <p>{t(WORDS.personsText)}</p>
      {!registered.value && <Faulty fault={fault.value} />}
      {persons.value.map((person) => (
        <div key={person.id} data-testid="person">
          <p class="row">
            <button class="main" onClick={() => switchTo(person.id)}>
              {person.label}
            </button>
            <button onClick={() => (removing.value = person.id)}>
              {t(WORDS.personRemove)}: {person.label}
            </button>
          </p>
          {removing.value === person.id && (
            <Sure
              words={WORDS.personRemoveSure}
              busy={sending.value}
              act={() => void remove(person.id)}
              not={() => (removing.value = null)}
            />
          )}
        </div>
      ))}
      <form onSubmit={(event) => void add(event)} autocomplete="off">
        <Field label={WORDS.personLabel} bad={personBad.value ? WORDS.labelBad : null}>
          <input
            name="person-label"
            maxLength={LABEL_BYTES_MOST}
            value={personLabel.value}
            aria-invalid={personBad.value}
            onInput={(event) => (personLabel.value = event.currentTarget.value)}
          />
        </Field>
        <button type="submit" disabled={sending.value}>
          {t(WORDS.personAdd)}
        </button>
      </form>
    </>
  );
}
