// A clerk proposes who acts for somebody that has no phone; somebody else agrees before the office signs it.

import { signal as state } from "@preact/signals";
import { useRef } from "preact/hooks";

import { endOfField, fieldOfMinute } from "../../../../pages/web/dates.ts";
import type { Fault } from "../../../../pages/web/fault.ts";
import { t } from "../../../../pages/web/looks.tsx";
import { readMandate } from "../../../../pages/web/mandate.ts";
import { byteLength, identityNumber, plain } from "../../../../pages/web/typed.ts";
import type { Words } from "../../../../pages/web/words.ts";
import { GROUNDS_BYTES_MOST } from "../draft.ts";
import { Faulty, Field, NumberField, Select, Text, officeName, told, toFirstBad } from "../parts.tsx";
import { Done, Names, type Sent } from "../proposing.tsx";
import { namers } from "../route.ts";
import { faultOf } from "../service.ts";
import { call, nowMinute } from "../session.ts";
import { WORDS } from "../words.ts";

/** Most days ahead. */
const DAYS_MOST = 366;
/** Room for the proxy's text with the spaces that somebody may type. */
const CODE_LEN_MOST = 120;

/** It lives in the page's memory alone, as a statement does. */
const EMPTY = { source: "", number: "", code: "", until: "", grounds: "" };
type Draft = typeof EMPTY;
type Bad = Partial<Record<keyof Draft, Words>>;

const draft = state<Draft>(EMPTY);
const bad = state<Bad>({});
const fault = state<Fault | null>(null);
const isSending = state(false);
const done = state<Sent | null>(null);
const named = new Names();

/** Whether something was written that would be missed. */
export function isNaming(): boolean {
  const { source: _, ...written } = draft.value;
  return Object.values(written).some((text) => text !== "");
}

function write(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
  const rest = { ...bad.value };
  for (const name of Object.keys(part) as (keyof Draft)[]) delete rest[name];
  bad.value = rest;
}

function begin(): void {
  draft.value = EMPTY;
  bad.value = {};
  fault.value = null;
  done.value = null;
}

/** The office, where there is but one, or the one that was chosen. */
function officeOf({ source }: Draft): string {
  const offices = namers();
  return offices.length === 1 ? offices[0]!.source : source;
}

const untilOf = ({ until }: Draft) => endOfField(until, nowMinute(), DAYS_MOST);

function faults(of: Draft, key: Uint8Array | null): Bad {
  const bad: Bad = {};
  if (officeOf(of) === "") bad.source = WORDS.chooseBad;
  if (identityNumber(of.number) === null) bad.number = WORDS.numberBad;
  if (key === null) bad.code = WORDS.proxyCodeBad;
  if (untilOf(of) === null) bad.until = WORDS.proxyUntilBad;
  const bytes = byteLength(plain(of.grounds));
  if (bytes === 0 || bytes > GROUNDS_BYTES_MOST) bad.grounds = WORDS.groundsBad;
  return bad;
}

async function send(event: SubmitEvent, form: HTMLElement | null): Promise<void> {
  event.preventDefault();
  if (isSending.value) return;
  const written = draft.value;
  isSending.value = true;
  fault.value = null;
  try {
    const key = await readMandate(written.code);
    bad.value = faults(written, key);
    if (Object.keys(bad.value).length > 0) return toFirstBad(form);
    const value = {
      source: officeOf(written),
      identityNumber: identityNumber(written.number) ?? "",
      proxyKey: key ?? new Uint8Array(),
      untilMinute: untilOf(written) ?? 0,
    };
    const id = named.of(written);
    const request = { proposalId: id, what: { case: "naming" as const, value }, grounds: plain(written.grounds) };
    const answer = await call((to) => to.propose(request));
    begin();
    done.value = { id, lapses: answer.lapsesAtMinute };
    named.next();
  } catch (error) {
    fault.value = faultOf(error);
  } finally {
    isSending.value = false;
  }
}

export function Naming() {
  const form = useRef<HTMLFormElement>(null);
  if (done.value) return <Done title={WORDS.naming} sent={done.value} again={begin} />;
  const { value: of } = draft;
  return (
    <form ref={form} onSubmit={(event) => void send(event, form.current)} autocomplete="off" noValidate>
      <h2>{t(WORDS.naming)}</h2>
      <p>{t(WORDS.namingText)}</p>
      <Office />
      <NumberField bad={bad.value.number} value={of.number} write={(number) => write({ number })} />
      <Code />
      <Until />
      <Text
        asked={{ name: "grounds", label: WORDS.grounds, hint: WORDS.namingGroundsHint, bad: bad.value.grounds }}
        value={of.grounds}
        most={GROUNDS_BYTES_MOST}
        write={(grounds) => write({ grounds })}
      />
      <Faulty fault={fault.value} />
      <button class="main" type="submit" aria-disabled={isSending.value}>
        {t(isSending.value ? WORDS.sending : WORDS.propose)}
      </button>
    </form>
  );
}

function Office() {
  const offices = namers();
  const source = officeOf(draft.value);
  if (offices.length === 1) {
    return (
      <p>
        {t(WORDS.office)}: <strong>{officeName(source)}</strong>
      </p>
    );
  }
  return (
    <Select
      asked={{ name: "source", label: WORDS.office, bad: bad.value.source }}
      value={source}
      options={offices.map(({ source }) => [source, officeName(source)])}
      choose={(source) => write({ source })}
    />
  );
}

function Code() {
  const asked = { name: "code", label: WORDS.proxyCode, hint: WORDS.proxyCodeHint, bad: bad.value.code };
  return (
    <Field asked={asked}>
      <input
        {...told(asked)}
        class="code"
        value={draft.value.code}
        maxLength={CODE_LEN_MOST}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => write({ code: event.currentTarget.value })}
      />
    </Field>
  );
}

function Until() {
  const asked = { name: "until", label: WORDS.proxyUntil, bad: bad.value.until };
  const today = fieldOfMinute(nowMinute()).slice(0, 10);
  return (
    <Field asked={asked}>
      <input
        {...told(asked)}
        type="date"
        value={draft.value.until}
        min={today}
        onInput={(event) => write({ until: event.currentTarget.value })}
      />
    </Field>
  );
}
