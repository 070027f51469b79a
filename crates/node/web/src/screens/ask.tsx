// What the gate asks for, and under whose rules: for that the passes are fetched.

import { t } from "../../../../pages/web/looks.tsx";
import { TEST_AGES, type Wish } from "../wish.ts";
import { choose, go, home, wish } from "../state.ts";
import { WORDS } from "../words.ts";

export function Ask() {
  const sets = home.value?.passTerms?.ruleSetIds ?? [];
  const chosen = wish.value;
  // What was chosen stays to be seen, also where it is not in force any more.
  const known = chosen.ruleSet === "" || sets.includes(chosen.ruleSet) ? sets : [...sets, chosen.ruleSet];
  const set = (part: Partial<Wish>) => choose({ ...chosen, ...part });
  return (
    <section class="deeds">
      <h2>{t(WORDS.asked)}</h2>
      <fieldset>
        <legend>{t(WORDS.askedColour)}</legend>
        <Choice is={chosen.worst === "green"} text={t(WORDS.askedGreen)} act={() => set({ worst: "green" })} />
        <Choice is={chosen.worst === "not-red"} text={t(WORDS.askedNotRed)} act={() => set({ worst: "not-red" })} />
      </fieldset>
      <fieldset>
        <legend>{t(WORDS.askedTest)}</legend>
        {TEST_AGES.map((testAge) => (
          <Choice
            key={testAge}
            is={chosen.testAge === testAge}
            text={testAge === 0 ? t(WORDS.askedNoTest) : `${testAge} ${t(WORDS.within)}`}
            act={() => set({ testAge })}
          />
        ))}
      </fieldset>
      <label>
        {t(WORDS.ruleSet)}
        <select name="rules" value={chosen.ruleSet} onChange={(event) => set({ ruleSet: event.currentTarget.value })}>
          <option value="">{t(WORDS.ruleSetNation)}</option>
          {known.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <button class="main" onClick={() => go("show")}>
        {t(WORDS.showFor)}
      </button>
    </section>
  );
}

function Choice({ is, text, act }: { is: boolean; text: string; act: () => void }) {
  return (
    <button type="button" aria-pressed={is} onClick={act}>
      {text}
    </button>
  );
}
