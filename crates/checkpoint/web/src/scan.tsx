// Reading a code: camera, a scanner that types, or a pasted text.

import { signal as state } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import { decide, fault, reader, report } from "./app.tsx";
import { Camera, type CameraFault } from "./camera.ts";
import { WORDS } from "./words.ts";

/** Longest text that is handed on; the longest code has 439 characters, and what is longer is refused as such. */
const TEXT_LEN_MAX = 600;
/** An identity number. */
const CARD = /^\d{17}[\dX]$/;

const camera = state<Camera | null>(null);
const cameraFault = state<CameraFault | null>(null);
const torch = state(false);
const card = state("");
const cardBad = state(false);

function read(text: string): void {
  const number = card.value.trim().toUpperCase();
  cardBad.value = number !== "" && !CARD.test(number);
  if (cardBad.value) return;
  if (report.value || fault.value) return;
  void decide(text.slice(0, TEXT_LEN_MAX), number).finally(() => {
    card.value = ""; // it is the last person's
  });
}

export function Scan() {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => () => camera.value?.stop(), []);
  useLayoutEffect(() => {
    // A scanner types wherever the cursor stands: it stands here whenever no result is shown, before it can type.
    if (!report.value && !fault.value) reader.current?.focus();
  }, [report.value, fault.value]);

  const start = async () => {
    if (!video.current) return;
    cameraFault.value = null;
    const opened = new Camera(video.current, read);
    camera.value = opened;
    try {
      await opened.start();
      torch.value = false;
    } catch (fault) {
      opened.stop();
      camera.value = null;
      cameraFault.value = fault as CameraFault;
    }
  };
  const stop = () => {
    camera.value?.stop();
    camera.value = null;
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const field = reader.current;
    if (!field || field.value === "") return;
    read(field.value.trim());
    field.value = "";
  };

  return (
    <>
      <section class={camera.value ? "camera on" : "camera"} aria-label={t(WORDS.aim)}>
        <video ref={video} muted playsInline aria-hidden="true" />
        {camera.value ? (
          <>
            <p class="aim">{t(WORDS.aim)}</p>
            <div class="row">
              <button onClick={stop}>{t(WORDS.stop)}</button>
              {camera.value.hasTorch() && (
                <button
                  aria-pressed={torch.value}
                  onClick={() => {
                    torch.value = !torch.value;
                    void camera.value?.torch(torch.value);
                  }}
                >
                  {t(WORDS.torch)}
                </button>
              )}
            </div>
          </>
        ) : (
          <button class="main" onClick={() => void start()}>
            {t(WORDS.scan)}
          </button>
        )}
        {cameraFault.value && (
          <p class="warn" role="alert">
            {t(cameraFault.value === "denied" ? WORDS.cameraDenied : WORDS.noCamera)}
          </p>
        )}
      </section>
      <form onSubmit={submit} autocomplete="off">
        <label>
          {t(WORDS.text)}
          <input ref={reader} name="code" autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
        <label>
          {t(WORDS.card)}
          <input
            name="card"
            autocomplete="off"
            maxLength={18}
            value={card.value}
            aria-invalid={cardBad.value}
            onInput={(event) => {
              card.value = event.currentTarget.value;
            }}
          />
        </label>
        {cardBad.value && (
          <p class="warn" role="alert">
            {t(WORDS.cardBad)}
          </p>
        )}
        <button class="main" type="submit">
          {t(WORDS.check)}
        </button>
      </form>
    </>
  );
}
