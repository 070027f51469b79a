// The page as a whole: which screen is open, and what is kept fresh behind it.

import { useEffect, useLayoutEffect } from "preact/hooks";

import { openAlone } from "../../../pages/web/alone.ts";
import { language, Looks, t, useLooks } from "../../../pages/web/looks.tsx";
import { newer, watchForUpdates } from "../../../pages/web/update.ts";
import { Faulty, Notice } from "./parts.tsx";
import { CheckIn } from "./screens/check_in.tsx";
import { Contest } from "./screens/contest.tsx";
import { Home } from "./screens/home.tsx";
import { Family } from "./screens/family.tsx";
import { Leave, Lost } from "./screens/grave.tsx";
import { Mandate } from "./screens/mandate.tsx";
import { More } from "./screens/more.tsx";
import { Ask } from "./screens/ask.tsx";
import { Paper } from "./screens/paper.tsx";
import { Receipts } from "./screens/receipts.tsx";
import { Register } from "./screens/register.tsx";
import { Show } from "./screens/show.tsx";
import { Status } from "./screens/status.tsx";
import { Trip } from "./screens/trip.tsx";
import {
  about,
  actsFor,
  attempt,
  clockWrongMin,
  consent,
  fillStock,
  go,
  home,
  online,
  phase,
  profile,
  registered,
  screen,
  status,
  switchTo,
  wallet,
  wish,
  type Screen,
} from "./state.ts";
import { faultOf } from "./fault.ts";
import { keepReader } from "./code_reader.tsx";
import { OWN } from "./store.ts";
import { Wallet } from "./wallet.ts";
import { WORDS } from "./words.ts";

/** How often the home is asked whether there is a newer epoch. */
const ASK_EVERY_MS = 60_000;

/** Whose turn it is: who opened before, and lost the wallet to another window, stops. */
let turn = 0;

async function open(): Promise<void> {
  const mine = ++turn;
  phase.value = "opening";
  try {
    const opened = await Wallet.open(profile());
    if (mine !== turn) return opened.close();
    // What was kept to act for somebody is gone: the own wallet is.
    if (profile() !== OWN && !opened.identity) return switchTo(OWN);
    wallet.value = opened;
    home.value = opened.home;
    status.value = opened.status;
    registered.value = opened.identity !== null;
    actsFor.value = opened.identity?.actsFor ?? null;
    consent.value = opened.consent();
    clockWrongMin.value = opened.clock.wrongByMin();
    phase.value = "open";
    void keepFresh(opened);
  } catch (error) {
    const failed = faultOf(error);
    console.error(error);
    if (mine === turn) phase.value = { failed };
  }
}

/** Another window has the wallet now. */
function lose(): void {
  turn += 1;
  wallet.value?.close();
  wallet.value = null;
  phase.value = "elsewhere";
}

async function keepFresh(open: Wallet): Promise<void> {
  while (wallet.value === open) {
    if (open.identity) await fillStock();
    else await attempt(async (open) => void (await open.ask()));
    if (wallet.value !== open) return;
    await new Promise<void>((done) => {
      const go = () => {
        removeEventListener("online", go);
        clearTimeout(timer);
        done();
      };
      const timer = setTimeout(go, ASK_EVERY_MS * (1 + Math.random() / 10));
      addEventListener("online", go);
    });
  }
}

/** Two windows would each show the same pass. */
function take(steal: boolean): void {
  const isElsewhere = () => {
    phase.value = "elsewhere";
  };
  openAlone("wallet", steal, { open, isElsewhere, isLost: lose });
}

export function App() {
  useEffect(() => {
    take(false);
    void watchForUpdates();
  }, []);
  useLooks();
  useEffect(() => {
    document.title = t(WORDS.title);
  }, [language.value]);
  useLayoutEffect(() => {
    // Who listens to the page hears where it leads; at once, before anybody has gone on from there.
    document.getElementById("screen")?.focus();
    scrollTo(0, 0);
  }, [screen.value]);
  useEffect(() => {
    // Another wish has its own passes.
    if (registered.value) void fillStock().then(keepReader);
  }, [wish.value, registered.value]);

  const now = phase.value;
  return (
    <>
      <Top />
      <main id="screen" tabIndex={-1}>
        {now === "opening" && <p role="status">{t(WORDS.loading)}</p>}
        {now === "elsewhere" && (
          <Notice words={WORDS.otherTab} action={WORDS.otherTabRetry} act={() => take(true)} />
        )}
        {typeof now === "object" && (
          <>
            <Faulty fault={now.failed} />
            <button class="main" onClick={() => void open()}>
              {t(WORDS.retry)}
            </button>
          </>
        )}
        {now === "open" && (registered.value ? <Open screen={screen.value} /> : screen.value === "family" ? <Family /> : <Register />)}
      </main>
    </>
  );
}

/** What a proxy has no business with. */
const OWN_ONLY: readonly Screen[] = ["contest", "lost", "leave", "family"];

function Open({ screen }: { screen: Screen }) {
  const isProxy = actsFor.value !== null;
  if (isProxy ? OWN_ONLY.includes(screen) : screen === "mandate") return <Home />;
  switch (screen) {
    case "":
      return <Home />;
    case "status":
      return <Status />;
    case "check-in":
      return <CheckIn />;
    case "trip":
      return <Trip />;
    case "show":
      return <Show />;
    case "ask":
      return <Ask />;
    case "more":
      return <More />;
    case "receipts":
      return <Receipts />;
    case "contest":
      return /^[0-9a-f]{32}$/.test(about.value) ? <Contest /> : <Home />;
    case "lost":
      return <Lost />;
    case "leave":
      return <Leave />;
    case "paper":
      return <Paper />;
    case "family":
      return <Family />;
    case "mandate":
      return <Mandate />;
  }
}

function Top() {
  const away = (registered.value || screen.value === "family") && screen.value !== "";
  return (
    <header>
      {away && (
        <button class="back" onClick={() => go("")}>
          ← {t(WORDS.back)}
        </button>
      )}
      <h1>{t(WORDS.title)}</h1>
      {phase.value === "open" && online.value !== null && (
        <p class={online.value ? "state" : "state bad"} role="status" data-testid="state">
          {t(online.value ? WORDS.online : WORDS.offline)}
        </p>
      )}
      <nav>
        <Looks />
      </nav>
      {actsFor.value !== null && (
        <p class="strong acts" data-testid="acts-for">
          {t(WORDS.actsFor)} {actsFor.value} <button onClick={() => switchTo(OWN)}>{t(WORDS.actsForEnd)}</button>
        </p>
      )}
      {clockWrongMin.value > 0 && (
        <p class="warn" role="alert">
          {t(WORDS.clockWrong)} {clockWrongMin.value}
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
