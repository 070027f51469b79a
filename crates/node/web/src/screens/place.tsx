// Choosing a place: by its names from the province down, by a part of a name, or by its code.

import { computed, signal as state } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../../../pages/web/looks.tsx";
import { areas, atHand } from "../area_names.ts";
import { LEVELS, type Area } from "../areas.ts";
import { Field } from "../parts.tsx";
import { PLACE_WORDS } from "../place_words.ts";
import { wallet } from "../state.ts";

/** Most places that a search shows. */
const SHOWN_MOST = 8;
const LABELS = { 2: PLACE_WORDS.province, 4: PLACE_WORDS.city, 6: PLACE_WORDS.county, 9: PLACE_WORDS.street } as const;

/** The code of what is chosen so far. */
const code = state("");
const typed = state("");
/** Whether a list that is wanted could not be had. */
const isMissing = state(false);
/** Whether a code was typed whose list is being fetched. */
const isComing = state(false);
/** Whether what was chosen was found by its name: whoever goes on by keyboard is led to what is still open. */
const isPicked = state(false);

const digits = computed(() => (/^[\d\s]+$/.test(typed.value) ? typed.value.replace(/\s/g, "") : null));
const isUnknown = computed(
  () => digits.value !== null && !isComing.value && !isMissing.value && !areas().byDigits(digits.value).isKnown,
);

/** The place that is chosen, as it is declared; `null` while it is not whole, or a code is typed that is not known to be one. */
export function chosenPlace(): number | null {
  const isOpen = digits.value !== null && (isComing.value || isMissing.value || isUnknown.value);
  return isOpen ? null : areas().declared(code.value);
}

/** Begins anew, in the home's province. */
export function forgetPlace(): void {
  typed.value = "";
  const home = wallet.value?.identity?.home;
  choose(home === undefined ? "" : String(home));
}

/** Takes a place, and fetches what is needed to go on from there. */
function choose(chosen: string): void {
  code.value = areas().settled(chosen);
  void goOn();
}

async function goOn(): Promise<void> {
  const province = code.value.slice(0, 2);
  const isThere = await Promise.all([atHand("all"), atHand(province)]);
  if (code.value.slice(0, 2) !== province) return;
  isMissing.value = isThere.includes(false);
  code.value = areas().settled(code.value);
}

async function type(text: string): Promise<void> {
  typed.value = text;
  isComing.value = false;
  const wanted = digits.value;
  if (wanted === null) return;
  isComing.value = true;
  const isThere = await Promise.all([atHand("all"), atHand(wanted.slice(0, 2))]);
  if (typed.value !== text) return;
  isComing.value = false;
  isMissing.value = isThere.includes(false);
  if (!isMissing.value && wanted.length > 1) choose(areas().byDigits(wanted).code);
}

function pick(area: Area): void {
  typed.value = "";
  isPicked.value = true;
  choose(area.code);
}

export function Place({ bad }: { bad: boolean }) {
  const levels = useRef<HTMLDivElement>(null);
  // What was chosen at an earlier visit, and not sent, stands.
  useLayoutEffect(() => (code.value === "" ? forgetPlace() : void goOn()), []);
  useLayoutEffect(() => {
    if (!isPicked.value) return;
    const open = [...(levels.current?.querySelectorAll("select") ?? [])].find((select) => select.value === "");
    open?.focus();
    isPicked.value = false;
  });
  const isOpen = bad && chosenPlace() === null;
  return (
    <fieldset class="place">
      <legend>{t(PLACE_WORDS.where)}</legend>
      <Field label={PLACE_WORDS.search} bad={isUnknown.value ? PLACE_WORDS.noCode : null}>
        <input
          name="place"
          type="search"
          maxLength={40}
          value={typed.value}
          aria-invalid={isUnknown.value || isOpen}
          aria-describedby="place-hint"
          onInput={(event) => void type(event.currentTarget.value)}
          onKeyDown={(event) => {
            // The form is not sent by what only looks for a place. A key that ends the writing of a sign chooses nothing.
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            const [first] = found();
            if (first) pick(first);
          }}
        />
      </Field>
      <p class="hint" id="place-hint">
        {t(PLACE_WORDS.searchHint)}
      </p>
      <Found />
      <div class="levels" ref={levels}>
        {LEVELS.map((level) => (
          <Level key={level} level={level} />
        ))}
      </div>
      {isMissing.value && (
        <p class="warn" role="alert">
          {t(PLACE_WORDS.noList)}{" "}
          <button type="button" onClick={() => choose(code.value)}>
            {t(PLACE_WORDS.again)}
          </button>
        </p>
      )}
      <Said />
      {isOpen && !isUnknown.value && (
        <p class="warn" role="alert">
          {t(PLACE_WORDS.bad)}
        </p>
      )}
    </fieldset>
  );
}

function found(): Area[] {
  return digits.value === null ? areas().search(typed.value, code.value.slice(0, 2)) : [];
}

function Found() {
  const all = found();
  const isAsked = digits.value === null && typed.value.trim() !== "";
  return (
    <>
      <ul class="found" lang="zh-CN">
        {all.slice(0, SHOWN_MOST).map((area) => (
          <li key={area.code}>
            <button type="button" onClick={() => pick(area)}>
              {areas().path(area.code).join(" ")}
            </button>
          </li>
        ))}
      </ul>
      <p class="hint" role="status">
        {isAsked && all.length === 0 && t(PLACE_WORDS.nothing)}
        {all.length > SHOWN_MOST && t(PLACE_WORDS.more)}
      </p>
    </>
  );
}

/** What can be chosen at a level; nothing where there is no choice. */
function Level({ level }: { level: (typeof LEVELS)[number] }) {
  const over = code.value.slice(0, LEVELS[LEVELS.indexOf(level) - 1] ?? 0);
  const isReached = level === 2 || over.length === LEVELS[LEVELS.indexOf(level) - 1];
  const choices = isReached ? areas().within(over) : [];
  if (choices.length === 0 || (choices.length === 1 && level !== 9)) return null;
  const home = String(wallet.value?.identity?.home);
  const sorted = level === 2 ? [...choices].sort((a, b) => Number(b.code === home) - Number(a.code === home)) : choices;
  return (
    <>
      <Field label={LABELS[level]}>
        <select
          name={`place-${level}`}
          value={code.value.length >= level ? code.value.slice(0, level) : ""}
          onChange={(event) => {
            typed.value = "";
            choose(event.currentTarget.value || over);
          }}
        >
          <option value="">{t(PLACE_WORDS.choose)}</option>
          {sorted.map((area) => (
            <option key={area.code} value={area.code} lang="zh-CN">
              {area.name}
            </option>
          ))}
        </select>
      </Field>
      {level === 9 && <p class="hint">{t(PLACE_WORDS.streetHint)}</p>}
    </>
  );
}

/** The place said back in words. */
function Said() {
  const path = areas().path(code.value).join("");
  const area = chosenPlace();
  return (
    <p role="status" data-testid="place">
      {path === "" ? t(PLACE_WORDS.none) : <strong lang="zh-CN">{path}</strong>}
      {area !== null && ` (${String(area).padStart(9, "0")})`}
      {path !== "" && area === null && <> {t(PLACE_WORDS.goOn)}</>}
    </p>
  );
}
