// What anybody sets, what only the supervisor does, and what was counted.

import { signal as state } from "@preact/signals";
import { useRef } from "preact/hooks";

import { hourText } from "../../../pages/web/dates.ts";
import { Looks, language, t } from "../../../pages/web/looks.tsx";
import { keepSetting } from "../../../pages/web/settings.ts";
import { Refresh } from "./renew.tsx";
import { desk, offered, reader, sound } from "./state.ts";
import type { Counts } from "./store.ts";
import { Locked, lockAgain, RuleForm, Tick } from "./supervisor.tsx";
import { WORDS } from "./words.ts";

const counts = state<[number, Counts][]>([]);

/** Whether the supervisor's part is open, locked or not. */
const changing = state(false);
const notKept = state(false);

export function Menu({ takeOffered }: { takeOffered: () => Promise<void> }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = () => {
    notKept.value = false;
    dialog.current?.showModal();
    void desk.value?.counts().then((all) => {
      counts.value = all;
    });
  };
  const close = () => {
    dialog.current?.close();
    reader.current?.focus(); // at once, for a scanner that types
  };
  const closed = () => {
    changing.value = false;
    lockAgain();
    reader.current?.focus();
  };
  return (
    <nav>
      <Looks />
      <button onClick={open}>{t(WORDS.settings)}</button>
      <dialog ref={dialog} aria-label={t(WORDS.settings)} onClose={closed}>
        <h2>{t(WORDS.settings)}</h2>
        <Tick
          words={WORDS.sound}
          checked={sound.value}
          change={(on) => {
            sound.value = on;
            keepSetting("sound", on ? "yes" : "no");
          }}
        />
        <Refresh />
        <button aria-expanded={changing.value} onClick={() => (changing.value = !changing.value)}>
          {t(WORDS.change)}
        </button>
        {changing.value && (
          <section class="supervisor">
            <Locked>
              {offered.value && (
                <button
                  onClick={() => {
                    notKept.value = false;
                    takeOffered().then(close, () => (notKept.value = true));
                  }}
                >
                  {t(WORDS.offeredTake)}
                </button>
              )}
              {notKept.value && (
                <p class="warn" role="alert">
                  {t(WORDS.settingNotKept)}
                </p>
              )}
              <RuleForm />
            </Locked>
          </section>
        )}
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
                <th scope="row">{hourText(language.value, hour)}</th>
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
