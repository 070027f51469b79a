// The first screen: what is wanted most, in one tap.

import { ReasonState } from "@viridian/wire/resident";

import { large, t } from "../../../../pages/web/looks.tsx";
import type { Words } from "../../../../pages/web/words.ts";
import { actsFor, go, status, type Screen } from "../state.ts";
import { WORDS } from "../words.ts";

const OTHERS: [Screen, Words][] = [
  ["check-in", WORDS.checkIn],
  ["status", WORDS.status],
  ["trip", WORDS.trip],
  ["ask", WORDS.asked],
  ["more", WORDS.others],
];

export function Home() {
  return (
    <section class="home">
      <button class="main first" onClick={() => go("show")}>
        {t(WORDS.showFor)}
      </button>
      {large.value ? (
        // One button; what is wanted seldom stands behind a word.
        <details>
          <summary>{t(WORDS.others)}</summary>
          <Others />
        </details>
      ) : (
        <Others />
      )}
    </section>
  );
}

function Others() {
  const open = status.value?.reasons.filter((reason) => reason.state === ReasonState.OPEN).length ?? 0;
  return (
    <div class="others">
      {actsFor.value !== null && <button onClick={() => go("mandate")}>{t(WORDS.mandate)}</button>}
      {OTHERS.map(([screen, words]) => (
        <button key={screen} onClick={() => go(screen)}>
          {t(words)}
          {screen === "status" && open > 0 && <span class="count"> ({open})</span>}
        </button>
      ))}
    </div>
  );
}
