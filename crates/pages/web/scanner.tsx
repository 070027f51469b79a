// A camera that reads codes, with what belongs around it: start, stop, light, and what to do without one.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { Camera, type CameraFault } from "./camera.ts";
import { t } from "./looks.tsx";
import { w, type Words } from "./words.ts";

const SCAN = w("打开摄像头", "Start camera");
const STOP = w("关闭摄像头", "Stop camera");
const TORCH = w("手电筒", "Torch");
const AIM = w("将二维码置于框内", "Hold the code inside the frame");

export function Scanner(props: { onText: (text: string) => void; faults: Record<CameraFault, Words> }) {
  const video = useRef<HTMLVideoElement>(null);
  const camera = useSignal<Camera | null>(null);
  const fault = useSignal<CameraFault | null>(null);
  const torch = useSignal(false);
  // The camera goes on while the page around it is drawn anew.
  const onText = useRef(props.onText);
  onText.current = props.onText;
  const stop = () => {
    camera.value?.stop();
    camera.value = null;
  };
  useEffect(() => stop, []);
  const start = async () => {
    if (!video.current) return;
    fault.value = null;
    const opened = new Camera(video.current, (text) => onText.current(text));
    camera.value = opened;
    try {
      await opened.start();
      torch.value = false;
    } catch (failed) {
      opened.stop();
      camera.value = null;
      fault.value = failed as CameraFault;
    }
  };

  return (
    <section class={camera.value ? "camera on" : "camera"} aria-label={t(AIM)}>
      <video ref={video} muted playsInline aria-hidden="true" />
      {camera.value ? (
        <>
          <p class="aim">{t(AIM)}</p>
          <div class="row">
            <button onClick={stop}>{t(STOP)}</button>
            {camera.value.hasTorch() && (
              <button
                aria-pressed={torch.value}
                onClick={() => {
                  torch.value = !torch.value;
                  void camera.value?.torch(torch.value);
                }}
              >
                {t(TORCH)}
              </button>
            )}
          </div>
        </>
      ) : (
        <button class="main" onClick={() => void start()}>
          {t(SCAN)}
        </button>
      )}
      {fault.value && (
        <p class="warn" role="alert">
          {t(props.faults[fault.value])}
        </p>
      )}
    </section>
  );
}
