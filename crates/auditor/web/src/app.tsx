// The page as a whole: the section that is open, and what is asked for behind it.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { ageText } from "../../../pages/web/dates.ts";
import { Looks, language, t, useLooks } from "../../../pages/web/looks.tsx";
import { newer, watchForUpdates } from "../../../pages/web/update.ts";
import { Check } from "./check.tsx";
import { Circuits } from "./circuits.tsx";
import { List, listState } from "./list.tsx";
import { Provinces } from "./provinces.tsx";
import { Counts, Rules } from "./published.tsx";
import { SECTIONS, looking, nowS, overview, refresh, section, silent, type Section } from "./state.ts";
import { WORDS } from "./words.ts";

/** How often the program is asked what it knows; it looks at the nodes by itself. */
const ASK_EVERY_MS = 30_000;

export function App() {
  // Ages grow while nothing else changes.
  const [, tick] = useState(0);
  useEffect(() => {
    void refresh(false);
    void watchForUpdates();
    const timer = setInterval(() => {
      void refresh(false);
      tick((n) => n + 1);
    }, ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    // Before the first round is over there is nothing to see: ask again soon.
    if (overview.value?.lookedAtS !== 0n) return;
    const timer = setTimeout(() => void refresh(false), 1_000);
    return () => clearTimeout(timer);
  }, [overview.value]);
  useLooks();
  useEffect(() => {
    document.title = t(WORDS.title);
  }, [language.value]);
  useLayoutEffect(() => {
    // Who listens to the page hears where it leads; at once, before anybody has gone on from there.
    document.getElementById("section")?.focus();
    scrollTo(0, 0);
  }, [section.value]);

  return (
    <>
      <Top />
      <main id="section" tabIndex={-1}>
        {overview.value === null && section.value !== "check" ? <Waiting /> : <Open section={section.value} />}
      </main>
    </>
  );
}

function Waiting() {
  if (!silent.value) return <p role="status">{t(WORDS.loading)}</p>;
  return (
    <div role="alert">
      <p class="warn">{t(WORDS.noServiceYet)}</p>
      <button class="main" onClick={() => void refresh(false)}>
        {t(WORDS.retry)}
      </button>
    </div>
  );
}

function Open({ section }: { section: Section }) {
  switch (section) {
    case "list":
      return <List />;
    case "rules":
      return <Rules />;
    case "circuits":
      return <Circuits />;
    case "provinces":
      return <Provinces />;
    case "counts":
      return <Counts />;
    case "check":
      return <Check />;
  }
}

function Top() {
  const known = overview.value;
  const fresh = listState();
  return (
    <header>
      <h1>{t(WORDS.title)}</h1>
      <div class="settings">
        <Looks />
        <button onClick={() => void refresh(true)} aria-disabled={looking.value}>
          {t(looking.value ? WORDS.looking : WORDS.again)}
        </button>
      </div>
      {known && (
        <p class={fresh.bad ? "state bad" : "state"} role="status" data-testid="state">
          {known.list ? (
            <>
              {t(WORDS.list)} {t(fresh.words)} · {t(WORDS.age)} {ageText(language.value, nowS() - Number(known.list.issuedAtS))}
            </>
          ) : (
            t(WORDS.listNone)
          )}
        </p>
      )}
      {known && silent.value && (
        <p class="warn" role="alert">
          {t(WORDS.noService)}
        </p>
      )}
      {known?.simulatedClock && <p class="warn">{t(WORDS.simulated)}</p>}
      {newer.value && (
        <p class="warn">
          {t(WORDS.updated)} <button onClick={() => newer.value?.postMessage("take over")}>{t(WORDS.update)}</button>
        </p>
      )}
      <nav aria-label={t(WORDS.sections)}>
        {SECTIONS.map((name) => (
          <a key={name} href={`#/${name}`} aria-current={section.value === name ? "page" : undefined}>
            {t(WORDS[name])}
          </a>
        ))}
      </nav>
    </header>
  );
}
