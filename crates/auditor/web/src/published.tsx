// Rule sets and counts, as pages show them, of what this page's program knows.

import { DayCounts } from "../../../pages/web/day_counts.tsx";
import { t } from "../../../pages/web/looks.tsx";
import type { Published } from "../../../pages/web/published.tsx";
import { RuleSets } from "../../../pages/web/rule_sets.tsx";
import { askCounts, askImpacts, askRuleText } from "./service.ts";
import { nowS, overview } from "./state.ts";
import { WORDS } from "./words.ts";

function published(): Published | null {
  const known = overview.value;
  return known && { known, nowS: nowS(), ask: { ruleText: askRuleText, counts: askCounts, impacts: askImpacts } };
}

export function Rules() {
  const of = published();
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">{t(WORDS.rules)}</h2>
      {of && <RuleSets of={of} />}
    </section>
  );
}

export function Counts() {
  const of = published();
  return (
    <section aria-labelledby="counts">
      <h2 id="counts">{t(WORDS.counts)}</h2>
      {of && <DayCounts of={of} />}
    </section>
  );
}
