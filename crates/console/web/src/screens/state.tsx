// A clerk states a fact about one person; somebody else agrees with it before anything is signed.

import { signal as state } from "@preact/signals";
import { useRef } from "preact/hooks";
import { StatementKind } from "@viridian/wire/console";

import { fieldOfMinute } from "../../../../pages/web/dates.ts";
import type { Fault } from "../../../../pages/web/fault.ts";
import { t } from "../../../../pages/web/looks.tsx";
import { plain } from "../../../../pages/web/typed.ts";
import type { Words } from "../../../../pages/web/words.ts";
import {
  bad,
  clear,
  draft,
  faults,
  GROUNDS_BYTES_MOST,
  homeOf,
  offered,
  officeOf,
  statementOf,
  write,
  type Draft,
} from "../draft.ts";
import { Choice, Faulty, Field, NumberField, Select, Text, officeName, province, provinces, toFirstBad, told } from "../parts.tsx";
import { Done, Names, type Sent } from "../proposing.tsx";
import { faultOf } from "../service.ts";
import { call, desk, nowMinute } from "../session.ts";
import { DEGREES, GRADES, KINDS, LISTS, WHENS, WORDS } from "../words.ts";

const fault = state<Fault | null>(null);
const isSending = state(false);
const done = state<Sent | null>(null);
const named = new Names();

/** Begins another statement with some of it filled in. */
export function begin(part: Partial<Draft>): void {
  clear();
  write(part);
  fault.value = null;
  done.value = null;
}

async function send(event: SubmitEvent, form: HTMLElement | null): Promise<void> {
  event.preventDefault();
  if (isSending.value) return;
  const written = draft.value;
  bad.value = faults(written);
  fault.value = null;
  if (Object.keys(bad.value).length > 0) return toFirstBad(form);
  const id = named.of(written);
  isSending.value = true;
  try {
    const request = { proposalId: id, what: { case: "statement" as const, value: statementOf(written) }, grounds: plain(written.grounds) };
    const answer = await call((to) => to.propose(request));
    done.value = { id, lapses: answer.lapsesAtMinute };
    clear();
    named.next();
  } catch (error) {
    fault.value = faultOf(error);
  }
  isSending.value = false;
}

export function State() {
  const form = useRef<HTMLFormElement>(null);
  if (done.value) return <Done title={WORDS.state} sent={done.value} again={() => begin({})} />;
  const { kind } = draft.value;
  return (
    <form ref={form} onSubmit={(event) => void send(event, form.current)} autocomplete="off" noValidate>
      <h2>{t(WORDS.state)}</h2>
      <p>{t(WORDS.stateText)}</p>
      <What />
      {kind !== "" && (
        <>
          <Who />
          <OfKind kind={Number(kind)} />
          <When kind={Number(kind)} />
          <Text
            asked={{ name: "grounds", label: WORDS.grounds, hint: WORDS.groundsHint, bad: bad.value.grounds }}
            value={draft.value.grounds}
            most={GROUNDS_BYTES_MOST}
            write={(grounds) => write({ grounds })}
          />
        </>
      )}
      <Faulty fault={fault.value} />
      <button class="main" type="submit" aria-disabled={isSending.value}>
        {t(isSending.value ? WORDS.sending : WORDS.propose)}
      </button>
    </form>
  );
}

/** Choices of numbers with their words. */
const listed = (words: Record<number, Words>): [string, Words][] => Object.entries(words);

function What() {
  const offices = offered();
  const source = officeOf(draft.value);
  const kinds = offices.find((office) => office.source === source)?.kinds ?? [];
  return (
    <>
      {offices.length === 1 ? (
        <p>
          {t(WORDS.office)}: <strong>{officeName(source)}</strong>
        </p>
      ) : (
        <Select
          asked={{ name: "source", label: WORDS.office, bad: bad.value.source }}
          value={source}
          options={offices.map(({ source }) => [source, officeName(source)])}
          // Another office states other things.
          choose={(source) => write({ source, kind: "", exposure: "" })}
        />
      )}
      {source !== "" && (
        <Select
          asked={{ name: "kind", label: WORDS.kind, bad: bad.value.kind }}
          value={draft.value.kind}
          options={kinds.map((kind) => [String(kind), t(KINDS[kind] ?? WORDS.choose)])}
          choose={(kind) => write({ kind })}
        />
      )}
    </>
  );
}

function Who() {
  return (
    <>
      <NumberField bad={bad.value.number} value={draft.value.number} write={(number) => write({ number })} />
      <Select
        asked={{ name: "home", label: WORDS.home }}
        value={String(homeOf(draft.value))}
        options={provinces()}
        choose={(home) => write({ home })}
      />
    </>
  );
}

function OfKind({ kind }: { kind: StatementKind }) {
  const of = draft.value;
  switch (kind) {
    case StatementKind.TEST:
      return (
        <Choice
          asked={{ name: "result", label: WORDS.result, bad: bad.value.result }}
          value={of.result}
          options={[
            ["negative", WORDS.negative],
            ["positive", WORDS.positive],
          ]}
          choose={(result) => write({ result })}
        />
      );
    case StatementKind.CONTACT:
      return (
        <Choice
          asked={{ name: "contact", label: WORDS.degree, bad: bad.value.contact }}
          value={of.contact}
          options={listed(DEGREES)}
          choose={(contact) => write({ contact })}
        />
      );
    case StatementKind.CASE:
      return (
        <Choice
          asked={{ name: "case", label: WORDS.grade, bad: bad.value.case }}
          value={of.case}
          options={listed(GRADES)}
          choose={(grade) => write({ case: grade })}
        />
      );
    case StatementKind.EXPOSURE: {
      const may = offered().find((office) => office.source === officeOf(of))?.exposures ?? [];
      return (
        <Select
          asked={{ name: "exposure", label: WORDS.list, bad: bad.value.exposure }}
          value={of.exposure}
          options={listed(LISTS)
            .filter(([list]) => may.includes(Number(list)))
            .map(([list, words]) => [list, t(words)])}
          choose={(exposure) => write({ exposure })}
        />
      );
    }
    case StatementKind.RELEASE: {
      const asked = { name: "target", label: WORDS.target, bad: bad.value.target };
      return (
        <Field asked={asked}>
          <input
            {...told(asked)}
            value={of.target}
            maxLength={40}
            spellcheck={false}
            onInput={(event) => write({ target: event.currentTarget.value })}
          />
        </Field>
      );
    }
    default:
      return null;
  }
}

function When({ kind }: { kind: StatementKind }) {
  const asked = { name: "at", label: WHENS[kind] ?? WORDS.when, bad: bad.value.at };
  const isPlaced = kind !== StatementKind.TEST && kind !== StatementKind.RELEASE;
  return (
    <>
      <Field asked={asked}>
        <input
          {...told(asked)}
          type="datetime-local"
          value={draft.value.at}
          max={fieldOfMinute(nowMinute())}
          onInput={(event) => write({ at: event.currentTarget.value })}
        />
      </Field>
      {isPlaced && (
        <p>
          {t(WORDS.where)}: <strong>{province(desk.value?.province ?? 0)}</strong>
        </p>
      )}
    </>
  );
}
