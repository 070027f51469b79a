// The appeals that wait, by deadline, and one of them with the form to decide it.

import { signal as state } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import type { CaseContent, CaseLine } from "@viridian/wire/console";

import { fromHex, hex } from "../../../../pages/web/bytes.ts";
import { minuteText } from "../../../../pages/web/dates.ts";
import type { Fault } from "../../../../pages/web/fault.ts";
import { language, t } from "../../../../pages/web/looks.tsx";
import { byteLength, plain } from "../../../../pages/web/typed.ts";
import type { Words } from "../../../../pages/web/words.ts";
import { OfCase } from "../content.tsx";
import { GROUNDS_BYTES_MOST } from "../draft.ts";
import { Due, useTicks } from "../due.tsx";
import { Choice, Counts, Faulty, Head, Line, Select, Text, officeName, toFirstBad, useAsked } from "../parts.tsx";
import { linkTo } from "../route.ts";
import { Names, WasProposed, type Sent } from "../proposing.tsx";
import { faultOf } from "../service.ts";
import { call, desk } from "../session.ts";
import { WORDS } from "../words.ts";

/** Longest words for the resident, in bytes. */
const WORDS_BYTES_MOST = 1_000;

const chosen = state("");

function deciding(): string[] {
  return (desk.value?.offices ?? []).filter((office) => office.decidesAppeals).map(({ source }) => source);
}

export function Appeals() {
  const offices = deciding();
  const source = offices.find((office) => office === chosen.value) ?? offices[0];
  return (
    <section aria-labelledby="appeals">
      {offices.length > 1 && (
        <Select
          asked={{ name: "office", label: WORDS.office }}
          value={source ?? ""}
          options={offices.map((office) => [office, officeName(office)])}
          choose={(office) => (chosen.value = office)}
        />
      )}
      {source === undefined ? <h2 id="appeals">{t(WORDS.appeals)}</h2> : <Queue key={source} source={source} />}
      {source === undefined && <p>{t(WORDS.appealsNone)}</p>}
    </section>
  );
}

function Queue({ source }: { source: string }) {
  const asked = useAsked((isByItself) => call((to) => to.listCases({ source, isByItself }), isByItself));
  const { found, fault, isAsking, isStale, look } = asked;
  const [more, setMore] = useState<CaseLine[]>([]);
  const [moreFault, setMoreFault] = useState<Fault | null>(null);
  const first = found?.cases ?? [];
  // Some that were decided meanwhile may have let others move up into the first part.
  const names = new Set(first.map(({ appeal }) => hex(appeal)));
  const cases = [...first, ...more.filter(({ appeal }) => !names.has(hex(appeal)))];
  const older = async () => {
    const after = cases.at(-1)?.appeal ?? new Uint8Array();
    try {
      const answer = await call((to) => to.listCases({ source, after }));
      setMore([...more, ...answer.cases]);
      setMoreFault(null);
    } catch (error) {
      setMoreFault(faultOf(error));
    }
  };
  return (
    <>
      <Head words={WORDS.appeals} id="appeals" isAsking={isAsking} isStale={isStale} look={() => (setMore([]), void look())} />
      <p>{t(WORDS.appealsText)}</p>
      <Faulty fault={fault ?? moreFault} />
      {found && (
        <Counts>
          {t(WORDS.appealsTotal)}: <strong>{found.total}</strong> · {t(WORDS.appealsOverdue)}:{" "}
          <strong class={found.overdue > 0 ? "bad" : undefined}>{found.overdue}</strong>
        </Counts>
      )}
      {found && cases.length === 0 && <p>{t(WORDS.appealsNone)}</p>}
      {cases.map((line) => (
        <One key={hex(line.appeal)} line={line} source={source} />
      ))}
      {found && cases.length < found.total && cases.length > 0 && <button onClick={() => void older()}>{t(WORDS.later)}</button>}
    </>
  );
}

function One({ line, source }: { line: CaseLine; source: string }) {
  useTicks();
  const name = hex(line.appeal);
  return (
    <article class="card" data-testid="appeal">
      <h3>
        <a href={linkTo("appeal", name, source)}>
          {t(WORDS.appeal)} {name.slice(-6)}
        </a>
      </h3>
      <p>
        <Due by={line.decideByMinute} />
      </p>
      <dl class="terms">
        <Line name={WORDS.came}>{minuteText(language.value, line.openedAtMinute)}</Line>
        <Line name={WORDS.due}>{minuteText(language.value, line.decideByMinute)}</Line>
      </dl>
      {line.proposalId.length > 0 && <Proposed id={line.proposalId} />}
    </article>
  );
}

function Proposed({ id }: { id: Uint8Array }) {
  return (
    <p class="hint">
      <a href={linkTo("proposal", hex(id))}>{t(WORDS.hasProposal)}</a>
    </p>
  );
}

