// How far this device's clock is off, as people say it.

import { computed } from "@preact/signals";

import { w, type Words } from "../../../pages/web/words.ts";
import { clockAheadS, refused } from "./state.ts";

/** Clocks that differ by more than this are told of; the verifier itself admits less. */
const CLOCK_DIFFERS_S = 20;

/** A time in words, rounded to what matters of it. */
export function about(seconds: number): Words {
  if (seconds < 100) return w(`${Math.round(seconds)}秒`, `${Math.round(seconds)} s`);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return w(`${minutes}分钟`, `${minutes} min`);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours >= 48) return w(`${Math.round(hours / 24)}天`, `${Math.round(hours / 24)} days`);
  return rest === 0 ? w(`${hours}小时`, `${hours} h`) : w(`${hours}小时${rest}分钟`, `${hours} h ${rest} min`);
}

/** By how many seconds it is before the moment at which a list was issued that was refused for that; `null` for another refusal. */
export function behindListS(refusal: string): number | null {
  const said = /issued at (\d+), it is (\d+)/.exec(refusal);
  return said ? Number(said[1]) - Number(said[2]) : null;
}

/** What to say of a clock that is ahead of the checkpoint's by so much, and behind the list that was refused by so much. */
export function clockWords(aheadS: number | null, behindS: number | null): Words | null {
  if (aheadS !== null && Math.abs(aheadS) > CLOCK_DIFFERS_S) {
    const by = about(Math.abs(aheadS));
    return told(w(`比核验端${aheadS < 0 ? "慢" : "快"}${by.zh}`, `${by.en} ${aheadS < 0 ? "behind" : "ahead of"} the checkpoint's`));
  }
  if (behindS === null) return null;
  const by = about(behindS);
  return told(w(`比信任列表的签发时间早${by.zh}`, `${by.en} behind the time at which the trust list was issued`));
}

const told = (how: Words): Words =>
  w(
    `本机时间${how.zh}。请在系统设置中打开“自动设置时间”，再刷新本页。`,
    `This device's clock is ${how.en}. Switch on automatic time in the system's settings, then reload this page.`,
  );

/** What to say of this device's clock; `null` where nothing is wrong with it. */
export const clockFault = computed(() => clockWords(clockAheadS.value, refused.value === null ? null : behindListS(refused.value)));
