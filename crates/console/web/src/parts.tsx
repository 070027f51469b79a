// Pieces that several screens are made of.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { Fault } from "../../../pages/web/fault.ts";
import { t } from "../../../pages/web/looks.tsx";
import { provinceName } from "../../../pages/web/provinces.ts";
import { byteLength, identityNumber, plain } from "../../../pages/web/typed.ts";
import type { Words } from "../../../pages/web/words.ts";
import { faultOf } from "./service.ts";
import { isOver, isTyping } from "./session.ts";
import { FAULTS, WORDS } from "./words.ts";

export { Line } from "../../../pages/web/line.tsx";
import { OFFICES } from "../../../pages/web/offices.ts";

/** What went wrong, and what to do. */
export function Faulty({ fault }: { fault: Fault | null }) {
  if (!fault) return null;
  return (
    <p class="warn" role="alert">
      {t(FAULTS[fault.code] ?? FAULTS.PAGE!)} <span class="detail">{fault.code}</span>
    </p>
  );
}

interface Asked {
  /** Tells fields of one form apart. */
  name: string;
  label: Words;
  hint?: Words;
  bad?: Words | null | undefined;
}

/** What a field says of itself to whoever hears the page. */
export function told({ name, hint, bad }: Asked): { name: string; id: string; "aria-invalid"?: true; "aria-describedby"?: string } {
  const ids = [hint && `${name}-hint`, bad && `${name}-bad`].filter(Boolean).join(" ");
  return { name, id: name, ...(bad ? { "aria-invalid": true } : {}), ...(ids ? { "aria-describedby": ids } : {}) };
}

function Hint({ name, hint }: Asked) {
  if (!hint) return null;
  return (
    <p class="hint" id={`${name}-hint`}>
      {t(hint)}
    </p>
  );
}

function Wrong({ name, bad }: Asked) {
  if (!bad) return null;
  return (
    <p class="warn" id={`${name}-bad`}>
      {t(bad)}
    </p>
  );
}

/** A field with its name, and what is wrong with what stands in it. */
export function Field({ asked, children }: { asked: Asked; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={asked.name}>{t(asked.label)}</label>
      <Hint {...asked} />
      {children}
      <Wrong {...asked} />
    </div>
  );
}

/** An identity number, and when whoever has it was born, once its check character fits. */
export function NumberField({ bad, value, write }: { bad: Words | undefined; value: string; write: (value: string) => void }) {
  const fits = identityNumber(value);
  const asked = { name: "number", label: WORDS.number, bad };
  return (
    <Field asked={asked}>
      <input
        {...told(asked)}
        class="number"
        value={value}
        maxLength={24}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => write(event.currentTarget.value)}
      />
      <p class="hint" role="status">
        {fits !== null && `${t(WORDS.numberFits)} ${birthOf(fits)}`}
      </p>
    </Field>
  );
}

