// The page as a whole: which screen is open, and what is kept fresh behind it.

import { useEffect } from "preact/hooks";

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
  actsFor,
  attempt,
  clockWrongMin,
  fillStock,
  go,
  home,
  language,
  large,
  newer,
  online,
  phase,
  profile,
  registered,
  screen,
  status,
  switchTo,
  t,
  wallet,
  wish,
  type Screen,
} from "./state.ts";
import { faultOf } from "./fault.ts";
import { keepSetting } from "./settings.ts";
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

/** One window at a time: two would each show the same pass. */
function openAlone(steal: boolean): void {
  void navigator.locks
    .request("wallet", steal ? { steal: true } : { ifAvailable: true }, async (lock) => {
      if (!lock) {
        phase.value = "elsewhere";
        return;
      }
      await open();
      await new Promise<never>(() => {});
    })
    .catch(lose);
}

async function watchForUpdates(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration?.();
  if (!registration) return;
  const note = () => {
    if (registration.waiting && navigator.serviceWorker.controller) newer.value = registration.waiting;
  };
  note();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", note);
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (newer.value) location.reload();
  });
}

export function App() {
  useEffect(() => {
    openAlone(false);
    void watchForUpdates();
  }, []);
  useEffect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.large = large.value ? "yes" : "no";
  }, [language.value, large.value]);
  useEffect(() => {
    // Who listens to the page hears where it leads.
    document.getElementById("screen")?.focus();
    scrollTo(0, 0);
  }, [screen.value]);
  useEffect(() => {
    // Another wish has its own passes.
    if (registered.value) void fillStock();
  }, [wish.value, registered.value]);

  const now = phase.value;
  return (
    <>
      <Top />
      <main id="screen" tabIndex={-1}>
        {now === "opening" && <p role="status">{t(WORDS.loading)}</p>}
        {now === "elsewhere" && (
          <Notice words={WORDS.otherTab} action={WORDS.otherTabRetry} act={() => openAlone(true)} />
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
      return <Contest />;
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
        <button
          onClick={() => {
            language.value = language.value === "zh" ? "en" : "zh";
            keepSetting("language", language.value);
          }}
          lang={language.value === "zh" ? "en" : "zh-CN"}
        >
          {language.value === "zh" ? "English" : "中文"}
        </button>
        <button
          aria-pressed={large.value}
          onClick={() => {
            large.value = !large.value;
            keepSetting("large", large.value ? "yes" : "no");
          }}
        >
          {t(WORDS.large)}
        </button>
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
