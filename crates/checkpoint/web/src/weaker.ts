// What a setting of the checkpoint's and a supervisor's choice ask for together, and in what one asks for less than another.

import type { Words } from "../../../pages/web/words.ts";
import type { Rule, Setting } from "./store.ts";
import { WEAKER } from "./words.ts";

export type Asked = Required<Rule>;

export function askedOf(setting: Setting, rule: Rule): Asked {
  return {
    profile: rule.profile ?? setting.profile,
    temperatureLimit: rule.temperatureLimit ?? setting.temperatureLimit,
    showsChallenge: rule.showsChallenge ?? false,
    asksForCard: rule.asksForCard ?? false,
  };
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
