// The page as a whole: who is signed in, what they may do, and which screen is open.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { Looks, language, t, useLooks } from "../../../pages/web/looks.tsx";
import { newer, watchForUpdates } from "../../../pages/web/update.ts";
import type { Fault } from "../../../pages/web/fault.ts";
import { isWritten } from "./draft.ts";
import { Faulty, province } from "./parts.tsx";
import { again, linkTo, menu, partOf, place, type Screen } from "./route.ts";
import { Acts } from "./screens/acts.tsx";
import { Appeal, Appeals, isDeciding } from "./screens/appeals.tsx";
import { Again, Enter } from "./screens/enter.tsx";
import { Intake } from "./screens/intake.tsx";
import { Naming, isNaming } from "./screens/naming.tsx";
import { Overview } from "./screens/overview.tsx";
import { Proposal } from "./screens/proposal.tsx";
import { Proposals, Waiting } from "./screens/proposals.tsx";
import { Counts, Rules } from "./screens/published.tsx";
import { State } from "./screens/state.tsx";
import { faultOf } from "./service.ts";
import { desk, keepWhile, open, phase, signOut, watchSession } from "./session.ts";
import { ROLES, WORDS } from "./words.ts";

const isWriting = (): boolean => isWritten() || isNaming() || isDeciding();
keepWhile(isWriting);

export function App() {
  useEffect(() => {
    void open();
    void watchForUpdates();
    return watchSession();
  }, []);
  useLooks();
  useEffect(() => {
    document.title = t(WORDS.title);
  }, [language.value]);
  useLayoutEffect(() => {
    // Who listens to the page hears where it leads; at once, before anybody has gone on from there.
    document.getElementById("screen")?.focus();
    scrollTo(0, 0);
  }, [place.value]);

  const now = phase.value;
  return (
    <>
      <Top />
      <main id="screen" tabIndex={-1}>
        {now === "opening" && <p role="status">{t(WORDS.loading)}</p>}
        {now === "out" && <Enter />}
        {now === "open" && <Open key={again.value} />}
        {typeof now === "object" && (
          <>
            <Faulty fault={now.failed} />
            <button class="main" onClick={() => void open()}>
              {t(WORDS.retry)}
            </button>
          </>
        )}
      </main>
      <Again />
    </>
  );
}

/** The screen that is open; the first of the menu where it is none of this person's. */
function Open() {
  const { screen, name, office } = place.value;
  const shown = menu();
  const isMine = screen === "proposal" ? shown.length > 0 && name !== "" : shown.includes(partOf(screen) as Screen);
  switch (isMine ? screen : (shown[0] ?? "")) {
    case "state":
      return <State />;
    case "naming":
      return <Naming />;
    case "waiting":
      return <Waiting />;
    case "proposals":
      return <Proposals />;
    case "proposal":
      return <Proposal name={name} />;
    case "appeals":
      return <Appeals />;
    case "appeal":
      return <Appeal name={name} source={office} />;
    case "overview":
      return <Overview />;
    case "intake":
      return <Intake />;
    case "rules":
      return <Rules />;
    case "counts":
      return <Counts />;
    case "acts":
      return <Acts />;
    default:
      return <p class="notice">{t(WORDS.noRole)}</p>;
  }
}

function Top() {
  const isOpen = phase.value === "open";
  const part = partOf(place.value.screen) || menu()[0];
  return (
    <header>
      <h1>{t(WORDS.title)}</h1>
      <div class="settings">
        <Looks />
      </div>
      {isOpen && desk.value && <Who />}
      {newer.value && (
        <p class="warn">
          {t(WORDS.updated)} <button onClick={() => newer.value?.postMessage("take over")}>{t(WORDS.update)}</button>
        </p>
      )}
      {isOpen && (
        <nav aria-label={t(WORDS.sections)}>
          {menu().map((screen) => (
            <a
              key={screen}
              href={linkTo(screen)}
              aria-current={part === screen ? "page" : undefined}
              onClick={() => place.value.screen === screen && again.value++}
            >
              {t(WORDS[screen as keyof typeof WORDS])}
            </a>
          ))}
        </nav>
      )}
    </header>
  );
}

function Who() {
  const [asks, setAsks] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const who = desk.value!;
  const leave = () => void signOut().catch((error: unknown) => setFault(faultOf(error)));
  return (
    <>
      <p class="who" data-testid="who">
        <strong>{who.name}</strong> ({who.roles.map((role) => ROLES[role] && t(ROLES[role])).join(language.value === "zh" ? "、" : ", ")}) ·{" "}
        {province(who.province)} · {who.federation} <button onClick={() => (isWriting() ? setAsks(true) : leave())}>{t(WORDS.leave)}</button>
      </p>
      <Faulty fault={fault} />
      {asks && (
        <div class="notice" role="alert">
          <p>{t(WORDS.leaveSure)}</p>
          <div class="row">
            <button onClick={leave}>{t(WORDS.sure)}</button>
            <button onClick={() => setAsks(false)}>{t(WORDS.not)}</button>
          </div>
        </div>
      )}
    </>
  );
}
