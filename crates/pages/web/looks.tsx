// In which language, and how large, a page is read.

import { signal as state } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { keepSetting, setting } from "./settings.ts";
import { w, type Language, type Words } from "./words.ts";

export const language = state<Language>(setting("language") === "en" ? "en" : "zh");
export const large = state(setting("large") === "yes");

const LARGE = w("大字", "Large type");

/** A word in the language that was chosen. */
export const t = (words: Words): string => words[language.value];

/** Has the document follow what was chosen. */
export function useLooks(): void {
  useEffect(() => {
    document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.large = large.value ? "yes" : "no";
  }, [language.value, large.value]);
}

/** The two buttons by which it is chosen. */
export function Looks() {
  return (
    <>
      <button
        onClick={() => {
          language.value = language.value === "zh" ? "en" : "zh";
          keepSetting("language", language.value);
        }}
        lang={language.value === "zh" ? "en" : "zh-CN"}
      >
        {language.value === "zh" ? "English" : "中文"}
      </button>
      <button
        aria-pressed={large.value}
        onClick={() => {
          large.value = !large.value;
          keepSetting("large", large.value ? "yes" : "no");
        }}
      >
        {t(LARGE)}
      </button>
    </>
  );
}
