// "Check this pass": what each byte of a code says, and the verdict on it. It stays in this browser.

import { useEffect, useState } from "preact/hooks";
import type { GetOverviewResponse } from "@viridian/wire/public";

import { language, t } from "../../../pages/web/looks.tsx";
import type { Words } from "../../../pages/web/words.ts";
import { judge, profiles, takeApart, type Field, type Parts, type Report } from "./desk.ts";
import { Line, province } from "./parts.tsx";
import { nowS, overview } from "./state.ts";
import { WORDS } from "./words.ts";

/** Longer than any code. */
const MAX_TEXT_CHARS = 4096;

interface Answer {
  parts: Parts | null;
  /** Why it was not taken apart. */
  refused: string | null;
  report: Report | null;
}

export function Check() {
  const known = overview.value;
  const places = [...new Set((known?.slots ?? []).map((slot) => slot.provinceCode))].filter((code) => code !== 0);
  const [text, setText] = useState("");
  const [place, setPlace] = useState<number | null>(null);
  const [offered, setOffered] = useState<string[]>([]);
  const [profile, setProfile] = useState("");
  const [specimens, setSpecimens] = useState(false);
  const [tooLong, setTooLong] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const here = place ?? places[0] ?? null;
  const sequence = known?.list?.onlineSequence;

  useEffect(() => {
    if (!known?.list || here === null) return;
    profiles(known, here, nowS()).then(
      (names) => {
        setOffered(names);
        setProfile((chosen) => (names.includes(chosen) ? chosen : (names[0] ?? "")));
      },
      () => setOffered([]),
    );
  }, [sequence, here]);

  /** Under the profile that was chosen; under the first one where nothing could be chosen yet. */
  const verdict = async (code: string, known: GetOverviewResponse, here: number): Promise<Report | null> => {
    const asked = profile || (await profiles(known, here, nowS()))[0];
    return asked === undefined ? null : judge(code, known, { place: here, profile: asked, specimens }, nowS());
  };
  const check = async (event: Event) => {
    event.preventDefault();
    // What a text field or a scanner puts around it.
    const code = text.replace(/[\r\n]+/g, "").trim();
    setTooLong(code.length > MAX_TEXT_CHARS);
    setAnswer(null);
    if (code.length === 0 || code.length > MAX_TEXT_CHARS) return;
    const found: Answer = { parts: null, refused: null, report: null };
    try {
      found.parts = await takeApart(code, known);
    } catch (error) {
      found.refused = error instanceof Error ? error.message : String(error);
    }
    if (known?.list && here !== null) found.report = await verdict(code, known, here).catch(() => null);
    setAnswer(found);
  };
  const clear = () => {
    setText("");
    setAnswer(null);
    setTooLong(false);
  };
  return (
    <section aria-labelledby="check">
      <h2 id="check">{t(WORDS.check)}</h2>
      <p class="strong">{t(WORDS.checkText)}</p>
      <form onSubmit={(event) => void check(event)} autocomplete="off">
        <label>
          {t(WORDS.pasted)}
          <textarea
            rows={4}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            aria-invalid={tooLong || undefined}
          />
        </label>
        {tooLong && (
          <p class="warn" role="alert">
            {t(WORDS.tooLong)}
          </p>
        )}
        {offered.length > 0 && (
          <>
            <label>
              {t(WORDS.profile)}
              <select value={profile} onChange={(event) => setProfile(event.currentTarget.value)}>
                {offered.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {t(WORDS.place)}
              <select value={here ?? ""} onChange={(event) => setPlace(Number(event.currentTarget.value))}>
                {places.map((code) => (
                  <option key={code} value={code}>
                    {province(code)}
                  </option>
                ))}
              </select>
            </label>
            <label class="tick">
              <input type="checkbox" checked={specimens} onChange={(event) => setSpecimens(event.currentTarget.checked)} />
              {t(WORDS.specimens)}
            </label>
          </>
        )}
        <div class="buttons">
          <button class="main" type="submit">
            {t(WORDS.doCheck)}
          </button>
          <button type="button" onClick={clear}>
            {t(WORDS.clear)}
          </button>
        </div>
      </form>
      <div aria-live="polite">{answer && <Told answer={answer} />}</div>
    </section>
  );
}

function Told({ answer }: { answer: Answer }) {
  const { parts, refused, report } = answer;
  return (
    <>
      {report ? <Verdict report={report} /> : <p class="warn">{t(WORDS.noVerdict)}</p>}
      {refused !== null && (
        <div class="warn" data-testid="refused">
          <p>{t(WORDS.notApart)}</p>
          <p class="detail" lang="en">
            {refused}
          </p>
        </div>
      )}
      {parts && <Apart parts={parts} />}
    </>
  );
}

function Verdict({ report }: { report: Report }) {
  const mark = { accept: "●", reject: "✕", undecided: "?" }[report.outcome];
  return (
    <div class={`verdict ${report.outcome}`} data-testid="verdict">
      <h3>{t(WORDS.verdict)}</h3>
      <p class="big">
        <span aria-hidden="true">{mark}</span> {report.word_zh} {report.word_en}
      </p>
      <p>
        {language.value === "zh" ? report.text_zh : report.text_en} <code>{report.code}</code>
      </p>
      <p class="detail">{t(WORDS.verdictNote)}</p>
    </div>
  );
}

const SCOPES: Record<Field["scope"], Words> = { shared: WORDS.shared, pass: WORDS.ofPass, showing: WORDS.ofShowing };
const SIGNATURES: Record<Parts["signature"], Words> = {
  fits: WORDS.signatureFits,
  "does-not-fit": WORDS.signatureBad,
  none: WORDS.signatureNone,
};

function Apart({ parts }: { parts: Parts }) {
  return (
    <>
      {parts.specimen && <p class="warn">{t(WORDS.specimen)}</p>}
      <p class={parts.signature === "does-not-fit" ? "warn" : undefined}>{t(SIGNATURES[parts.signature])}</p>
      <dl>
        <Line name={WORDS.allBytes}>{parts.length}</Line>
        <Line name={WORDS.shared}>{parts.shared_bytes}</Line>
        <Line name={WORDS.ofPass}>{parts.pass_bytes}</Line>
        <Line name={WORDS.ofShowing}>{parts.showing_bytes}</Line>
        <Line name={WORDS.notInIt}>{t(parts.not_in_it)}</Line>
      </dl>
      <p class="bytes" aria-hidden="true">
        {parts.fields.map((field) => (
          <span key={field.offset} class={field.scope}>
            {field.hex}
          </span>
        ))}
      </p>
      <table data-testid="bytes">
        <thead>
          <tr>
            <th scope="col">{t(WORDS.place16)}</th>
            <th scope="col">{t(WORDS.field)}</th>
          </tr>
        </thead>
        <tbody>
          {parts.fields.map((field) => (
            <OneField key={field.offset} field={field} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function OneField({ field }: { field: Field }) {
  return (
    <tr data-testid="field">
      <th scope="row" class={`place ${field.scope}`}>
        {field.offset} +{field.length}
        <br />
        <strong>{t(field.title)}</strong>
        <br />
        <span class="detail">{t(SCOPES[field.scope])}</span>
      </th>
      <td>
        <code data-testid="hex">{field.hex}</code>
        <dl>
          <Line name={WORDS.value}>{t(field.value)}</Line>
          <Line name={WORDS.is}>{t(field.meaning)}</Line>
          <Line name={WORDS.reveals}>{t(field.reveals)}</Line>
          <Line name={WORDS.to}>{t(field.to)}</Line>
        </dl>
      </td>
    </tr>
  );
}
