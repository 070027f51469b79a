// The page as a whole: what is open, what was read last, and what is shown of it.

import { useEffect } from "preact/hooks";

import { openAlone } from "../../../pages/web/alone.ts";
import { language, t, useLooks } from "../../../pages/web/looks.tsx";
import { newer, watchForUpdates } from "../../../pages/web/update.ts";
import type { Words } from "../../../pages/web/words.ts";
import { Age } from "./age.tsx";
import { Asks } from "./asks.tsx";
import { Card } from "./card.tsx";
import { Challenge } from "./challenge.tsx";
import { behindListS, clockFault } from "./clock.ts";
import { isIdle } from "./decide.ts";
import { Desk, isSameSetting } from "./desk.ts";
import { Menu } from "./menu.tsx";
import { renew } from "./renew.tsx";
import { Result } from "./result.tsx";
import { asked, chosen, profile } from "./rule.ts";
import { Scan } from "./scan.tsx";
import { askSetting } from "./service.ts";
import { cardless, clockAheadS, desk, fault, isBusy, list, offered, online, pending, phase, refused, report, type Phase } from "./state.ts";
import { NoStorage } from "./store.ts";
import { Temperature } from "./temperature.tsx";
import { WORDS } from "./words.ts";

/** Checks of the list's age. */
const LOOK_EVERY_MS = 5_000;

/** Whose turn it is: who opened before, and lost the gate to another window, stops. */
let turn = 0;

async function open(): Promise<void> {
  phase.value = "opening";
  await begin();
}

/** Opens the gate by what was kept and what the checkpoint says, under a page that may stand already. */
async function begin(): Promise<void> {
  const mine = ++turn;
  try {
    const opened = await Desk.open();
    if (mine !== turn) return opened.desk.close();
    chosen.value = opened.rule;
    offered.value = opened.offered;
    desk.value = opened.desk;
    clockAheadS.value = opened.clockAheadS;
    online.value = opened.clockAheadS !== null;
    list.value = opened.desk.list();
    phase.value = "open";
    void keepFresh(opened.desk);
  } catch (error) {
    if (mine === turn) phase.value = failed(error, () => void open());
  }
}

/** A gate that cannot be opened, and whether that is for want of storage. */
function failed(error: unknown, retry: () => void): Phase {
  // Only what keeps things throws these: a call that fails is an error of another kind.
  const isStorage = error instanceof NoStorage || error instanceof DOMException;
  return { failed: String(error), words: isStorage ? WORDS.noStorage : WORDS.noSetting, retry };
}

/** Another window has the gate now, or this browser keeps nothing that two windows could share. */
function lose(why: unknown): void {
  leave();
  phase.value = why instanceof DOMException && why.name === "SecurityError" ? failed(why, () => take(false)) : "elsewhere";
}

/** Nothing of the gate stays in this window. */
function leave(): void {
  turn += 1;
  desk.value?.close();
  desk.value = null;
  list.value = null;
  report.value = null;
  pending.value = cardless.value = null;
  offered.value = null;
}

/** Uses the setting that was offered, once a supervisor has confirmed it. Throws where it cannot be kept. */
async function takeOffered(): Promise<void> {
  const next = offered.value;
  if (!next) return;
  await desk.value?.keepSetting(next.setting);
  leave();
  await open();
}

/** Asks the checkpoint for its setting. A new one is used, or offered, once nobody stands at the gate. */
async function follow(open: Desk): Promise<void> {
  try {
    const said = await askSetting();
    if (desk.value !== open) return;
    clockAheadS.value = said.clockAheadS;
    const isKnown = [open.setting, offered.value?.setting].some((known) => known && isSameSetting(known, said.setting));
    if (isKnown || !isIdle()) return;
  } catch {
    return; // not reached, which the list's renewal has said
  }
  leave();
  await begin();
}

async function keepFresh(open: Desk): Promise<void> {
  while (desk.value === open) {
    await renew(open);
    if (desk.value === open && online.value) await follow(open);
    if (desk.value !== open) return;
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
  useEffect(() => {
    document.title = t(WORDS.title);
  }, [language.value]);

  const now = phase.value;
  return (
    <>
      <div inert={isBusy.value}>
      <Top />
      <main>
        {now === "opening" && <p role="status">{t(WORDS.loading)}</p>}
        {now === "elsewhere" && (
          <Notice words={WORDS.otherTab} action={WORDS.otherTabRetry} act={() => take(true)} />
        )}
        {typeof now === "object" && (
          <Notice words={now.words} action={WORDS.retry} act={now.retry} detail={now.failed} />
        )}
        {now === "open" && <Asks />}
        {now === "open" && asked.value?.showsChallenge && <Challenge />}
        {now === "open" && <Scan />}
      </main>
      </div>
      {cardless.value && <Card />}
      {pending.value && <Temperature />}
      {(report.value ?? fault.value) && <Result />}
    </>
  );
}

function Top() {
  const open = list.value;
  return (
    <header>
      <h1>{t(WORDS.title)}</h1>
      <p class={open && !open.stale ? "state" : "state bad"} role="status" data-testid="state">
        {online.value ? t(WORDS.online) : t(WORDS.offline)} · {t(WORDS.list)} <Age list={open} />
        {open && profile.value && <> · {t(WORDS.profile)} {profile.value}</>}
      </p>
      <Menu takeOffered={takeOffered} />
      {offered.value && (
        <p class="warn" role="alert" data-testid="offered">
          {t(WORDS.offered)} {t(WORDS.offeredIn)} {offered.value.weaker.map(t).join(", ")}
        </p>
      )}
      {open && profile.value === null && (
        <p class="warn" role="alert">
          {t(WORDS.profileGone)}
        </p>
      )}
      {open?.stale && <p class="warn">{t(WORDS.listOld)}</p>}
      {clockFault.value && (
        <p class="warn" role="alert" data-testid="clock">
          {t(clockFault.value)}
        </p>
      )}
      {refused.value && behindListS(refused.value) === null && (
        <p class="warn">
          {t(WORDS.listRefused)}: {refused.value}
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

function Notice(props: { words: Words; action: Words; act: () => void; detail?: string }) {
  return (
    <section class="notice" role="alert">
      <p>{t(props.words)}</p>
      {props.detail && <p class="detail">{props.detail}</p>}
      <button onClick={props.act}>{t(props.action)}</button>
    </section>
  );
}
