// What the gate asks for: the checkpoint's setting, and what a supervisor chose instead.

import { computed, signal as state } from "@preact/signals";

import { desk, list } from "./state.ts";
import type { Rule } from "./store.ts";
import { askedOf } from "./weaker.ts";

/** What a supervisor chose. */
export const chosen = state<Rule>({});

export const asked = computed(() => (desk.value ? askedOf(desk.value.setting, chosen.value) : null));

/** The profile that is asked for. `null` where the list does not have it: then nothing is decided, since any other may ask for less. */
export const profile = computed(() => {
  const name = asked.value?.profile ?? "";
  return list.value && !list.value.profiles.includes(name) ? null : name;
});

/** The last change that was asked for. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Changes what was chosen, keeps it, and uses it from then on. Changes wait for each other, so that each is made to what the one
 * before left. Throws where it cannot be kept: what was asked for stays.
 */
export function choose(change: (before: Rule) => Rule): Promise<void> {
  const done = last.then(async () => {
    const rule = change(chosen.value);
    await desk.value?.keepRule(rule);
    chosen.value = rule;
  });
  last = done.catch(() => undefined);
  return done;
}
