// A stay that is declared: sent once however often it is tried, and said in words.

import { language, t } from "../../../pages/web/looks.tsx";
import { placeText } from "./area_names.ts";
import { minuteText } from "./dates.ts";
import type { Fault } from "./fault.ts";
import { freshId } from "./keys.ts";
import { PLACE_WORDS } from "./place_words.ts";
import { attempt } from "./state.ts";
import type { Trip } from "./wallet.ts";

/** The name of what was sent last, and what that was: sent again after a fault, it is the same stay. */
let named = { id: freshId(), what: "" };

/** Declares a stay; the fault, if it failed. */
export async function declare(stay: Trip): Promise<Fault | null> {
  const what = JSON.stringify(stay);
  if (named.what !== what) named = { id: freshId(), what };
  const { id } = named;
  const fault = await attempt(async (open) => void (await open.declareTrip(id, stay)));
  if (fault === null) named = { id: freshId(), what: "" };
  return fault;
}

/** A stay in words. */
export function stayText(stay: Trip): string {
  const until = stay.end === null ? t(PLACE_WORDS.still) : minuteText(language.value, stay.end);
  return `${placeText(stay.area, stay.site)} · ${minuteText(language.value, stay.begin)} – ${until}`;
}
