// The page as a whole: what is open, what was read last, and what is shown of it.

import { computed, signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { openAlone } from "../../../pages/web/alone.ts";
import { language, t, useLooks } from "../../../pages/web/looks.tsx";
import { newer, watchForUpdates } from "../../../pages/web/update.ts";
import type { Words } from "../../../pages/web/words.ts";
import { Desk, NotKept, type ListInUse, type Report } from "./desk.ts";
import { Menu } from "./menu.tsx";
import { Result } from "./result.tsx";
import { Scan } from "./scan.tsx";
import { signal } from "./signal.ts";
import { WORDS } from "./words.ts";

/** Clocks that differ by more than this are told of; the verifier itself admits less. */
const CLOCK_DIFFERS_S = 20;
/** Checks of the list's age. */
const LOOK_EVERY_MS = 5_000;

type Phase = "opening" | "open" | "elsewhere" | { failed: string };

export const phase = state<Phase>("opening");
export const desk = state<Desk | null>(null);
export const list = state<ListInUse | null>(null);
export const online = state(false);
export const refused = state<string | null>(null);
export const clockAheadS = state<number | null>(null);
export const report = state<Report | null>(null);
export const fault = state<Words | null>(null);
/** The field that a scanner types into: the cursor stands there whenever nothing lies over it. */
export const reader: { current: HTMLInputElement | null } = { current: null };
export const sound = state(localStorage.getItem("sound") !== "no");
export const chosen = state(localStorage.getItem("profile") ?? "");

/**
 * The rule that is asked for: the supervisor's choice, else the checkpoint's own. `null` where the list does not have it: then
 * nothing is decided, since any other rule may ask for less.
 */
export const profile = computed(() => {
  const asked = chosen.value || desk.value?.setting.profile || "";
  return list.value && !list.value.profiles.includes(asked) ? null : asked;
});

/** Why nothing can be decided, in words. */
class Undecided extends Error {
  constructor(readonly words: Words) {
    super(words.en);
  }
}

/** Reads a code, unless one is being shown. */
let deciding = false;
export async function decide(text: string, card: string): Promise<void> {
  const open = desk.value;
  if (!open || deciding || report.value) return;
  deciding = true;
  try {
    if (profile.value === null) throw new Undecided(WORDS.profileGone);
    const found = await open.decide(text, profile.value, card);
    // Whoever took the gate over meanwhile remembers other codes.
    if (desk.value !== open) return;
    report.value = found;
    signal(found.outcome, sound.value);
  } catch (error) {
    console.error(error);
    fault.value = error instanceof Undecided ? error.words : error instanceof NotKept ? WORDS.notKept : WORDS.notDecided;
    signal("undecided", sound.value);
  } finally {
    deciding = false;
  }
}

/** Whose turn it is: who opened before, and lost the gate to another window, stops. */
let turn = 0;

async function renew(open: Desk): Promise<void> {
  try {
    await open.renew();
    if (desk.value !== open) return;
    online.value = true;
    refused.value = null;
  } catch (error) {
    if (desk.value !== open) return;
    // Not reached, or not believed: the list in hand serves on, and its age is shown.
    const reached = !isUnreachable(error);
    online.value = reached;
    refused.value = reached ? String(error) : null;
  }
  list.value = open.list();
}

function isUnreachable(error: unknown): boolean {
  const code = (error as { code?: number }).code;
  return code === 14 || code === 4 || code === 2 || error instanceof TypeError;
}

async function open(): Promise<void> {
  const mine = ++turn;
  phase.value = "opening";
  try {
    const opened = await Desk.open();
    if (mine !== turn) return opened.desk.close();
    desk.value = opened.desk;
    clockAheadS.value = opened.clockAheadS;
    online.value = opened.clockAheadS !== null;
    list.value = opened.desk.list();
    phase.value = "open";
    void keepFresh(opened.desk);
  } catch (error) {
    if (mine === turn) phase.value = { failed: String(error) };
  }
}

/** Another window has the gate now. */
function lose(): void {
  turn += 1;
  desk.value?.close();
  desk.value = null;
  list.value = null;
  report.value = null;
  phase.value = "elsewhere";
}

async function keepFresh(open: Desk): Promise<void> {
  while (desk.value === open) {
    await renew(open);
    const wait = open.setting.refreshEveryS * 1000 * (1 + Math.random() / 10);
    await new Promise<void>((done) => {
      const go = () => {
        removeEventListener("online", go);
        clearTimeout(timer);
        done();
      };
      const timer = setTimeout(go, list.value ? wait : LOOK_EVERY_MS);
      addEventListener("online", go);
    });
  }
}

/** Two windows would each let the same code pass. */
function take(steal: boolean): void {
  const isElsewhere = () => {
    phase.value = "elsewhere";
  };
  openAlone("gate", steal, { open, isElsewhere, isLost: lose });
}

export function App() {
  useEffect(() => {
    take(false);
    void watchForUpdates();
    const look = setInterval(() => {
      list.value = desk.value?.list() ?? null;
    }, LOOK_EVERY_MS);
    return () => clearInterval(look);
  }, []);
  useLooks();

  const now = phase.value;
  return (
    <>
      <div inert={(report.value ?? fault.value) !== null}>
      <Top />
      <main>
        {now === "opening" && <p role="status">{t(WORDS.loading)}</p>}
        {now === "elsewhere" && (
          <Notice words={WORDS.otherTab} action={WORDS.otherTabRetry} act={() => take(true)} />
        )}
        {typeof now === "object" && (
          <Notice words={WORDS.noSetting} action={WORDS.retry} act={() => void open()} detail={now.failed} />
        )}
        {now === "open" && <Scan />}
      </main>
      </div>
      {(report.value ?? fault.value) && <Result />}
    </>
  );
}

function Top() {
  const open = list.value;
  const ahead = Math.abs(clockAheadS.value ?? 0);
  return (
    <header>
      <h1>{t(WORDS.title)}</h1>
      <p class={open && !open.stale ? "state" : "state bad"} role="status" data-testid="state">
        {online.value ? t(WORDS.online) : t(WORDS.offline)} · {t(WORDS.list)} <Age list={open} />
        {open && profile.value && <> · {t(WORDS.profile)} {profile.value}</>}
      </p>
      <Menu />
      {open && profile.value === null && (
        <p class="warn" role="alert">
          {t(WORDS.profileGone)}
        </p>
      )}
      {open?.stale && <p class="warn">{t(WORDS.listOld)}</p>}
      {refused.value && (
        <p class="warn">
          {t(WORDS.listRefused)}: {refused.value}
        </p>
      )}
      {ahead > CLOCK_DIFFERS_S && (
        <p class="warn" role="alert">
          {t(WORDS.clockWrong)} {ahead} {t(WORDS.seconds)}
        </p>
      )}
      {newer.value && (
        <p class="warn">
          {t(WORDS.updated)} <button onClick={() => newer.value?.postMessage("take over")}>{t(WORDS.update)}</button>
        </p>
      )}
    </header>
  );
}

/** How old the trust list is, in words. */
export function Age({ list }: { list: { age_s: number } | null }) {
  if (!list) return <>{t(WORDS.listNone)}</>;
  const minutes = Math.floor(list.age_s / 60);
  const [count, unit] = minutes < 180 ? [minutes, WORDS.minutes] : [Math.floor(minutes / 60), WORDS.hours];
  return <>{language.value === "zh" ? `更新于 ${count} ${t(unit)}前` : `${count} ${t(unit)} old`}</>;
}

function Notice(props: { words: Words; action: Words; act: () => void; detail?: string }) {
  return (
    <section class="notice" role="alert">
      <p>{t(props.words)}</p>
      {props.detail && <p class="detail">{props.detail}</p>}
      <button onClick={props.act}>{t(props.action)}</button>
    </section>
  );
}