/** When somebody with this number was born, in the digits of the number. */
function birthOf(number: string): string {
  return `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
}

/** One of a list. */
export function Select(props: { asked: Asked; value: string; options: [string, string][]; choose: (value: string) => void }) {
  return (
    <Field asked={props.asked}>
      <select {...told(props.asked)} value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        {props.value === "" && <option value="">{t(WORDS.choose)}</option>}
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** One of two or three, all to be seen. */
export function Choice(props: { asked: Asked; value: string; options: [string, Words][]; choose: (value: string) => void }) {
  const { name, label, bad } = props.asked;
  const { "aria-describedby": by } = told(props.asked);
  return (
    <fieldset aria-describedby={by}>
      <legend>{t(label)}</legend>
      {props.options.map(([value, words]) => (
        <label key={value} class="tick">
          <input
            type="radio"
            name={name}
            value={value}
            checked={props.value === value}
            onChange={() => props.choose(value)}
            {...(bad ? { "aria-invalid": true as const } : {})}
          />
          {t(words)}
        </label>
      ))}
      <Wrong {...props.asked} />
    </fieldset>
  );
}

/** A text of several lines, with how much of it there may be. */
export function Text(props: { asked: Asked; value: string; most: number; rows?: number; write: (value: string) => void }) {
  const bytes = byteLength(plain(props.value));
  return (
    <Field asked={props.asked}>
      <textarea
        {...told(props.asked)}
        rows={props.rows ?? 4}
        value={props.value}
        onInput={(event) => props.write(event.currentTarget.value)}
      />
      <p class={bytes > props.most ? "count bad" : "count"}>
        {bytes}/{props.most} {t(WORDS.bytes)}
      </p>
    </Field>
  );
}

/** Puts the focus where the first field is that has to be mended. */
export function toFirstBad(form: HTMLElement | null): void {
  // After the page has shown what is wrong.
  setTimeout(() => form?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
}

/**
 * What is asked for when a screen opens, and again by itself while it can be seen: quietly, so that nobody hears of it, and never
 * while somebody types. The newest question counts.
 */
export function useAsked<T>(ask: (isByItself: boolean) => Promise<T>, about: unknown[] = [], goesOn = true) {
  const [found, setFound] = useState<T | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [isAsking, setAsking] = useState(true);
  const [isStale, setStale] = useState(false);
  const turn = useRef(0);
  const waits = useRef(false);
  const lookedAtMs = useRef(0);
  const look = async (isByItself = false) => {
    const mine = ++turn.current;
    const mayTell = () => mine === turn.current;
    waits.current = true;
    lookedAtMs.current = Date.now();
    if (!isByItself) setAsking(true);
    try {
      const answer = await ask(isByItself);
      if (!mayTell()) return;
      setFound(answer);
      setFault(null);
      setStale(false);
    } catch (error) {
      if (mayTell() && isByItself) setStale(true);
      else if (mayTell()) setFault(faultOf(error));
    }
    if (!mayTell()) return;
    waits.current = false;
    setAsking(false);
  };
  useEffect(() => {
    setFound(null);
    void look();
    const lookAgain = () => {
      const isDue = Date.now() - lookedAtMs.current >= LOOK_EVERY_MS;
      if (!goesOn || !isDue || waits.current || isOver.value || isTyping()) return;
      if (document.visibilityState === "visible") void look(true);
    };
    const timer = setInterval(lookAgain, TICK_EVERY_MS);
    document.addEventListener("visibilitychange", lookAgain);
    return () => {
      turn.current += 1;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookAgain);
    };
  }, about);
  return { found, fault, isAsking, isStale, look };
}

const LOOK_EVERY_MS = 20_000;
/** How often it is asked whether it is time to look. */
const TICK_EVERY_MS = 1_000;

/** Part of a list of numbered things, newest first, and from where it goes on; 0 for nowhere. */
export interface Part<T> {
  lines: T[];
  next: bigint;
}

/** A list, its newest part as it is now, and older ones once they are asked for. */
export function useList<T extends { number: bigint }, More>(ask: (before: bigint, isByItself: boolean) => Promise<Part<T> & More>) {
  const { found, fault, isAsking, isStale, look } = useAsked((isByItself) => ask(0n, isByItself));
  const [opened, setOlder] = useState<Part<T>>({ lines: [], next: 0n });
  const [olderFault, setOlderFault] = useState<Fault | null>(null);
  const newest = found?.lines ?? [];
  const last = newest.at(-1)?.number ?? 0n;
  // Where more came than the newest part holds, the older ones do not join it any more: they are asked for anew.
  const isTorn = opened.lines.length > 0 && last > opened.lines[0]!.number + 1n;
  const older = isTorn ? { lines: [], next: 0n } : opened;
  const next = older.lines.length > 0 ? older.next : (found?.next ?? 0n);
  const more = async () => {
    try {
      const part = await ask(next, false);
      setOlder({ lines: [...older.lines, ...part.lines], next: part.next });
      setOlderFault(null);
    } catch (error) {
      setOlderFault(faultOf(error));
    }
  };
  return {
    found,
    // Newer ones may have come meanwhile and pushed some of the newest part into the older ones.
    all: [...newest, ...older.lines.filter((line) => line.number < last)],
    fault: fault ?? olderFault,
    isAsking,
    isStale,
    look,
    more: next === 0n ? null : more,
  };
}

/** The heading of a list, with a button that looks again. */
export function Head(props: { words: Words; id: string; isAsking: boolean; isStale: boolean; look: () => void }) {
  return (
    <>
      <div class="head">
        <h2 id={props.id}>{t(props.words)}</h2>
        <button onClick={props.look} aria-disabled={props.isAsking}>
          {t(props.isAsking ? WORDS.asking : WORDS.again)}
        </button>
      </div>
      {props.isStale && (
        <p class="hint" data-testid="stale">
          {t(WORDS.stale)}
        </p>
      )}
    </>
  );
}

/** How many of something there are. Whoever hears the page is told when a number is another, and of nothing else. */
export function Counts({ children }: { children: ComponentChildren }) {
  return (
    <p class="counts" role="status" data-testid="counts">
      {children}
    </p>
  );
}

export function province(code: number): string {
  const name = provinceName(code);
  return name ? t(name) : String(code);
}

/** Names of all provinces, as a list to choose from. */
export function provinces(): [string, string][] {
  const codes = Array.from({ length: 83 }, (_, code) => code).filter((code) => provinceName(code) !== null);
  return codes.map((code) => [String(code), province(code)]);
}

/** An institution by its identifier, such as `33-cdc-1`, behind which its own name may stand. */
export function officeName(source: string): string {
  const words = OFFICES[/^\d\d-([a-z-]+)-\d+/.exec(source)?.[1] ?? ""];
  return words ? `${t(words)} ${source}` : source;
}