export function Appeal({ name, source }: { name: string; source: string }) {
  const appeal = fromHex(name);
  // Each reading is an act, and the resident is told of it: it is read once, and no more by itself.
  const { found, fault, isAsking, look } = useAsked(() => call((to) => to.readCase({ source, appeal })), [name, source], false);
  return (
    <section aria-labelledby="appeal">
      <p>
        <a href={linkTo("appeals")}>← {t(WORDS.back)}</a>
      </p>
      <h2 id="appeal">
        {t(WORDS.appeal)} {name.slice(-6)}
      </h2>
      {isAsking && !found && <p role="status">{t(WORDS.asking)}</p>}
      <Faulty fault={fault} />
      {fault && <button onClick={() => void look()}>{t(WORDS.retry)}</button>}
      {found?.content && (
        <>
          <p class="hint">{t(WORDS.recorded)}</p>
          <h3>{t(WORDS.disputed)}</h3>
          <OfCase content={found.content} />
          <Decide key={name} name={name} source={source} content={found.content} />
        </>
      )}
    </section>
  );
}

interface Draft {
  outcome: string;
  words: string;
  grounds: string;
}

const NOTHING: Draft = { outcome: "", words: "", grounds: "" };
/** What is being written, by appeal. */
const drafts = state<Record<string, Draft>>({});

export function isDeciding(): boolean {
  return Object.values(drafts.value).some((draft) => draft.words !== "" || draft.grounds !== "");
}

type Bad = Partial<Record<keyof Draft, Words>>;

function faults({ outcome, words, grounds }: Draft): Bad {
  const bad: Bad = {};
  const isWithin = (text: string, most: number) => plain(text) !== "" && byteLength(plain(text)) <= most;
  if (outcome === "") bad.outcome = WORDS.chooseBad;
  if (!isWithin(words, WORDS_BYTES_MOST)) bad.words = WORDS.wordsForBad;
  if (!isWithin(grounds, GROUNDS_BYTES_MOST)) bad.grounds = WORDS.groundsBad;
  return bad;
}

const named = new Names();

function Decide({ name, source, content }: { name: string; source: string; content: CaseContent }) {
  const [bad, setBad] = useState<Bad>({});
  const [fault, setFault] = useState<Fault | null>(null);
  const [isSending, setSending] = useState(false);
  const [done, setDone] = useState<Sent | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const draft = drafts.value[name] ?? NOTHING;
  const write = (part: Partial<Draft>) => {
    drafts.value = { ...drafts.value, [name]: { ...draft, ...part } };
    setBad({});
  };
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isSending) return;
    const wrong = faults(draft);
    setBad(wrong);
    setFault(null);
    if (Object.keys(wrong).length > 0) return toFirstBad(form.current);
    const id = named.of([name, draft]);
    setSending(true);
    try {
      const value = { source, appeal: fromHex(name), isUpheld: draft.outcome === "uphold", words: plain(draft.words) };
      const request = { proposalId: id, what: { case: "decision" as const, value }, grounds: plain(draft.grounds) };
      const answer = await call((to) => to.propose(request));
      setDone({ id, lapses: answer.lapsesAtMinute });
      const { [name]: _, ...rest } = drafts.value;
      drafts.value = rest;
      named.next();
    } catch (error) {
      setFault(faultOf(error));
    }
    setSending(false);
  };
  if (done) {
    return <WasProposed sent={done} />;
  }
  return (
    <form ref={form} onSubmit={(event) => void send(event)} autocomplete="off" noValidate>
      <h3>{t(WORDS.decide)}</h3>
      <Choice
        asked={{ name: "outcome", label: WORDS.outcome, bad: bad.outcome }}
        value={draft.outcome}
        options={[
          ["uphold", WORDS.uphold],
          ["dismiss", WORDS.dismiss],
        ]}
        choose={(outcome) => write({ outcome })}
      />
      <Text
        asked={{ name: "words", label: WORDS.wordsFor, hint: WORDS.wordsForHint, bad: bad.words }}
        value={draft.words}
        most={WORDS_BYTES_MOST}
        rows={6}
        write={(words) => write({ words })}
      />
      <Text
        asked={{ name: "grounds", label: WORDS.grounds, hint: WORDS.groundsHint, bad: bad.grounds }}
        value={draft.grounds}
        most={GROUNDS_BYTES_MOST}
        write={(grounds) => write({ grounds })}
      />
      <Faulty fault={fault} />
      <button class="main" type="submit" aria-disabled={isSending}>
        {t(isSending ? WORDS.sending : WORDS.decideSend)}
      </button>
      <p class="hint">
        <Due by={content.decideByMinute} />
      </p>
    </form>
  );
}
