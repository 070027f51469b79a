// A camera that reads codes, with what belongs around it: start, stop, light, and what to do without one.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { Camera, type CameraFault } from "./camera.ts";
import { language, t } from "./looks.tsx";
import { w, type Words } from "./words.ts";

const SCAN = w("打开摄像头", "Start camera");
const STOP = w("关闭摄像头", "Stop camera");
const TORCH = w("手电筒", "Torch");
const AIM = w("将二维码置于框内", "Hold the code inside the frame");
const SLOW = w(
  "还没读到。请靠近一些，让整个码在框内;擦净镜头，调亮出示码的屏幕。",
  "Nothing read yet. Hold the code closer, with all of it in the frame; wipe the lens; make the screen that shows it brighter.",
);
const DARK = w("光线暗时打开手电筒。", "In the dark, switch on the torch.");
const ELSE = w("仍不行，请粘贴文字。", "If that does not help, paste the text.");
/** Whatever page it is on, the same is to be done. */
const FAULTS = {
  busy: w(
    "摄像头正被其他程序占用。请关闭用到摄像头的程序(如视频通话)后再打开，或粘贴文字。",
    "Another program uses the camera. Close it, such as a video call, and start the camera again, or paste the text.",
  ),
  ended: w(
    "摄像头已中断(来电、被拔出或被其他程序占用)。请再次打开。",
    "The camera has stopped: a call, a plug that was pulled, or another program. Start it again.",
  ),
};

/** So long without a code that can be read, ms, and it is said what helps. */
const SLOW_MS = 6_000;

export function Scanner(props: { onText: (text: string) => void; faults: Record<"denied" | "none", Words> }) {
  const video = useRef<HTMLVideoElement>(null);
  const camera = useSignal<Camera | null>(null);
  const fault = useSignal<CameraFault | null>(null);
  const torch = useSignal(false);
  /** Counts what was read, so that each begins the wait anew. */
  const read = useSignal(0);
  const slow = useSignal(false);
  // The camera goes on while the page around it is drawn anew.
  const onText = useRef(props.onText);
  onText.current = props.onText;
  const stop = () => {
    camera.value?.stop();
    camera.value = null;
  };
  useEffect(() => stop, []);
  useEffect(() => {
    slow.value = false;
    if (!camera.value) return;
    const timer = setTimeout(() => (slow.value = true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [camera.value, read.value]);
  const start = async () => {
    if (!video.current) return;
    fault.value = null;
    const onEnd = () => {
      if (camera.value !== opened) return;
      stop();
      fault.value = "ended";
    };
    const onRead = (text: string) => {
      read.value += 1;
      onText.current(text);
    };
    const opened = new Camera(video.current, onRead, onEnd);
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
          <p class="aim" role="status" data-testid="aim">
            {slow.value ? [SLOW, ...(camera.value.hasTorch() ? [DARK] : []), ELSE].map(t).join(language.value === "zh" ? "" : " ") : t(AIM)}
          </p>
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
          {t({ ...FAULTS, ...props.faults }[fault.value])}
        </p>
      )}
    </section>
  );
}
