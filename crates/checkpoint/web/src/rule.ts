// What the gate asks for: the checkpoint's setting, and what a supervisor chose instead.

import { computed, signal as state } from "@preact/signals";

import type { Words } from "../../../pages/web/words.ts";
import { desk, list } from "./state.ts";
import type { Rule, Setting } from "./store.ts";
import { WEAKER } from "./words.ts";

export type Asked = Required<Rule>;

/** What a supervisor chose. */
export const chosen = state<Rule>({});

export function askedOf(setting: Setting, rule: Rule): Asked {
  return {
    profile: rule.profile ?? setting.profile,
    temperatureLimit: rule.temperatureLimit ?? setting.temperatureLimit,
    showsChallenge: rule.showsChallenge ?? false,
    asksForCard: rule.asksForCard ?? false,
  };
}

export const asked = computed(() => (desk.value ? askedOf(desk.value.setting, chosen.value) : null));

/** The profile that is asked for. `null` where the list does not have it: then nothing is decided, since any other may ask for less. */
export const profile = computed(() => {
  const name = asked.value?.profile ?? "";
  return list.value && !list.value.profiles.includes(name) ? null : name;
});

/** Keeps a choice, and uses it from then on. Throws where it cannot be kept: what was asked for stays. */
export async function choose(rule: Rule): Promise<void> {
  await desk.value?.keepRule(rule);
  chosen.value = rule;
}

/** In what a setting asks for less than another: then it is used only once a supervisor has seen it. */
export function weakerIn(next: Setting, before: Setting, rule: Rule, asksNoLess: (profile: string, than: string) => boolean): Words[] {
  const [now, then] = [askedOf(next, rule), askedOf(before, rule)];
  const warmer = now.temperatureLimit === 0 || now.temperatureLimit > then.temperatureLimit;
  const found: [boolean, Words][] = [
    [now.profile !== then.profile && !asksNoLess(now.profile, then.profile), WEAKER.profile],
    [then.temperatureLimit > 0 && warmer, WEAKER.temperature],
    [next.admitsSpecimens && !before.admitsSpecimens, WEAKER.specimens],
    [next.slotSkew > before.slotSkew, WEAKER.skew],
    [next.province !== before.province, WEAKER.province],
    [next.rootThreshold < before.rootThreshold || next.rootKeys.join() !== before.rootKeys.join(), WEAKER.keys],
    [next.simulatedClock && !before.simulatedClock, WEAKER.clock],
  ];
  return found.filter(([is]) => is).map(([, words]) => words);
}
