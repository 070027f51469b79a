// What the supervisor sets, and what was counted.

import { signal as state } from "@preact/signals";
import { useRef } from "preact/hooks";

import { Looks, language, t } from "../../../pages/web/looks.tsx";
import { chosen, desk, list, profile, reader, sound } from "./app.tsx";
import type { Counts } from "./store.ts";
import { WORDS } from "./words.ts";

const counts = state<[number, Counts][]>([]);

function keep(name: string, value: string): void {
  localStorage.setItem(name, value);
}

export function Menu() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = () => {
    dialog.current?.showModal();
    void desk.value?.counts().then((all) => {
      counts.value = all;
    });
  };
  const close = () => {
    dialog.current?.close();
    reader.current?.focus();
  };
  return (
    <nav>
      <Looks />
      <button onClick={open}>{t(WORDS.settings)}</button>
      <dialog ref={dialog} aria-label={t(WORDS.settings)} onClose={() => reader.current?.focus()}>
        <h2>{t(WORDS.settings)}</h2>
        <label>
          {t(WORDS.profile)}
          <select
            value={profile.value ?? ""}
            onChange={(event) => {
              if (event.currentTarget.value === "") return;
              chosen.value = event.currentTarget.value;
              keep("profile", chosen.value);
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
        <label class="tick">
          <input
            type="checkbox"
            checked={sound.value}
            onChange={(event) => {
              sound.value = event.currentTarget.checked;
              keep("sound", sound.value ? "yes" : "no");
            }}
          />
          {t(WORDS.sound)}
        </label>
        <h3>{t(WORDS.countsAll)}</h3>
        <table>
          <thead>
            <tr>
              <th scope="col">{t(WORDS.hour)}</th>
              <th scope="col">{t(WORDS.pass)}</th>
              <th scope="col">{t(WORDS.no)}</th>
              <th scope="col">{t(WORDS.cannot)}</th>
            </tr>
          </thead>
          <tbody>
            {counts.value.map(([hour, count]) => (
              <tr key={hour}>
                <th scope="row">{hourText(hour)}</th>
                <td>{count.accept}</td>
                <td>{count.reject}</td>
                <td>{count.undecided}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <button class="main" onClick={close}>
          {t(WORDS.close)}
        </button>
      </dialog>
    </nav>
  );
}

/** An hour since the Unix epoch, in UTC+8 as all days are. */
function hourText(hour: number): string {
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "Asia/Shanghai",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    hour12: false,
  }).format(hour * 3_600_000);
}
