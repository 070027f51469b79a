// What only a supervisor changes: the forms behind the lock.

import { signal as state } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { isPin } from "./lock.ts";
import { asked, choose, profile } from "./rule.ts";
import { desk, list } from "./state.ts";
import type { Rule } from "./store.ts";
import { WORDS } from "./words.ts";

/** Whether a PIN was set; `null` until it is known. */
const isSet = state<boolean | null>(null);
const isOpen = state(false);
const waitS = state(0);
const bad = state<Words | null>(null);

export function lockAgain(): void {
  isOpen.value = false;
  bad.value = null;
}

/** Shows what is behind the lock to whoever knows the PIN; the first to open it sets one. */
export function Locked({ children }: { children: ComponentChildren }) {
  useEffect(() => {
    // The settings may be opened before the gate is.
    void desk.value?.guard.waitS().then((left) => (waitS.value = left));
    void desk.value?.guard.isSet().then((is) => (isSet.value = is));
  }, [desk.value]);
  if (isOpen.value) return <>{children}</>;
  if (isSet.value === null) return null;
  return isSet.value ? <EnterPin /> : <NewPin words={WORDS.pinFirst} done={() => (isOpen.value = isSet.value = true)} />;
}

/** The field of a PIN: digits that nobody reads over the shoulder. */
function Pin({ label, name }: { label: Words; name: string }) {
  return (
    <label>
      {t(label)}
      <input type="password" inputMode="numeric" name={name} autocomplete="off" maxLength={12} required aria-invalid={bad.value !== null} />
    </label>
  );
}

function Bad() {
  if (!bad.value) return null;
  return (
    <p class="warn" role="alert">
      {t(bad.value)}
    </p>
  );
}

/** What stands in a field of a form; the form is emptied. */
function taken(event: SubmitEvent, ...names: string[]): string[] {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const data = new FormData(form);
  form.reset();
  return names.map((name) => String(data.get(name) ?? ""));
}

function EnterPin() {
  useEffect(() => {
    if (waitS.value === 0) return;
    const timer = setTimeout(() => (waitS.value -= 1), 1000);
    return () => clearTimeout(timer);
  }, [waitS.value]);
  const submit = async (event: SubmitEvent) => {
    const [pin = ""] = taken(event, "pin");
    bad.value = null;
    try {
      const tried = await desk.value?.guard.try(pin);
      if (tried === "right") isOpen.value = true;
      else if (tried === "wrong") bad.value = WORDS.pinWrong;
      else if (tried) waitS.value = tried.waitS;
    } catch (error) {
      console.error(error);
      bad.value = WORDS.settingNotKept;
    }
  };
  if (waitS.value > 0) {
    return (
      <p class="warn" role="alert">
        {t(WORDS.pinWait)}{" "}
        <span aria-live="off" data-testid="wait">
          {waitS.value} {t(WORDS.seconds)}
        </span>
      </p>
    );
  }
  return (
    <form onSubmit={(event) => void submit(event)} autocomplete="off">
      <Pin label={WORDS.pin} name="pin" />
      <Bad />
      <button type="submit">{t(WORDS.pinOpen)}</button>
    </form>
  );
}

function NewPin({ words, done }: { words: Words; done: () => void }) {
  const submit = async (event: SubmitEvent) => {
    const [pin = "", again = ""] = taken(event, "pin", "again");
    bad.value = !isPin(pin) ? WORDS.pinBad : pin !== again ? WORDS.pinDiffers : null;
    if (bad.value) return;
    try {
      await desk.value?.guard.set(pin);
      done();
    } catch (error) {
      console.error(error);
      bad.value = WORDS.settingNotKept;
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} autocomplete="off">
      <p>{t(words)}</p>
      <Pin label={WORDS.pinNew} name="pin" />
      <Pin label={WORDS.pinAgain} name="again" />
      <Bad />
      <button type="submit">{t(WORDS.pinSet)}</button>
    </form>
  );
}

const limitBad = state(false);
const pinChanged = state(false);

/** What is asked for, to be changed. */
export function RuleForm() {
  const now = asked.value;
  useEffect(() => {
    limitBad.value = pinChanged.value = false;
  }, []);
  if (!now) return null;
  const replace = (change: (before: Rule) => Rule) => {
    bad.value = null;
    choose(change).catch((error: unknown) => {
      console.error(error);
      bad.value = WORDS.settingNotKept;
    });
  };
  const change = (part: Rule) => replace((before) => ({ ...before, ...part }));
  const limit = (text: string) => {
    const tenths = text === "" ? 0 : (desk.value?.temperatureLimit(text) ?? null);
    limitBad.value = tenths === null;
    if (tenths !== null) change({ temperatureLimit: tenths });
  };
  return (
    <>
      <label>
        {t(WORDS.profile)}
        <select
          value={profile.value ?? ""}
          onChange={(event) => {
            const name = event.currentTarget.value;
            if (name !== "") change({ profile: name });
          }}
        >
          {profile.value === null && <option value="">{t(WORDS.profileChoose)}</option>}
          {(list.value?.profiles ?? []).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t(WORDS.temperatureLimit)}
        <input
          name="limit"
          inputMode="decimal"
          autocomplete="off"
          maxLength={4}
          value={now.temperatureLimit > 0 ? (now.temperatureLimit / 10).toFixed(1) : ""}
          aria-invalid={limitBad.value}
          onChange={(event) => limit(event.currentTarget.value.trim())}
        />
      </label>
      {limitBad.value && (
        <p class="warn" role="alert">
          {t(WORDS.temperatureLimitBad)}
        </p>
      )}
      <Tick words={WORDS.showsChallenge} checked={now.showsChallenge} change={(on) => change({ showsChallenge: on })} />
      <Tick words={WORDS.asksForCard} checked={now.asksForCard} change={(on) => change({ asksForCard: on })} />
      <Bad />
      <button onClick={() => replace(() => ({}))}>{t(WORDS.asCheckpoint)}</button>
      <details>
        <summary>{t(WORDS.pinChange)}</summary>
        <NewPin words={WORDS.pinRule} done={() => (pinChanged.value = true)} />
        {pinChanged.value && <p role="status">{t(WORDS.pinChanged)}</p>}
      </details>
    </>
  );
}

export function Tick({ words, checked, change }: { words: Words; checked: boolean; change: (on: boolean) => void }) {
  return (
    <label class="tick">
      <input type="checkbox" checked={checked} onChange={(event) => change(event.currentTarget.checked)} />
      {t(words)}
    </label>
  );
}
