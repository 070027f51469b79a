// What the federation publishes: its rule sets, and the counts of each province. The public page shows the same.

import type { ComponentType } from "preact";
import { useRef } from "preact/hooks";
import type { GetOverviewResponse } from "@viridian/wire/public";

import { momentText } from "../../../../pages/web/dates.ts";
import { DayCounts } from "../../../../pages/web/day_counts.tsx";
import { language, t } from "../../../../pages/web/looks.tsx";
import type { Published } from "../../../../pages/web/published.tsx";
import { RuleSets } from "../../../../pages/web/rule_sets.tsx";
import { Faulty, Head, useAsked } from "../parts.tsx";
import { publications } from "../service.ts";
import { call, nowS } from "../session.ts";
import { WORDS } from "../words.ts";

const ask: Published["ask"] = {
  ruleText: (digest) => call(() => publications.getRuleText({ digest })),
  counts: (slot) => call(() => publications.getCounts({ slot })),
  impacts: (shortId, fromSlot) => call(() => publications.getImpacts({ shortId, fromSlot })),
};

/** What is known; a console that has not looked at the nodes yet does so first. */
async function learn(lookAgain: boolean): Promise<GetOverviewResponse> {
  const known = await call(() => publications.getOverview({ lookAgain }));
  return known.lookedAtS === 0n && !lookAgain ? learn(true) : known;
}

function Section({ name, Shown }: { name: "rules" | "counts"; Shown: ComponentType<{ of: Published }> }) {
  const wants = useRef(false);
  // Not by itself: what the nodes publish changes once a day.
  const { found, fault, isAsking, isStale, look } = useAsked(() => learn(wants.current), [], false);
  const lookAgain = () => {
    wants.current = true;
    void look();
  };
  return (
    <section aria-labelledby={name}>
      <Head words={WORDS[name]} id={name} isAsking={isAsking} isStale={isStale} look={lookAgain} />
      <Faulty fault={fault} />
      {found && (
        <p class="detail">
          {found.lookedAtS === 0n ? t(WORDS.notLooked) : `${t(WORDS.lookedAt)}: ${momentText(language.value, Number(found.lookedAtS))}`}
        </p>
      )}
      {found && <Shown of={{ known: found, nowS: nowS(), ask }} />}
    </section>
  );
}

export function Rules() {
  return <Section name="rules" Shown={RuleSets} />;
}

export function Counts() {
  return <Section name="counts" Shown={DayCounts} />;
}
